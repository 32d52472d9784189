/**
 * What a list of permissions means, said a second time and in another way: patterns are regular expressions, and a pattern reaches as far as the types
 * that it matches, of which all up to a length are tried.
 */
export interface Oracle {
  may(action: string, type: string): boolean;
  reaches(action: string, pattern: string): boolean;
}

/** `a.*.**` as an expression over a type whose every segment ends with a dot. */
const expressions = new Map<string, RegExp>();
function matches(pattern: string, type: string): boolean {
  const parts = pattern.split(".").map((part) => (part === "**" ? "([^.]+\\.)*" : part === "*" ? "[^.]+\\." : `${part}\\.`));
  if (!expressions.has(pattern)) expressions.set(pattern, new RegExp(`^${parts.join("")}$`));
  return expressions.get(pattern)!.test(`${type}.`);
}
export { matches as oracleMatches };

/** All types of up to six segments from two names that patterns use and one that none does. */
export const everyType: readonly string[] = (() => {
  const types: string[] = [];
  for (let level = ["a", "b", "z"], depth = 1; depth <= 6; depth++, level = level.flatMap((type) => ["a", "b", "z"].map((name) => `${type}.${name}`))) types.push(...level);
  return types;
})();

export function oracle(permissions: readonly string[]): Oracle {
  const list = (prefix: string): string[] => permissions.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  const may = (action: string, type: string): boolean => list(`${action}:`).some((allowed) => matches(allowed, type)) && !list(`deny:${action}:`).some((denied) => matches(denied, type));
  return {
    may,
    reaches: (action, pattern) => {
      const reached = everyType.filter((type) => matches(pattern, type));
      return list(`${action}:`).some((allowed) => reached.every((type) => matches(allowed, type))) && !reached.some((type) => list(`deny:${action}:`).some((denied) => matches(denied, type)));
    },
  };
}

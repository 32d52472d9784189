/**
 * MongoDB's matcher, written as plainly as possible from its documentation and path_test.cpp: first all the values a path leads to, then the
 * operator on each. The arbiter where sift and mingo disagree. `undefined` is a missing field.
 */
type Doc = Readonly<Record<string, unknown>>;

export const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);
export const isDocument = (value: unknown): value is Doc => typeof value === "object" && value !== null && !isArray(value);
const canonical = (value: unknown): unknown =>
  isArray(value) ? value.map(canonical) : isDocument(value) ? Object.keys(value).sort().map((key) => [key, canonical(value[key])]).concat([["{}"]]) : value;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));

/** The values a path leads to; `each`: an array at its end gives its elements, then itself. */
export function values(value: unknown, path: readonly string[], each: boolean): unknown[] {
  const [key, ...rest] = path;
  if (key === undefined) return isArray(value) && each ? [...value, value] : [value];
  if (isArray(value)) {
    const through = value.filter(isDocument).flatMap((element) => values(element, path, each));
    const named = /^\d+$/.test(key) ? value[Number(key)] : undefined;
    if (named === undefined) return through;
    if (rest.length === 0) return [...through, named];
    return typeof named === "object" && named !== null ? [...through, ...values(named, rest, each)] : through;
  }
  return isDocument(value) && Object.hasOwn(value, key) ? values(value[key], rest, each) : [undefined];
}

const equalTo = (wanted: unknown) => (value: unknown): boolean => wanted === null ? value === null || value === undefined : value !== undefined && same(value, wanted);

function ordered(operator: string, value: unknown, bound: unknown): boolean {
  if (bound === null) return operator.endsWith("e") && (value === null || value === undefined);
  if (typeof value !== typeof bound) return false;
  const [v, b] = [value as number, bound as number];
  return operator === "$gt" ? v > b : operator === "$gte" ? v >= b : operator === "$lt" ? v < b : v <= b;
}

const typeNames: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => typeof value === "number", int: Number.isInteger, string: (value) => typeof value === "string", bool: (value) => typeof value === "boolean",
  object: isDocument, array: isArray, null: (value) => value === null,
};

function passes(operators: Doc, any: (test: (value: unknown) => boolean, each?: boolean) => boolean): boolean {
  return Object.entries(operators).every(([operator, operand]) => {
    switch (operator) {
      case "$eq": return any(equalTo(operand));
      case "$ne": return !any(equalTo(operand));
      case "$gt": case "$gte": case "$lt": case "$lte": return any((value) => ordered(operator, value, operand));
      case "$in": return (operand as unknown[]).some((item) => any(equalTo(item)));
      case "$nin": return !(operand as unknown[]).some((item) => any(equalTo(item)));
      case "$exists": return any((value) => value !== undefined) === operand;
      case "$type": return any(typeNames[operand as string]!);
      case "$size": return any((value) => isArray(value) && value.length === operand, false);
      case "$mod": return any((value) => typeof value === "number" && Math.trunc(value) % (operand as number[])[0]! === (operand as number[])[1]);
      case "$regex": return any((value) => typeof value === "string" && new RegExp(operand as string).test(value));
      case "$not": return !passes(operand as Doc, any);
      case "$all": {
        const items = operand as unknown[];
        return items.length > 0 && items.every((item) => isDocument(item) && "$elemMatch" in item ? passes(item, any) : any(equalTo(item)));
      }
      case "$elemMatch": {
        const inner = operand as Doc;
        const first = Object.keys(inner)[0];
        const element = first?.startsWith("$") && !["$and", "$or", "$nor"].includes(first)
          ? (value: unknown) => passes(inner, (test) => test(value))
          : (value: unknown) => (isDocument(value) || isArray(value)) && reference(inner, isArray(value) ? { ...value } : value as Doc);
        return any((value) => isArray(value) && value.some(element), false);
      }
      default: throw new Error(operator);
    }
  });
}

export function reference(query: Doc, document: Doc): boolean {
  return Object.entries(query).every(([key, condition]) => {
    if (key === "$and") return (condition as Doc[]).every((clause) => reference(clause, document));
    if (key === "$or") return (condition as Doc[]).some((clause) => reference(clause, document));
    if (key === "$nor") return !(condition as Doc[]).some((clause) => reference(clause, document));
    const operators = isDocument(condition) && Object.keys(condition).some((name) => name.startsWith("$")) ? condition : { $eq: condition };
    return passes(operators, (test, each = true) => values(document, key.split("."), each).some((value) => test(value)));
  });
}

/** A question about one value; `undefined` stands for a missing field. */
export type Test = (value: unknown) => boolean;

/** Turns a test of one value into a test of wherever values come from. `each`: the elements of an array at the end of the path are values too. */
export type Apply = (test: Test, each: boolean) => Test;

/**
 * What a field's operators ask, before it is settled where the values come from. In MongoDB a path may lead to several values (arrays on the
 * way); `$gt` asks whether *any* of them passes, `$ne` and `$not` whether *none* does. So a negation has to stay outside the path: a condition
 * applies its tests itself, and negates what `apply` gives back.
 */
export type Condition = (apply: Apply) => Test;

export const some = (test: Test, each = true): Condition => (apply) => apply(test, each);

export const none = (condition: Condition): Condition => (apply) => {
  const test = condition(apply);
  return (value) => !test(value);
};

export const all = (conditions: readonly Condition[]): Condition => (apply) => and(conditions.map((condition) => condition(apply)));

/** One test out of many. The usual few are spelled out: no loop, no array to read. */
export function and(tests: readonly Test[]): Test {
  const [a, b, c] = tests;
  if (a === undefined) return () => true;
  if (b === undefined) return a;
  if (c === undefined) return (value) => a(value) && b(value);
  if (tests.length === 3) return (value) => a(value) && b(value) && c(value);
  return (value) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(value)) return false;
    return true;
  };
}

export function or(tests: readonly Test[]): Test {
  const [a, b, c] = tests;
  if (a === undefined) return () => false;
  if (b === undefined) return a;
  if (c === undefined) return (value) => a(value) || b(value);
  if (tests.length === 3) return (value) => a(value) || b(value) || c(value);
  return (value) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(value)) return true;
    return false;
  };
}

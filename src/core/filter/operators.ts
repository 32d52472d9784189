import { none, some, or, type Condition, type Test } from "./condition.ts";
import { equal, isObject, literal } from "./literal.ts";
import { invalid, type Scope } from "./scope.ts";

type Operator = (operand: unknown, at: string, scope: Scope, siblings: Readonly<Record<string, unknown>>, depth: number) => Condition;
type Scalar = string | number | boolean;

/** The operators that ask about values. Those that combine conditions are the compiler's. */
export const operators: Readonly<Record<string, Operator>> = {
  $eq: (operand, at, scope) => some(equals(operand, at, scope)),
  $ne: (operand, at, scope) => none(some(equals(operand, at, scope))),
  $gt: ordered((bound) => (value) => value > bound),
  $gte: ordered((bound) => (value) => value >= bound),
  $lt: ordered((bound) => (value) => value < bound),
  $lte: ordered((bound) => (value) => value <= bound),
  $in: (operand, at, scope, _, depth) => some(isIn(operand, at, scope, depth)),
  $nin: (operand, at, scope, _, depth) => none(some(isIn(operand, at, scope, depth))),
  $exists: (operand, at) => {
    if (typeof operand !== "boolean" && operand !== 0 && operand !== 1) throw invalid(at, "takes true or false");
    const exists = some((value) => value !== undefined);
    return operand ? exists : none(exists);
  },
  $type: (operand, at) => some(or(nonEmpty(Array.isArray(operand) ? operand : [operand], at).map((name) => isType(name, at)))),
  $size: (operand, at) => {
    if (!Number.isSafeInteger(operand) || (operand as number) < 0) throw invalid(at, "takes a whole number, 0 or more");
    return some((value) => Array.isArray(value) && value.length === operand, false);
  },
  $mod: (operand, at) => {
    const [divisor, remainder] = Array.isArray(operand) && operand.length === 2 && operand.every(Number.isSafeInteger) ? operand as number[] : [];
    if (!divisor) throw invalid(at, "takes [divisor, remainder], whole numbers, the divisor not 0");
    return some((value) => typeof value === "number" && Math.trunc(value) % divisor === remainder);
  },
  $regex: (operand, at, scope, { $options }) => some(regex(operand, $options, at, scope)),
  $options: (_, at) => { throw invalid(at, "stands beside a $regex"); },
};

/** `null` is also a missing field. A regular expression here would be compared as a value, which events cannot hold. */
export function equals(operand: unknown, at: string, scope: Scope): Test {
  if (operand instanceof RegExp) throw invalid(at, "takes no regular expression; use $regex, or $not with one");
  const wanted = literal(operand, at, scope);
  if (wanted === null) return (value) => value === null || value === undefined;
  return isObject(wanted) ? (value) => equal(wanted, value) : (value) => value === wanted;
}

/** @throws ValidationError `ERR_FILTER`, or what the engine throws (`ERR_REGEX`). */
export function regex(operand: unknown, options: unknown, at: string, scope: Scope): Test {
  const [source, flags] = operand instanceof RegExp ? [operand.source, options ?? operand.flags] : [operand, options ?? ""];
  if (typeof source !== "string" || typeof flags !== "string") throw invalid(at, `takes a string or RegExp; $options a string of the flags i, m, s, u`);
  const test = scope.regex(source, flags);
  return (value) => typeof value === "string" && test(value);
}

/** Values of two types have no order in MongoDB: nothing of another type than the bound passes. `null` is equal to `null`, neither more nor less. */
function ordered(compare: (bound: Scalar) => (value: Scalar) => boolean): Operator {
  return (operand, at, scope) => {
    const bound = literal(operand, at, scope);
    if (bound === null) return compare(0)(0) ? some((value) => value === null || value === undefined) : some(() => false);
    if (isObject(bound)) throw invalid(at, "has an order only for numbers, strings, booleans and null");
    const type = typeof bound;
    const test = compare(bound as Scalar);
    return some((value) => typeof value === type && test(value as Scalar));
  };
}

function isIn(operand: unknown, at: string, scope: Scope, depth: number): Test {
  if (!Array.isArray(operand)) throw invalid(at, "takes an array of values");
  const scalars = new Set<unknown>();
  const tests: Test[] = [];
  operand.forEach((item: unknown, i) => {
    const place = `${at}[${i}]`;
    if (isObject(item)) {
      scope.node(place, depth);
      tests.push(item instanceof RegExp ? regex(item, undefined, place, scope) : equals(item, place, scope));
    } else scalars.add(literal(item, place, scope));
  });
  const listed: Test = scalars.has(null) ? (value) => scalars.has(value ?? null) : (value) => scalars.has(value);
  return tests.length === 0 ? listed : or([listed, ...tests]);
}

const isNumber: Test = (value) => typeof value === "number";
/** MongoDB's names and numbers of the types that JSON has. JSON has one kind of number: a whole one is an int, and any is a double. */
const types: Readonly<Record<string, Test>> = {
  number: isNumber, double: isNumber, decimal: isNumber, 1: isNumber, 19: isNumber,
  int: Number.isInteger, long: Number.isInteger, 16: Number.isInteger, 18: Number.isInteger,
  string: (value) => typeof value === "string", 2: (value) => typeof value === "string",
  object: (value) => isObject(value) && !Array.isArray(value), 3: (value) => isObject(value) && !Array.isArray(value),
  array: Array.isArray, 4: Array.isArray,
  bool: (value) => typeof value === "boolean", 8: (value) => typeof value === "boolean",
  null: (value) => value === null, 10: (value) => value === null,
};

function isType(name: unknown, at: string): Test {
  const test = (typeof name === "string" || typeof name === "number") && Object.hasOwn(types, name) ? types[name] : undefined;
  if (test === undefined) throw invalid(at, `knows no type ${JSON.stringify(name)}; JSON has number, int, string, object, array, bool and null`);
  return test;
}

export function nonEmpty(list: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(list) || list.length === 0) throw invalid(at, "takes an array that is not empty");
  return list;
}

import { all, and, none, or, some, type Apply, type Condition, type Test } from "./filter/condition.ts";
import { isObject } from "./filter/literal.ts";
import { equals, nonEmpty, operators, regex } from "./filter/operators.ts";
import { inElement, inEvent } from "./filter/path.ts";
import { createScope, invalid, type RegexCompiler, type Scope } from "./filter/scope.ts";

export type { RegexCompiler };

/** A MongoDB query over an event's fields by dotted path: `{ priority: { $gte: 7 }, "payload.amount": { $gt: 100 } }`. A bare value means `$eq`. */
export type Filter = {
  readonly $and?: readonly Filter[];
  readonly $or?: readonly Filter[];
  readonly $nor?: readonly Filter[];
  readonly [path: string]: unknown;
};

/** Whether an event passes. Holds no state. */
export type Predicate = (event: object) => boolean;

type Query = Readonly<Record<string, unknown>>;
/** How a path is read: from an event, or from an element of an array. */
type Place = (path: string, at: string) => Apply;

const logical: Readonly<Record<string, (tests: readonly Test[]) => Test>> = {
  $and: and,
  $or: or,
  $nor: (tests) => {
    const any = or(tests);
    return (value) => !any(value);
  },
};
const combining = ["$not", "$all", "$elemMatch"];
const supported = [...Object.keys(operators), ...combining, ...Object.keys(logical)].join(", ");

/**
 * Compiles a filter to closures: no code is generated, so it runs under any Content-Security-Policy and at the edge.
 *
 * MongoDB's meaning for arrays, `null` and missing fields, with two deviations that JSON asks for: objects are equal whatever the order of their
 * keys, and `$gt` and its like compare no objects or arrays. A path begins with a field of events; below, only own properties are seen.
 *
 * @param options.maxNodes operators and conditions allowed, 32 by default
 * @throws ValidationError `ERR_FILTER` (malformed, unknown operator or field), `ERR_FILTER_TOO_LARGE`, or what `options.regex` throws; `details.path` names the place.
 * @example
 * const matches = compileFilter({ "payload.amount": { $gt: 100 } }, { regex: compileRegex });
 */
export function compileFilter(filter: Filter, options: { readonly maxNodes?: number; readonly regex: RegexCompiler }): Predicate {
  return compileQuery(filter, "filter", inEvent, createScope(options.regex, options.maxNodes ?? 32), 1);
}

function compileQuery(query: unknown, at: string, place: Place, scope: Scope, depth: number): Test {
  if (!isQuery(query)) throw invalid(at, `must be an object such as { "payload.amount": { "$gt": 100 } }`);
  const keys = Object.keys(query);
  if (keys.length === 0) scope.node(at, depth);
  return and(keys.map((key) => {
    const inside = `${at}.${key}`;
    if (!key.startsWith("$")) return compileField(query[key], inside, scope, depth)(place(key, inside));
    const combine = Object.hasOwn(logical, key) ? logical[key] : undefined;
    if (combine === undefined) throw misplaced(key, inside);
    scope.node(inside, depth);
    return combine(nonEmpty(query[key], inside).map((clause, i) => compileQuery(clause, `${inside}[${i}]`, place, scope, depth + 1)));
  }));
}

function compileField(value: unknown, at: string, scope: Scope, depth: number): Condition {
  if (isQuery(value) && Object.keys(value).some((key) => key.startsWith("$"))) return compileOperators(value, at, scope, depth);
  scope.node(at, depth);
  return matches(value, at, scope);
}

/** A bare value: a RegExp is `$regex`, everything else `$eq`. */
const matches = (value: unknown, at: string, scope: Scope): Condition =>
  some(value instanceof RegExp ? regex(value, undefined, at, scope) : equals(value, at, scope));

function compileOperators(query: Query, at: string, scope: Scope, depth: number): Condition {
  return all(Object.keys(query).filter((key) => key !== "$options" || !Object.hasOwn(query, "$regex")).map((key) => {
    const inside = `${at}.${key}`;
    scope.node(inside, depth);
    const operand = query[key];
    if (key === "$not") return compileNot(operand, inside, scope, depth + 1);
    if (key === "$all") return compileAll(operand, inside, scope, depth + 1);
    if (key === "$elemMatch") return compileElemMatch(operand, inside, scope, depth + 1);
    if (!Object.hasOwn(operators, key)) throw misplaced(key, inside);
    return operators[key]!(operand, inside, scope, query, depth);
  }));
}

function compileNot(operand: unknown, at: string, scope: Scope, depth: number): Condition {
  if (!(operand instanceof RegExp) && !(isQuery(operand) && Object.keys(operand).length > 0)) throw invalid(at, `takes operators, as { "$not": { "$gt": 5 } }, or a RegExp; to exclude a value use $ne`);
  return none(operand instanceof RegExp ? matches(operand, at, scope) : compileOperators(operand, at, scope, depth));
}

/** Every item on its own, by any of the values: so `$all: ["a"]` also matches the plain string `"a"`, and `$all: []` nothing. */
function compileAll(operand: unknown, at: string, scope: Scope, depth: number): Condition {
  if (!Array.isArray(operand)) throw invalid(at, "takes an array of values");
  if (operand.length === 0) return some(() => false);
  return all(operand.map((item: unknown, i) => {
    const inside = `${at}[${i}]`;
    if (isQuery(item) && Object.hasOwn(item, "$elemMatch")) return compileOperators(item, inside, scope, depth);
    scope.node(inside, depth);
    return matches(item, inside, scope);
  }));
}

/** Operators ask about the elements themselves (an element that is an array is not opened); paths and `$and`, `$or`, `$nor` about elements that are objects. */
function compileElemMatch(operand: unknown, at: string, scope: Scope, depth: number): Condition {
  if (!isQuery(operand)) throw invalid(at, `takes operators or a query, as { "$elemMatch": { "qty": { "$gt": 5 } } }`);
  const [first] = Object.keys(operand);
  if (first?.startsWith("$") && !Object.hasOwn(logical, first)) {
    const test = compileOperators(operand, at, scope, depth)((one) => one);
    return some((value) => Array.isArray(value) && value.some((element) => test(element)), false);
  }
  const test = compileQuery(operand, at, inElement, scope, depth);
  return some((value) => Array.isArray(value) && value.some((element) => isObject(element) && test(element)), false);
}

const isQuery = (value: unknown): value is Query => isObject(value) && !Array.isArray(value) && !(value instanceof RegExp) && !(value instanceof Date);

function misplaced(key: string, at: string) {
  const why = !key.startsWith("$") ? `a path cannot stand beside operators; write each field as a dotted path of its own`
    : Object.hasOwn(logical, key) ? `${key} combines whole conditions: it stands at the top of a filter or of $elemMatch, not under a field`
    : combining.includes(key) || Object.hasOwn(operators, key) ? `${key} asks about a field: write { "payload.amount": { "${key}": … } }`
    : /^\$(where|expr|function|accumulator|jsonSchema)$/.test(key) ? `${key} is refused: a filter runs no code and no expressions of its sender`
    : `unknown operator ${key}`;
  return invalid(at, `${why}. Supported: ${supported}`);
}

import { invalid, type Scope } from "./scope.ts";

export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/**
 * A value to compare with, copied: changing the filter afterwards changes nothing. A `Date` is its ISO string, as it would be after the wire.
 * @throws ValidationError `ERR_FILTER` if it is no JSON value, or holds an operator, which there would be compared as text and never match.
 */
export function literal(value: unknown, at: string, scope: Scope, depth = 0): unknown {
  scope.value(at, depth);
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => literal(item, `${at}[${i}]`, scope, depth + 1));
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (isObject(value) && isPlain(value)) {
    return Object.fromEntries(Object.keys(value).map((key) => {
      if (key.startsWith("$")) throw invalid(`${at}.${key}`, `an operator stands directly under a dotted path, as { "payload.amount": { "$gt": 100 } }, not inside a value to compare with`);
      return [key, literal(value[key], `${at}.${key}`, scope, depth + 1)];
    }));
  }
  throw invalid(at, `can only compare with JSON values, got ${value === undefined ? "undefined" : typeof value === "number" ? value : Object.prototype.toString.call(value).slice(8, -1)}`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Another realm's Object.prototype is as plain as ours: what has no prototype above it.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Deep equality of JSON values. The order of keys does not count, as in sift and mingo: MongoDB compares BSON bytes, but JSON objects are
 * unordered, and a store or a proxy on the way may reorder them.
 */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]));
  const keys = Object.keys(a);
  return !Array.isArray(b) && keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

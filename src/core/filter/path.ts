import type { RouterEvent } from "../event.ts";
import type { Apply, Test } from "./condition.ts";
import { isObject } from "./literal.ts";
import { invalid, tooLarge } from "./scope.ts";

/**
 * The fields of an event, each with its own read: an event may be an instance with getters, so these are not own properties, and a read by
 * name stays monomorphic where `event[name]` would not.
 */
const fields: Readonly<Record<string, (event: RouterEvent) => unknown>> = {
  id: (event) => event.id,
  type: (event) => event.type,
  payload: (event) => event.payload,
  seq: (event) => event.seq,
  epoch: (event) => event.epoch,
  timestamp: (event) => event.timestamp,
  source: (event) => event.source,
  target: (event) => event.target,
  priority: (event) => event.priority,
  correlationId: (event) => event.correlationId,
  headers: (event) => event.headers,
  stream: (event) => event.stream,
  version: (event) => event.version,
  publisher: (event) => event.publisher,
};

const MAX_SEGMENTS = 32;
/** Below an array a number is both an index and a key of the elements (MongoDB), so each one can double the ways to walk. */
const MAX_INDEXES = 8;
const startsWithDigit = (segment: string): boolean => segment.charCodeAt(0) <= 0x39;
const isIndex = (segment: string): boolean => /^(0|[1-9]\d*)$/.test(segment);

/** Where a dotted path of an event leads. @throws ValidationError `ERR_FILTER` if it does not begin with a field of events. */
export function inEvent(path: string, at: string): Apply {
  const [first, ...rest] = split(path, at);
  if (!Object.hasOwn(fields, first)) throw invalid(at, `events have no field ${JSON.stringify(first)}; the fields are ${Object.keys(fields).join(", ")}. Did you mean "payload.${path}"?`);
  return reader(fields[first] as (event: unknown) => unknown, rest);
}

/** Where a dotted path of an array's element leads, inside `$elemMatch`. */
export function inElement(path: string, at: string): Apply {
  const [first, ...rest] = split(path, at);
  const read = readOf([first]);
  return reader((element) => read(element, first), rest);
}

function split(path: string, at: string): [string, ...string[]] {
  const segments = path.split(".");
  if (segments.includes("")) throw invalid(at, `a path is names joined by dots, none of them empty`);
  if (segments.length > MAX_SEGMENTS || segments.filter(isIndex).length > MAX_INDEXES) throw tooLarge(at, `a path has at most ${MAX_SEGMENTS} segments, ${MAX_INDEXES} of them numbers`);
  return segments as [string, ...string[]];
}

function reader(root: (document: unknown) => unknown, path: readonly string[]): Apply {
  const [key, second] = path;
  const read = readOf(path);
  // `priority` and `payload.amount` are nearly all there is: they are read straight, and walk only if an array turns up.
  if (key === undefined) return (test, each) => (document) => {
    const value = root(document);
    return Array.isArray(value) ? walk(value, path, 0, read, test, each) : test(value);
  };
  if (second === undefined) return (test, each) => (document) => {
    const parent = root(document);
    if (Array.isArray(parent)) return walk(parent, path, 0, read, test, each);
    const value = read(parent, key);
    return Array.isArray(value) ? walk(value, path, 1, read, test, each) : test(value);
  };
  return (test, each) => (document) => walk(root(document), path, 0, read, test, each);
}

/**
 * Whether a value that the path leads to passes. As in MongoDB, an array on the way stands for its objects, and for the element that a number
 * names; an array of scalars on the way leads to nothing, not even to a missing field. An element named by number is not opened further.
 */
function walk(value: unknown, path: readonly string[], from: number, read: Read, test: Test, each: boolean): boolean {
  let i = from;
  while (i < path.length && !Array.isArray(value)) value = read(value, path[i++]!);
  if (!Array.isArray(value)) return test(value);
  if (i === path.length) return (each && value.some(test)) || test(value);
  for (let j = 0; j < value.length; j++) {
    const element: unknown = value[j];
    if (isObject(element) && !Array.isArray(element) && walk(element, path, i, read, test, each)) return true;
  }
  const element = startsWithDigit(path[i]!) ? read(value, path[i]!) : undefined;
  if (element === undefined) return false;
  return i + 1 === path.length ? test(element) : isObject(element) && walk(element, path, i + 1, read, test, each);
}

/** Reads a property of an object, or an element of an array by its number. Nothing is read through a prototype, nor the length of anything. */
type Read = (value: unknown, key: string) => unknown;

const plain: Read = (value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined);
const own: Read = (value, key) => (typeof value === "object" && value !== null && Object.hasOwn(value, key) && (key !== "length" || !Array.isArray(value)) ? (value as Record<string, unknown>)[key] : undefined);

/** To ask whether a property is an object's own costs more than to read it, and only a path with a name that all objects or arrays have must. */
function readOf(path: readonly string[]): Read {
  return path.some((key) => key in Array.prototype) ? own : plain;
}

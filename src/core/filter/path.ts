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
  const [key, second, third] = path;
  const read = readOf(path);
  return (test, each) => {
    const end = ending(test, each);
    const through = path.reduceRight((next, name, i) => step(name, read, next, i === path.length - 1 ? test : next), end);
    const general: Test = (document) => through(root(document));
    if (read !== plain) return general;
    // `priority`, `payload.amount` and `payload.items.qty` are nearly all there is. Each has its own lines, as an engine learns by line what is read there.
    if (key === undefined) return (document) => {
      const value = root(document);
      return Array.isArray(value) ? end(value) : test(value);
    };
    if (second === undefined) return (document) => {
      const parent = root(document);
      if (Array.isArray(parent)) return through(parent);
      const value = isObject(parent) ? parent[key] : undefined;
      return Array.isArray(value) ? end(value) : test(value);
    };
    if (third !== undefined || startsWithDigit(second)) return general;
    return (document) => {
      const parent = root(document);
      if (Array.isArray(parent)) return through(parent);
      const list = isObject(parent) ? parent[key] : undefined;
      if (!Array.isArray(list)) {
        const value = isObject(list) ? list[second] : undefined;
        return Array.isArray(value) ? end(value) : test(value);
      }
      for (let i = 0; i < list.length; i++) {
        const element: unknown = list[i];
        if (!isObject(element) || Array.isArray(element)) continue;
        const value = element[second];
        if (Array.isArray(value) ? end(value) : test(value)) return true;
      }
      return false;
    };
  };
}

/** What the path leads to: an array also stands for its elements, if `each`. */
const ending = (test: Test, each: boolean): Test => (value) => (each && Array.isArray(value) && value.some(test)) || test(value);

/**
 * One segment of a path. As in MongoDB, an array on the way stands for its objects, and for the element that a number names; an array of scalars on
 * the way leads to nothing, not even to a missing field.
 * @param named takes the element that a number names: at the end of a path it is not opened further
 */
function step(key: string, read: Read, next: Test, named: Test): Test {
  const numbered = startsWithDigit(key);
  return (value) => {
    if (!Array.isArray(value)) return next(read(value, key));
    for (let i = 0; i < value.length; i++) {
      const element: unknown = value[i];
      if (isObject(element) && !Array.isArray(element) && next(read(element, key))) return true;
    }
    const element = numbered ? read(value, key) : undefined;
    return element !== undefined && (named !== next || isObject(element)) && named(element);
  };
}

/** Reads a property of an object, or an element of an array by its number. Nothing is read through a prototype, nor the length of anything. */
type Read = (value: unknown, key: string) => unknown;

const plain: Read = (value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined);
const own: Read = (value, key) => (typeof value === "object" && value !== null && Object.hasOwn(value, key) && (key !== "length" || !Array.isArray(value)) ? (value as Record<string, unknown>)[key] : undefined);

/** To ask whether a property is an object's own costs more than to read it, and only a path with a name that all objects or arrays have must. */
function readOf(path: readonly string[]): Read {
  return path.some((key) => key in Array.prototype) ? own : plain;
}

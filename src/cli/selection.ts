import { parseShortFilter, type SubscribeOptions } from "../index.ts";
import { usageError } from "./failure.ts";
import { parseJson } from "./json-text.ts";

type Filter = NonNullable<SubscribeOptions["filter"]>;

/** What of a log a command looks at. */
export interface Selection {
  readonly topics: readonly string[];
  readonly filter?: Filter;
}

/**
 * Patterns and `--filter`, which is JSON if it begins with a brace and else the short form. The short form may name types too, but not besides patterns: whether
 * that meant "and" or "or" nobody could tell.
 */
export function readSelection(patterns: readonly string[], text: string | undefined, command: string): Selection {
  if (text?.trimStart().startsWith("{")) {
    const filter = parseJson(text, { what: "--filter", hint: `as JSON it is written '{"payload.total": {"$gt": 100}}', in short payload.total:gt:100` }) as Filter;
    return { topics: topicsOf(patterns), filter };
  }
  const { topics, filter } = text === undefined ? { topics: undefined, filter: undefined } : parseShortFilter(text);
  if (topics !== undefined && patterns.length > 0) throw usageError("types are named twice, as PATTERN and in --filter type:…; name them once", command);
  return { topics: topicsOf(topics ?? patterns), ...(filter !== undefined && { filter }) };
}

function topicsOf(patterns: readonly string[]): readonly string[] {
  return patterns.length === 0 ? ["**"] : patterns;
}

/** A place in a log: a seq, or a time. */
export type Place = number | Date;

/** Where to begin: `now`, `start`, a seq, or a time. */
export function readFrom(text: string, command: string): "now" | "start" | Place {
  if (text === "now" || text === "start") return text;
  const place = placeOf(text);
  if (place !== undefined) return place;
  throw usageError(`--from is now, start, ${places}; got ${JSON.stringify(text)}`, command);
}

/** A place in what is there already; undefined if the flag is not given. */
export function readPlace(text: string | undefined, flag: "--from" | "--to" | "--before", command: string): Place | undefined {
  if (text === undefined) return undefined;
  const place = placeOf(text);
  if (place !== undefined) return place;
  throw usageError(`${flag} is ${places}; got ${JSON.stringify(text)}`, command);
}

/** From where to where. @throws ValidationError also if nothing can lie between. */
export function readPlaces({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }, command: string): { readonly from: Place | undefined; readonly to: Place | undefined } {
  const [first, last] = [readPlace(from, "--from", command), readPlace(to, "--to", command)];
  // A seq and a time have no order that is known here.
  if (first !== undefined && last !== undefined && typeof first === typeof last && first > last) throw usageError(`--from ${from} comes after --to ${to}; exchange them`, command);
  return { from: first, to: last };
}

const places = "a seq as 1042, or a time as 2024-01-01T12:00:00 (local) or 2024-01-01T12:00:00Z";

function placeOf(text: string): Place | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  // A day alone would be taken for UTC, a time without a zone for local.
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text.length === 10 ? `${text}T00:00` : text) : new Date(Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

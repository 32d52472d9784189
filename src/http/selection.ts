import { ValidationError } from "../core/errors.ts";
import type { From } from "../core/frames.ts";
import type { Filter } from "../core/filter.ts";
import { parseShortFilter } from "../core/short-filter.ts";

/** Which events a query asks for. */
export interface Selection { readonly topics: readonly string[]; readonly filter?: Filter }

/**
 * @param topics Patterns joined by commas.
 * @param filter The short form, or a filter as a JSON object.
 * @throws ValidationError
 */
export function readSelection({ topics, filter }: { topics?: string | undefined; filter?: string | undefined }): Selection {
  const named = topics?.split(",").map((pattern) => pattern.trim());
  if (filter === undefined || filter === "") return { topics: named ?? ["**"] };
  if (filter.trimStart().startsWith("{")) return { topics: named ?? ["**"], filter: readJson(filter) };
  const short = parseShortFilter(filter);
  if (named !== undefined && short.topics !== undefined) throw new ValidationError("ERR_QUERY", "topics and type: in the filter both name types; use one of them", { details: { path: "filter" } });
  return { topics: named ?? short.topics ?? ["**"], ...(short.filter && { filter: short.filter }) };
}

function readJson(text: string): Filter {
  try {
    return JSON.parse(text) as Filter;
  } catch (cause) {
    throw new ValidationError("ERR_FILTER", `the filter is not JSON: ${(cause as Error).message}; the short form is field:op:value`, { cause, details: { path: "filter" } });
  }
}

/** A position as it travels in ids and cursors: `epoch:seq`. */
export function readPosition(text: string): readonly [epoch: string, seq: number] | undefined {
  const [, epoch, seq] = /^([0-9A-Za-z]{1,64}):(\d{1,16})$/.exec(text) ?? [];
  return epoch === undefined || !Number.isSafeInteger(Number(seq)) ? undefined : [epoch, Number(seq)];
}

/** A seq or a time. @throws ValidationError */
export function readPlace(text: string, path: string): { readonly seq: number } | { readonly time: number } {
  if (/^\d{1,15}$/.test(text)) return { seq: Number(text) };
  // RFC 3339; in a query a "+" may have become a space.
  const time = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+ -]\d\d:\d\d)$/.test(text) ? Date.parse(text.replace(/ (\d\d:\d\d)$/, "+$1").replace(" ", "T")) : NaN;
  if (Number.isNaN(time)) throw new ValidationError("ERR_QUERY", `${path} must be a seq or a time such as 2026-11-23T10:00:00Z; got ${JSON.stringify(text.slice(0, 64))}`, { details: { path } });
  return { time };
}

/** Where a stream starts. @throws ValidationError */
export function readFrom(text: string, path: string): From {
  return text === "now" || text === "start" ? text : readPosition(text) ?? readPlace(text, path);
}

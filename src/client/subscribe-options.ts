import { ValidationError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Filter } from "../core/filter.ts";
import type { From, SubscribeSpec } from "../core/frames.ts";
import { check } from "./check-event.ts";
import { checkFunction, checkOptions, wholeNumber } from "./check-options.ts";
import type { Handler } from "./handle-events.ts";

export interface SubscribeOptions {
  /** Only events that pass, `{ "payload.amount": { $gt: 100 } }`; a RegExp may stand for `$regex`. The router decides, so nothing else travels. */
  readonly filter?: Filter;
  /** `"now"` (default), `"start"` of the log, a seq to begin with, or a time. */
  readonly from?: "now" | "start" | number | Date;
  /** Handlers that may run at once. With 1, the default, events are handled one after another, in order. */
  readonly concurrency?: number;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/** A whole subscription in one object. */
export interface SubscribeInit<E = RouterEvent> extends SubscribeOptions {
  readonly topics: string | readonly string[];
  readonly handler?: Handler<E>;
}

export interface ParsedSubscription {
  readonly spec: SubscribeSpec;
  readonly handler: Handler | undefined;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
}

const OPTIONS = "filter from concurrency signal durable! group! ackTimeout! retry! deadLetter! optimistic!";

/** @throws ValidationError for what no router would take, before anything is sent. */
export function parseSubscription({ topics, handler, ...options }: SubscribeInit<never>, what: string): ParsedSubscription {
  checkOptions(options, OPTIONS, what);
  if (handler !== undefined) checkFunction(handler, "handler");
  const { filter, from = "now", concurrency, signal } = options;
  return {
    spec: { topics: patternsOf(topics), ...(filter !== undefined && { filter: plain(filter) as Filter }), from: parseFrom(from) },
    handler: handler as Handler | undefined,
    concurrency: wholeNumber(concurrency, "concurrency", 1),
    signal,
  };
}

/** One pattern or several. @throws ValidationError `ERR_PATTERN`. */
export function patternsOf(topics: string | readonly string[]): readonly string[] {
  const patterns = Array.isArray(topics) && topics.length > 0 ? [...topics as string[]] : [topics as string];
  for (const pattern of patterns) check(pattern, "topics");
  return patterns;
}

function parseFrom(from: unknown): From {
  if (from === "now" || from === "start") return from;
  if (Number.isSafeInteger(from) && (from as number) >= 0) return { seq: from as number };
  if (from instanceof Date && from.getTime() >= 0) return { time: from.getTime() };
  throw new ValidationError("ERR_FROM", 'from must be "now", "start", a seq (0 or more) or a Date', { details: { path: "from" } });
}

/** A filter as JSON: each RegExp becomes `$regex` and `$options`. Flags that say only how to search again mean nothing here. */
function plain(value: unknown): unknown {
  if (value instanceof RegExp) return { $regex: value.source, $options: value.flags.replace(/[dgy]/g, "") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const { $regex, ...rest } = value as Record<string, unknown>;
  const entries = Object.entries(rest).map(([key, inner]) => [key, plain(inner)]);
  return { ...($regex instanceof RegExp ? (plain($regex) as object) : $regex !== undefined && { $regex }), ...Object.fromEntries(entries) };
}

/** The filter of `onPattern`: the router runs the expression, in time linear in a type's length. */
export function patternFilter(pattern: unknown, filter: Filter | undefined): Filter {
  if (!(pattern instanceof RegExp)) throw new ValidationError("ERR_PATTERN", 'onPattern takes a RegExp such as /^order\\.(created|updated)$/; for "order.*" use on()', { details: { path: "pattern" } });
  return filter === undefined ? { type: pattern } : { $and: [{ type: pattern }, filter] };
}

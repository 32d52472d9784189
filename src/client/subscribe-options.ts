import { milliseconds, type Duration } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Filter } from "../core/filter.ts";
import type { From, SubscribeSpec } from "../core/frames.ts";
import { checkPayload } from "./check-event.ts";
import { checkFunction, checkOptions, invalidOption, wholeNumber } from "./check-options.ts";
import type { ClientOutbox } from "./client-outbox.ts";
import type { ErrorHandlerOptions } from "./failure-options.ts";
import type { Handler } from "./handle-events.ts";
import type { HandlerContext } from "./handler-context.ts";
import type { Home } from "./home.ts";
import type { DurableOutbox } from "./offline/durable-outbox.ts";
import { patternsOf } from "./read-arguments.ts";
import { traced } from "./tracing.ts";

export interface SubscribeOptions {
  /** Only events that pass, `{ "payload.amount": { $gt: 100 } }`; a RegExp may stand for `$regex`. The router decides, so nothing else travels. */
  readonly filter?: Filter;
  /** `"now"` (default), `"start"` of the log, a seq to begin with, or a time. */
  readonly from?: "now" | "start" | number | Date;
  /** Handlers that may run at once. With 1, the default, events are handled one after another, in order. */
  readonly concurrency?: number;
  /** The router keeps the place under this name: whoever comes next with it goes on there, and `from` counts only for the first. One client at a time has it. */
  readonly durable?: string;
  /**
   * Shares the events with all subscriptions of this name and the same topics and filter: each goes to one of them, is acknowledged when its handler has
   * finished, and goes to another when it fails, dies or takes too long. Its place is kept as that of a durable one.
   */
  readonly group?: string;
  /** Of a group: how long a handler may take until the event goes to another, default 30 s. */
  readonly ackTimeout?: Duration;
  /** Of a group: how many events this member may have at once, default `concurrency`. More hides the way to the router, and less is shared fairly. */
  readonly maxInFlight?: number;
  /** Runs the handler again when it fails, as `errorHandler` does; events behind it wait. In a group others get it meanwhile (default 5 retries, then it is a dead letter). */
  readonly retry?: Omit<ErrorHandlerOptions, "deadLetterQueue">;
  /** What fails for good becomes a dead letter before the next event counts; without `retry`, after its default of tries. */
  readonly deadLetter?: boolean;
  /** Sees own events that wait in the outbox at once, as `pending`, and passes over the real ones of those. For a handler, with the client's `offline`. */
  readonly optimistic?: boolean;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/** A whole subscription in one object. */
export interface SubscribeInit<E = RouterEvent, Pattern extends string = string> extends SubscribeOptions {
  readonly topics: Pattern | readonly Pattern[];
  readonly handler?: Handler<E>;
}

/** What to ask the router for, and who handles what comes. */
export interface ParsedSubscription {
  readonly spec: SubscribeSpec;
  readonly handler: Handler | undefined;
  readonly concurrency: number;
}

/**
 * A subscription that says more than `plainSubscription` knows. Loaded with the first of them.
 * @throws ValidationError for what makes no sense to send; patterns and filters are the router's to judge.
 */
export async function parseSubscription(home: Home, init: SubscribeInit<never>, what: string, context: HandlerContext): Promise<ParsedSubscription> {
  const { topics, handler: given, pattern, ...options } = init as SubscribeInit<never> & { readonly pattern?: unknown };
  checkOptions(options, "filter from concurrency durable group ackTimeout maxInFlight retry deadLetter optimistic signal", what);
  if (given !== undefined) checkFunction(given, "handler");
  const { filter, from = "now", durable, group, ackTimeout, maxInFlight, retry, deadLetter, optimistic = false } = options;
  if (optimistic && (given === undefined || group !== undefined)) throw invalidOption("optimistic", "is for a subscription with a handler and without a group");
  const concurrency = wholeNumber(options.concurrency, "concurrency", 1);
  if (typeof (retry ?? {}) !== "object") throw invalidOption("retry", "must be an object, such as { maxRetries: 3 }");
  if (group === undefined && (ackTimeout ?? maxInFlight) !== undefined) throw invalidOption(ackTimeout === undefined ? "maxInFlight" : "ackTimeout", "is for a group");
  if (group !== undefined && deadLetter === false) throw invalidOption("deadLetter", "is always on in a group: what fails for good must not be lost");
  const onFailure = group !== undefined || (retry === undefined && deadLetter === undefined) ? undefined : { deadLetterQueue: deadLetter!, ...retry };
  if (onFailure !== undefined && given === undefined) throw invalidOption(retry === undefined ? "deadLetter" : "retry", "is for a subscription with a handler");
  const wanted = what === "onPattern" ? patternFilter(pattern, filter) : filter;
  const spec: SubscribeSpec = {
    topics: patternsOf(topics), filter: parseFilter(wanted)!, from: parseFrom(from), durable: durable!,
    ...(group !== undefined && { group, maxInFlight: wholeNumber(maxInFlight, "maxInFlight", concurrency), ackTimeout: milliseconds(ackTimeout ?? 30_000, "ackTimeout"), retry: groupRetry(retry) }),
  };
  // A vault that cannot be opened is told with the first hello.
  const vault = home.vault();
  if (wanted !== undefined && vault !== undefined) await (await vault.catch(() => undefined))?.prepareFilters();
  if (given === undefined) return { spec, handler: undefined, concurrency };
  let handler = given as Handler;
  if (onFailure !== undefined) handler = (await import("./retry.ts")).retry(home, onFailure)(handler);
  if (optimistic) {
    const room = await (home.outbox as ClientOutbox<DurableOutbox>).room();
    handler = await (await import("./offline/optimistic.ts")).optimistic({ handler, spec, concurrency, context, room, vault: await vault, name: home.options.name, report: home.report });
  }
  return { spec, handler: traced(handler), concurrency };
}

/** As the router reads it: a RegExp is written as `$regex`, and what cannot be written would spoil the message of the whole turn. */
function parseFilter(filter: Filter | undefined): Filter | undefined {
  if (filter === undefined) return undefined;
  if (typeof filter !== "object" || filter === null || Array.isArray(filter)) throw new ValidationError("ERR_FILTER", 'filter must be an object, such as { "payload.amount": { $gt: 100 } }', { details: { path: "filter" } });
  checkPayload(filter, "filter", "ERR_FILTER");
  return JSON.parse(JSON.stringify(filter, regExpAsFilter)) as Filter;
}

/** The router runs a group's retries, so it must know them; a function it cannot have. */
function groupRetry({ retryIf, delay, maxDelay, ...rest }: NonNullable<SubscribeOptions["retry"]> = {}): SubscribeSpec["retry"] {
  if (retryIf !== undefined) throw invalidOption("retry.retryIf", "cannot be known to a group's router; throw an error with nack = { final: true } for what must not be tried again");
  return { ...rest, ...(delay !== undefined && { delay: milliseconds(delay, "retry.delay") }), ...(maxDelay !== undefined && { maxDelay: milliseconds(maxDelay, "retry.maxDelay") }) };
}

function parseFrom(from: number | string | Date): From {
  if (from === "now" || from === "start") return from;
  if (from instanceof Date && from.getTime() >= 0) return { time: from.getTime() };
  if (Number.isSafeInteger(from) && (from as number) >= 0) return { seq: from as number };
  throw new ValidationError("ERR_FROM", 'from must be "now", "start", a seq or a Date', { details: { path: "from" } });
}

/** The filter of `onPattern`: the router runs the expression, in time linear in a type's length. */
function patternFilter(pattern: unknown, filter: Filter | undefined): Filter {
  if (!(pattern instanceof RegExp)) throw new ValidationError("ERR_PATTERN", 'onPattern() takes a RegExp; for "order.*" use on()', { details: { path: "pattern" } });
  return filter === undefined ? { type: pattern } : { $and: [{ type: pattern }, filter] };
}

/** A RegExp as a filter has it. Flags that only say how to search on mean nothing there. */
export function regExpAsFilter(_key: string, value: unknown): unknown {
  return value instanceof RegExp ? { $regex: value.source, $options: value.flags.replace(/[dgy]/g, "") } : value;
}

import { ValidationError } from "./errors.ts";
import type { Filter } from "./filter.ts";
import { count, optionalText, record } from "./frame-reader.ts";
import type { From } from "./frames.ts";
import type { GroupSettings } from "./fate.ts";
import type { Limits } from "./limits.ts";
import { defaultRetry, type RetryPolicy } from "./retry-policy.ts";

/** How a subscription's place is kept. */
export type Keeping =
  | { readonly as: "session" }
  | { readonly as: "durable"; readonly name: string }
  | { readonly as: "group"; readonly name: string; readonly maxInFlight: number; readonly settings: GroupSettings };

/** What a `sub` asks for besides its patterns, checked. */
export interface Subscribing {
  readonly filter: Filter | undefined;
  readonly from: From;
  readonly keeping: Keeping;
}

/** Ms a member has for an event by default, and at most. */
const ACK_TIMEOUT = 30_000;
const LONGEST = 24 * 60 * 60_000;

/** @throws ValidationError naming what is wrong. */
export function readSubscribing(spec: Readonly<Record<string, unknown>>, limits: Limits): Subscribing {
  return {
    filter: spec.filter === undefined ? undefined : (record(spec.filter, "filter") as Filter),
    from: readFrom(spec.from),
    keeping: readKeeping(spec, limits),
  };
}

function readKeeping({ durable, group, ackTimeout, maxInFlight, retry }: Readonly<Record<string, unknown>>, { windowEvents }: Limits): Keeping {
  if (durable !== undefined && group !== undefined) throw wrong("group", "is durable by itself; leave out durable");
  if (durable !== undefined) return { as: "durable", name: named(durable, "durable") };
  if (group === undefined) return { as: "session" };
  return {
    as: "group",
    name: named(group, "group"),
    maxInFlight: whole(maxInFlight, "maxInFlight", 1, 1, windowEvents),
    settings: { ackTimeout: whole(ackTimeout, "ackTimeout", ACK_TIMEOUT, 1, LONGEST), retry: readRetry(retry) },
  };
}

function readRetry(retry: unknown): RetryPolicy {
  if (retry === undefined) return defaultRetry;
  const { maxRetries, backoff = defaultRetry.backoff, delay, maxDelay } = record(retry, "retry");
  if (backoff !== "exponential" && backoff !== "fixed") throw wrong("retry.backoff", 'must be "exponential" or "fixed"');
  return {
    maxRetries: whole(maxRetries, "retry.maxRetries", defaultRetry.maxRetries, 0, 1_000),
    backoff,
    delay: whole(delay, "retry.delay", defaultRetry.delay, 0, LONGEST),
    maxDelay: whole(maxDelay, "retry.maxDelay", defaultRetry.maxDelay, 0, LONGEST),
  };
}

function readFrom(from: unknown): From {
  if (from === undefined || from === "now" || from === "start") return from ?? "now";
  if (Array.isArray(from)) return [optionalText(from[0], "from[0]") ?? "", count(from[1], "from[1]")];
  const { seq, time } = record(from, "from");
  if (seq !== undefined) return { seq: count(seq, "from.seq") };
  return { time: count(time, "from.time") };
}

export function named(value: unknown, path: string): string {
  if (typeof value !== "string" || !/^[\w.:@-]{1,128}$/.test(value)) throw wrong(path, "must be a name of 1 to 128 characters of A-Z a-z 0-9 _ . : @ -");
  return value;
}

function whole(value: unknown, path: string, fallback: number, least: number, most: number): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) throw wrong(path, `must be a whole number from ${least} to ${most}`);
  return value as number;
}

function wrong(path: string, message: string): ValidationError {
  return new ValidationError("ERR_SUBSCRIPTION", `${path} ${message}`, { details: { path } });
}

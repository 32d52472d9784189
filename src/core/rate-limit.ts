import { ConnectionError, EventRouterError, PublishError, SubscriptionError } from "./errors.ts";

/** So many a second, and so many at once after a pause; `burst` is by default what comes in a second. */
export interface Rate { readonly perSecond: number; readonly burst?: number | undefined }

/** How much each principal may do. Anonymous ones are told apart by address. What is left out has no limit. */
export interface RateLimits {
  /** Events published. */
  readonly publish?: Rate | undefined;
  readonly request?: Rate | undefined;
  /** Subscriptions and responders opened: a client that comes back opens all of its own at once. */
  readonly subscribe?: Rate | undefined;
  /** Questions to the router itself, newer credentials among them. */
  readonly call?: Rate | undefined;
  /** Sessions begun, by address and before anything is checked. */
  readonly connect?: Rate | undefined;
}

export type RateKind = keyof RateLimits;

/** Principals whose use is remembered. */
const MOST = 10_000;

const errors = { publish: PublishError, request: EventRouterError, subscribe: SubscriptionError, call: EventRouterError, connect: ConnectionError } as const;
const nouns = { publish: "events", request: "requests", subscribe: "subscriptions", call: "calls", connect: "sessions" } as const;

/** What somebody may still do, as of a time. May fall below zero: then it fills up first. */
interface Bucket { left: number; at: number }

/** Token buckets, one for each principal and what it does. */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = -Infinity;

  constructor(limits: RateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Whether there is a limit to this at all. */
  limits(kind: RateKind): boolean { return this.#limits[kind] !== undefined; }

  /** @throws a retryable error `ERR_RATE_LIMIT`, with `details.retryAfter` (ms), if it is too much; then nothing of it counts. */
  spend(kind: RateKind, who: string, count = 1): void {
    const rate = this.#limits[kind];
    if (rate === undefined || count === 0) return;
    const { perSecond, burst = perSecond } = rate;
    const now = this.#now();
    const key = `${kind} ${who}`;
    const bucket = this.#buckets.get(key) ?? this.#add(key, burst, now);
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) * perSecond) / 1_000);
    bucket.at = now;
    // More at once than a burst waits for a full bucket, and is paid off after.
    const needed = Math.min(count, burst);
    if (bucket.left < needed) {
      const retryAfter = Math.ceil(((needed - bucket.left) * 1_000) / perSecond);
      throw new errors[kind]("ERR_RATE_LIMIT", `${perSecond} ${nouns[kind]} a second are allowed here, ${burst} at once; go on after ${retryAfter} ms`, { retryable: true, details: { retryAfter } });
    }
    bucket.left -= count;
  }

  #add(key: string, burst: number, now: number): Bucket {
    if (this.#buckets.size >= MOST) this.#forget(now);
    const bucket = { left: burst, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Those that are full again are as good as none; failing that, the one that was there first. */
  #forget(now: number): void {
    if (now - this.#sweptAt >= 1_000) {
      this.#sweptAt = now;
      for (const [key, { left, at }] of this.#buckets) {
        const { perSecond, burst = perSecond } = this.#limits[key.slice(0, key.indexOf(" ")) as RateKind]!;
        if (left + ((now - at) * perSecond) / 1_000 >= burst) this.#buckets.delete(key);
      }
      if (this.#buckets.size < MOST) return;
    }
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

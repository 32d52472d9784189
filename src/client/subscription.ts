import { asyncDispose } from "../core/dispose.ts";
import { SubscriptionError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Gap } from "../core/frames.ts";
import { checkFunction, checkSignal } from "./check-options.ts";
import { Feed } from "./feed.ts";
import { patternsOf } from "./read-arguments.ts";
import type { Reporter } from "./reporter.ts";
import type { SubscribeInit } from "./subscribe-options.ts";

/** What a subscription needs of its client. */
interface SubscriptionHome {
  next(): number;
  leave(feed: Feed, reason: unknown): Promise<void>;
  readonly report: Reporter["report"];
}

/** Gaps kept for a listener to come. */
const MOST_UNTOLD = 16;

/**
 * A standing order for events, with a handler or as an async iterable.
 * @example
 * await using sub = await client.subscribe("test.*");
 * for await (const event of sub) console.log(event.type);
 */
export class Subscription<E extends RouterEvent = RouterEvent> implements AsyncIterable<E> {
  /** @internal */
  readonly feed: Feed;
  /** Aborts when it ends. @internal */
  readonly signal: AbortSignal;
  readonly #home: SubscriptionHome;
  readonly #ready = Promise.withResolvers<unknown>();
  readonly #handled: boolean;
  readonly #gapListeners = new Set<(gap: Gap) => void>();
  /** Told to the first listener: one that comes right behind `on` would be gone when `await subscribe()` returns. */
  readonly #untold: Gap[] = [];
  #left: Promise<void> | undefined;
  #began = false;
  /** Somebody learns of the end by a promise or an iterator. */
  #watched = false;

  /** @internal */
  constructor(home: SubscriptionHome, { topics, handler, signal }: SubscribeInit<never>) {
    checkSignal(signal);
    const { report } = home;
    this.#home = home;
    this.#handled = handler !== undefined;
    // Who does not ask for it is told otherwise.
    this.#ready.promise.catch(() => {});
    const abort = (): void => void this.#leave(signal!.reason);
    const ended = new AbortController();
    this.feed = new Feed(home.next(), patternsOf(topics), {
      began: () => {
        this.#began = true;
        this.#ready.resolve(this);
      },
      ended: (error) => {
        signal?.removeEventListener("abort", abort);
        ended.abort(error);
        this.#ready.reject(error ?? new SubscriptionError("ERR_UNSUBSCRIBED", "unsubscribed before the router had it"));
        if (error !== undefined && error !== signal?.reason && (!this.#watched || (this.#handled && this.#began))) report(error);
      },
      gap: (gap) => {
        if (this.#gapListeners.size === 0 && this.#untold.length < MOST_UNTOLD) this.#untold.push(gap);
        for (const listener of this.#gapListeners) {
          try {
            listener(gap);
          } catch (error) {
            report(error);
          }
        }
      },
    });
    this.signal = ended.signal;
    signal?.addEventListener("abort", abort, { once: true });
  }

  /** @internal */
  fail(error: unknown): void { void this.#leave(error); }

  /** Names it in the router's list of subscriptions, within this client's session. */
  get id(): number { return this.feed.id; }
  get topics(): readonly string[] { return this.feed.topics; }

  /** Resolves when the router has it: what is published from then on comes. @throws why the router refused it. */
  get ready(): Promise<this> {
    this.#watched = true;
    return this.#ready.promise as Promise<this>;
  }

  /** Tells of events that cannot be delivered any more: trimmed from the log, or of an earlier life of it. Returns how to stop listening. */
  onGap(listener: (gap: Gap) => void): () => void {
    checkFunction(listener, "listener");
    this.#gapListeners.add(listener);
    for (const gap of this.#untold.splice(0)) listener(gap);
    return () => void this.#gapListeners.delete(listener);
  }

  /** Ends it: no handler is started any more. Resolves when the router has let go of it. */
  unsubscribe(): Promise<void> {
    return this.#leave(undefined);
  }

  [asyncDispose](): Promise<void> {
    return this.#leave(undefined);
  }

  /** An event counts as done when the next is asked for, so a slow loop slows the router's sending and loses nothing. Leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined, void> {
    if (this.#handled) throw new SubscriptionError("ERR_ITERATOR", "to iterate, subscribe without a handler");
    this.#watched = true;
    return this.#iterate();
  }

  async *#iterate(): AsyncGenerator<E, undefined, void> {
    try {
      do {
        for (let event; (event = this.feed.take()) !== undefined; this.feed.finish(event)) yield event as E;
      } while (await this.feed.more());
      return undefined;
    } finally {
      await this.unsubscribe();
    }
  }

  #leave(reason: unknown): Promise<void> {
    return (this.#left ??= this.#home.leave(this.feed, reason));
  }
}

import { SubscriptionError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Consumer, Feed } from "./feed.ts";

interface Waiter { resolve(result: IteratorResult<RouterEvent, undefined>): void; reject(error: unknown): void }

/** The events of a feed for a `for await`: one counts as done when the next is asked for, so a slow loop slows the router and loses nothing. */
export class EventIterator implements Consumer, AsyncIterableIterator<RouterEvent, undefined, void> {
  readonly #feed: Feed;
  readonly #leave: () => Promise<void>;
  #current: RouterEvent | undefined;
  #waiter: Waiter | undefined;
  #end: { readonly error: unknown } | undefined;

  constructor(feed: Feed, leave: () => Promise<void>) {
    this.#feed = feed;
    this.#leave = leave;
  }

  next(): Promise<IteratorResult<RouterEvent, undefined>> {
    if (this.#waiter !== undefined) return Promise.reject(new SubscriptionError("ERR_ITERATOR", "next() was called before the last one was settled; await it, or use several subscriptions"));
    if (this.#current !== undefined) this.#feed.finish(this.#current);
    this.#current = this.#end === undefined ? this.#feed.take() : undefined;
    if (this.#current !== undefined) return Promise.resolve({ done: false, value: this.#current });
    if (this.#end !== undefined) return this.#finish(this.#end.error);
    return new Promise((resolve, reject) => (this.#waiter = { resolve, reject }));
  }

  /** `break` and `return`: takes the subscription back. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#current = undefined;
    await this.#leave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this { return this; }

  arrived(): void {
    if (this.#waiter === undefined) return;
    this.#current = this.#feed.take();
    if (this.#current !== undefined) this.#takeWaiter()?.resolve({ done: false, value: this.#current });
  }

  ended(error: unknown): void {
    this.#end = { error };
    const waiter = this.#takeWaiter();
    if (waiter !== undefined) this.#finish(error).then(waiter.resolve, waiter.reject);
  }

  /** Throws an error once, and is done from then on. */
  async #finish(error: unknown): Promise<IteratorReturnResult<undefined>> {
    this.#end = { error: undefined };
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }

  #takeWaiter(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }
}

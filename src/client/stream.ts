import { asyncDispose } from "../core/dispose.ts";
import type { Duration } from "../core/duration.ts";
import type { SubscribeOptions } from "./subscribe-options.ts";
import type { Subscription } from "./subscription.ts";

export interface StreamOptions extends Omit<SubscribeOptions, "concurrency"> {
  /** Gives arrays of up to so many events … */
  readonly batchSize?: number;
  /** … or what has come this long after the first of them; default: as soon as there is one, with what is there. */
  readonly timeout?: Duration;
}

/**
 * Events, or arrays of them, as they are asked for. A slow reader slows the router's sending and loses nothing.
 * @example
 * for await (const event of client.stream("sensor.*")) console.log(event.payload);
 */
export class Stream<T> implements AsyncIterable<T> {
  readonly #subscription: Subscription;
  readonly #iterate: () => AsyncIterableIterator<T, undefined, void>;

  /** @internal */
  constructor(subscription: Subscription, iterate: () => AsyncIterableIterator<T, undefined, void>) {
    this.#subscription = subscription;
    this.#iterate = iterate;
  }

  /** Resolves when the router has the subscription. */
  get ready(): Promise<unknown> { return this.#subscription.ready; }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined, void> { return this.#iterate(); }

  /** Ends it, also for who waits for its next. Leaving the loop does so too. */
  unsubscribe(): Promise<void> { return this.#subscription.unsubscribe(); }

  [asyncDispose](): Promise<void> { return this.unsubscribe(); }

  /** As a web stream: events are taken as the reader pulls, cancelling unsubscribes. */
  toReadableStream(): ReadableStream<T> {
    const iterator = this.#iterate();
    return new ReadableStream<T>({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => this.unsubscribe(),
    }, { highWaterMark: 0 });
  }
}

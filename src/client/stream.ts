import type { Clock } from "../core/clock.ts";
import { milliseconds, type Duration } from "../core/duration.ts";
import type { RouterEvent } from "../core/event.ts";
import { wholeNumber } from "./check-options.ts";
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
  readonly #iterate: () => AsyncIterator<T, undefined>;

  private constructor(subscription: Subscription, iterate: () => AsyncIterator<T, undefined>) {
    this.#subscription = subscription;
    this.#iterate = iterate;
  }

  static of<E extends RouterEvent>(subscription: Subscription<E>): Stream<E> {
    return new Stream<E>(subscription as Subscription, () => subscription[Symbol.asyncIterator]());
  }

  static batched<E extends RouterEvent>(subscription: Subscription<E>, { batchSize, timeout }: StreamOptions, clock: Clock): Stream<E[]> {
    const size = wholeNumber(batchSize, "batchSize", Infinity);
    const wait = milliseconds(timeout ?? 0, "timeout");
    return new Stream<E[]>(subscription as Subscription, async function* () {
      const { batches } = await import("./batches.ts");
      yield* batches(subscription[Symbol.asyncIterator](), size, wait, clock);
      return undefined;
    });
  }

  /** Resolves when the router has the subscription. */
  get ready(): Promise<unknown> { return this.#subscription.ready; }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> { return this.#iterate(); }

  /** As a web stream: events are taken as the reader pulls, cancelling unsubscribes. */
  toReadableStream(): ReadableStream<T> {
    const iterator = this.#iterate();
    return new ReadableStream<T>({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() { await iterator.return?.(); },
    }, { highWaterMark: 0 });
  }
}

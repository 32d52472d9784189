import { asyncDispose } from "../core/dispose.ts";
import type { RouterEvent } from "../core/event.ts";
import type { EventWindow, WindowSource } from "./window-options.ts";

/**
 * Windows as they are complete: all of them from the first event's on, in order, also those without events. Time is that of the events; when none come it
 * goes on by the clock, once the router has said that there are none.
 * @example
 * for await (const window of client.window("metrics.*", { size: "1m", slide: "30s" })) console.log(window.start, window.length);
 */
export class WindowStream<E extends RouterEvent = RouterEvent> implements AsyncIterable<EventWindow<E>> {
  /** Events that came after all their windows were given, and are in none. */
  late = 0;
  readonly #source: WindowSource<E>;

  /** @internal */
  constructor(source: WindowSource<E>) {
    this.#source = source;
  }

  /** Resolves when the router has the subscription. */
  get ready(): Promise<unknown> { return this.#source.stream.ready; }

  async *[Symbol.asyncIterator](): AsyncGenerator<EventWindow<E>, undefined, void> {
    const { windows } = await import("./window.ts");
    return yield* windows(this.#source, () => void this.late++);
  }

  /** Ends it, also for who waits for the next window. Leaving the loop does so too. */
  unsubscribe(): Promise<void> { return this.#source.stream.unsubscribe(); }

  [asyncDispose](): Promise<void> { return this.unsubscribe(); }
}

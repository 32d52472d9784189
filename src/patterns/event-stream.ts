import type { Handler } from "../client/handle-events.ts";
import { optionsAndHandler, type Tail } from "../client/read-arguments.ts";
import type { Receipt } from "../client/receipt.ts";
import type { SubscribeOptions } from "../client/subscribe-options.ts";
import type { Subscription } from "../client/subscription.ts";
import type { RouterEvent } from "../core/event.ts";
import type { AppendAllOptions, AppendInit, AppendOptions, FoldOptions, OnAppendOptions, ReadStreamOptions, StreamHome } from "./event-stream-options.ts";

const work = () => import("./event-stream-work.ts");

/**
 * The events of one thing, an order say, in one namespace's log: each has a version, from 0 without holes.
 * @example
 * const stream = client.eventStream("order-123");
 * await stream.append("order.created", { total: 9 }, { expectedVersion: "no-stream" });
 * for (const event of await stream.read()) console.log(event.version, event.type);
 */
export class EventStream<E extends RouterEvent = RouterEvent> implements AsyncIterable<E> {
  readonly #home: StreamHome;

  /** @internal */
  constructor(home: StreamHome) {
    this.#home = home;
  }

  get name(): string { return this.#home.stream; }

  /** Resolves when the event is stored, with its version. @throws ConflictError `ERR_STREAM_VERSION` if the stream is elsewhere than expected: nothing is stored. */
  append(type: string, payload?: unknown, options?: AppendOptions): Promise<Receipt>;
  /** Appends several, all or none. */
  append(events: readonly AppendInit[], options?: AppendAllOptions): Promise<Receipt[]>;
  async append(...said: [string | readonly AppendInit[], unknown?, AppendOptions?]): Promise<Receipt | Receipt[]> {
    return (await work()).append(this.#home, ...said);
  }

  /** Events of now, in either direction; of a long stream iterate instead. What was trimmed from the log, or may not be read, is left out. */
  async read(options?: ReadStreamOptions): Promise<E[]> {
    return (await work()).readAll(this.#home, options) as Promise<E[]>;
  }

  /** The same, page by page as they are asked for. */
  async *events(options?: ReadStreamOptions): AsyncGenerator<E, undefined, void> {
    return yield* (await work()).read(this.#home, options) as AsyncGenerator<E, undefined, void>;
  }

  /** All events of now, from the first. */
  [Symbol.asyncIterator](): AsyncGenerator<E, undefined, void> { return this.events(); }

  /** Subscribes to what is appended; the options are those of `on`. */
  onAppend(handler: Handler<E>): Subscription;
  onAppend(options: OnAppendOptions, handler: Handler<E>): Subscription;
  onAppend(...tail: Tail): Subscription {
    const [{ topics = "**", filter, ...options }, handler] = optionsAndHandler(tail) as [OnAppendOptions, Handler];
    const own = { stream: this.name };
    return this.#home.client.on(topics, { ...options, filter: filter === undefined ? own : { $and: [own, filter] } } as SubscribeOptions, handler);
  }

  /**
   * What the events come to: `reduce` is called for each, in order. Resolves with the last state.
   * @throws EventRouterError `ERR_STREAM_INCOMPLETE` if events are missing that no snapshot stands for.
   */
  async fold<State>(reduce: (state: State, event: E) => State | Promise<State>, initial: State, options?: FoldOptions): Promise<State> {
    return (await work()).fold(this.#home, reduce as (state: State, event: RouterEvent) => State, initial, options);
  }
}

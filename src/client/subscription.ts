import { asyncDispose } from "../core/dispose.ts";
import { SubscriptionError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Gap, SubscribeSpec } from "../core/frames.ts";
import type { Feed } from "./feed.ts";
import { handleEvents, type Handler } from "./handle-events.ts";
import { EventIterator } from "./iterate-events.ts";
import { Ready } from "./ready.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Where nobody ever listens for gaps, none are gathered for ever. */
const MOST_UNTOLD = 16;

export interface SubscriptionOptions {
  readonly spec: SubscribeSpec;
  readonly handler: Handler | undefined;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  report(error: unknown, event?: RouterEvent): void;
}

/**
 * A standing order for events, with a handler or as an async iterable.
 * @example
 * await using sub = await client.subscribe("test.*");
 * for await (const event of sub) console.log(event.type);
 */
export class Subscription<E extends RouterEvent = RouterEvent> implements AsyncIterable<E> {
  readonly #feed: Feed;
  readonly #ready: Ready<this>;
  readonly #subscriptions: Subscriptions;
  readonly #handled: boolean;
  readonly #report: SubscriptionOptions["report"];
  readonly #signal: AbortSignal | undefined;
  readonly #gaps = new Set<(gap: Gap) => void>();
  /** Gaps from before anyone listened: who awaits `subscribe()` cannot listen before the first events are there. */
  readonly #untoldGaps: Gap[] = [];
  #iterator: EventIterator | undefined;
  #state: { readonly state: "open" } | { readonly state: "ended"; readonly error?: unknown; readonly left?: Promise<void> } = { state: "open" };

  constructor(subscriptions: Subscriptions, { spec, handler, concurrency, signal, report }: SubscriptionOptions) {
    signal?.throwIfAborted();
    this.#subscriptions = subscriptions;
    this.#handled = handler !== undefined;
    this.#report = report;
    this.#signal = signal;
    this.#ready = new Ready<this>();
    this.#feed = subscriptions.open(spec, { ready: () => this.#ready.resolve(this), ended: (error) => this.#end(error), leave: () => this.unsubscribe() });
    this.#feed.onGap = (gap) => this.#tellGap(gap);
    if (handler !== undefined) this.#feed.consumer = handleEvents(this.#feed, handler, concurrency, report);
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** Names it in the router's list of subscriptions, within this client's session. */
  get id(): number { return this.#feed.id; }
  get topics(): readonly string[] { return this.#feed.topics; }

  /** Resolves when the router has it: what is published from then on comes. @throws why the router refused it. */
  get ready(): Promise<this> { return this.#ready.promise; }

  /** Tells of events that cannot be delivered any more: trimmed from the log, or of an earlier life of it. Returns how to stop listening. */
  onGap(listener: (gap: Gap) => void): () => void {
    this.#gaps.add(listener);
    for (const gap of this.#untoldGaps.splice(0)) this.#tellGap(gap);
    return () => void this.#gaps.delete(listener);
  }

  /** Ends it: no handler is started any more. Resolves when the router has let go of it. */
  async unsubscribe(): Promise<void> {
    if (this.#state.state === "open") this.#leave(undefined);
    if (this.#state.state === "ended") await this.#state.left;
  }

  async [asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined, void> {
    if (this.#handled) throw new SubscriptionError("ERR_ITERATOR", "this subscription gives its events to a handler; to iterate, subscribe without one");
    if (this.#iterator === undefined) {
      this.#feed.consumer = this.#iterator = new EventIterator(this.#feed, () => this.unsubscribe());
      if (this.#state.state === "ended") this.#iterator.ended(this.#state.error);
    }
    return this.#iterator as unknown as AsyncIterableIterator<E, undefined, void>;
  }

  readonly #abort = (): void => this.#leave(this.#signal!.reason);

  #leave(reason: unknown): void {
    if (this.#state.state === "ended") return;
    const left = this.#subscriptions.close(this.#feed);
    this.#over({ state: "ended", error: reason, left });
  }

  /** The router, or the lack of one, has ended it: whoever waits for it is told, else everyone who listens for failures. */
  #end(error: unknown): void {
    if (this.#state.state === "ended") return;
    this.#over({ state: "ended", error });
    if (!this.#ready.asked && this.#iterator === undefined) this.#report(error);
    else if (this.#handled && this.#ready.settled) this.#report(error);
  }

  #over(state: { readonly state: "ended"; readonly error?: unknown; readonly left?: Promise<void> }): void {
    this.#state = state;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#feed.end(state.error);
    this.#ready.reject(state.error ?? new SubscriptionError("ERR_UNSUBSCRIBED", "the subscription was taken back before the router had it"));
  }

  #tellGap(gap: Gap): void {
    if (this.#gaps.size === 0 && this.#untoldGaps.length < MOST_UNTOLD) this.#untoldGaps.push(gap);
    for (const listener of this.#gaps) {
      try {
        listener(gap);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}

import type { RouterEvent } from "../core/event.ts";
import type { Gap, SubscribeSpec, WireLimits } from "../core/frames.ts";
import type { HandlerContext } from "./handler-context.ts";

/** Whom a feed is for. */
export interface FeedOwner {
  /** The router has it. */
  began(): void;
  /** It is over; undefined: as asked. */
  ended(error: unknown): void;
  gap(gap: Gap): void;
}

/** What comes to a feed besides the events that have their place in its window, and goes first; see `Jobs`. */
export interface SideQueue {
  /** Tokens of what was started and is not done. */
  readonly running: readonly number[];
  take(): RouterEvent | undefined;
  /** What the handler of one of these may know. */
  contextOf(event: RouterEvent, context: HandlerContext): HandlerContext;
  /** Says whether it was one of these. */
  finish(event: RouterEvent): boolean;
  /** The same of one whose handler failed: then the failure is the router's. */
  fail(event: RouterEvent, error: unknown): boolean;
  /** Nothing more is started. */
  end(): void;
  cut(): void;
}

/**
 * Stands between what arrives and what is started, and is asked at both times: whether it is started (what is not is the gate's to finish), or
 * undefined if that is not known yet, and then `changed` is called when it is.
 */
export type Gate = (event: RouterEvent, arrives?: true) => boolean | undefined;

/**
 * What arrives for one subscription, and how far it is done. Events are started in the order of the log; `low` is the seq up to which all are done:
 * from there the router goes on after a cut, and what was started above it is recognised when it comes again (P2).
 * Its memory is bounded by the window: no more comes than is acknowledged.
 */
export class Feed {
  readonly id: number;
  readonly owner: FeedOwner;
  readonly topics: readonly string[];
  /** There may be something to take, or nothing more will come. */
  changed: () => void = () => {};
  /** An event is done, whose acknowledgement may be due. */
  progressed: (feed: Feed) => void = () => {};
  gate: Gate | undefined;
  side: SideQueue | undefined;
  /** What was asked for; undefined until that is known. */
  asked: SubscribeSpec | undefined;
  /** Set when nothing more is started. */
  over: { readonly error: unknown } | undefined;
  /** The seq up to which everything is done. */
  low = 0;
  unackedEvents = 0;
  unackedSize = 0;
  /** Encrypts why a handler failed. */
  conceal: ((event: RouterEvent, reason: string) => Promise<string>) | undefined;
  #epoch: string | undefined;
  /** Last seq that was taken in, or is known not to come. */
  #high = 0;
  /** Not yet done, in order; those before `next` were started, those before `head` are done. */
  readonly #events: RouterEvent[] = [];
  readonly #sizes: number[] = [];
  #head = 0;
  #next = 0;
  readonly #doneAhead = new Set<RouterEvent>();
  #mostWaiting = 0;

  constructor(id: number, topics: readonly string[], owner: FeedOwner) {
    this.id = id;
    this.topics = topics;
    this.owner = owner;
  }

  /** What to ask the router for, now. */
  get spec(): SubscribeSpec {
    return this.#epoch === undefined ? this.asked! : { ...this.asked!, from: [this.#epoch, this.low] };
  }

  /** The router has it, and starts behind this position. */
  begin(epoch: string, seq: number, { windowEvents }: WireLimits): void {
    this.#mostWaiting = windowEvents;
    if (epoch !== this.#epoch) {
      // Another life of the log: its seqs mean other events.
      this.#forget();
      this.#epoch = epoch;
      this.low = this.#high = seq;
    }
    this.owner.began();
  }

  /** The router cannot deliver these: it goes on behind them. */
  gap(gap: Gap): void {
    if (gap.epoch === this.#epoch && gap.to !== null) {
      this.#high = Math.max(this.#high, gap.to);
      this.#tidy();
    }
    this.owner.gap(gap);
  }

  deliver(event: RouterEvent, size: number): void {
    const { seq } = event;
    if (seq === 0) {
      // Ephemeral events have no window, and may be dropped.
      if (this.#events.length - this.#next >= this.#mostWaiting) return;
    } else if (seq <= this.#high) {
      // A repeat after a cut; what is done already still takes room in the router's new window.
      if (seq <= this.low) this.#count(size);
      return;
    } else this.#high = seq;
    this.#events.push(event);
    this.#sizes.push(size);
    this.gate?.(event, true);
  }

  /** Whether the router takes it from here: then the failure is not for anybody else. */
  fail(event: RouterEvent, error: unknown): boolean {
    if (this.side?.fail(event, error)) return true;
    this.finish(event);
    return false;
  }

  /** Starts the next event, if there is one. */
  take(): RouterEvent | undefined {
    const first = this.side?.take();
    if (first !== undefined) return first;
    while (this.#next < this.#events.length) {
      const event = this.#events[this.#next++]!;
      const admitted = this.gate === undefined || this.gate(event);
      if (admitted) return event;
      if (admitted === undefined) {
        this.#next--;
        break;
      }
    }
    return undefined;
  }

  /** Resolves when there may be something to take; says whether the feed goes on. @throws what ended it. */
  async more(): Promise<boolean> {
    if (this.over === undefined) await new Promise<void>((resolve) => (this.changed = resolve));
    if (this.over?.error !== undefined) throw this.over.error;
    return this.over === undefined;
  }

  /** A started event is done. */
  finish(event: RouterEvent): void {
    if (this.side?.finish(event)) return;
    if (event !== this.#events[this.#head]) {
      // Of an older epoch, if it is not there at all.
      if (this.#events.includes(event)) this.#doneAhead.add(event);
      return;
    }
    let done: RouterEvent | undefined = event;
    do {
      if (done.seq > 0) this.low = done.seq;
      this.#count(this.#sizes[this.#head]!);
      done = this.#events[++this.#head];
    } while (done !== undefined && this.#doneAhead.delete(done));
    this.#tidy();
  }

  /** What was not started will come again. */
  cut(): void {
    this.side?.cut();
    this.#events.length = this.#sizes.length = this.#next;
    this.#high = this.low;
    for (let i = this.#head; i < this.#next; i++) this.#high = Math.max(this.#high, this.#events[i]!.seq);
    this.unackedEvents = this.unackedSize = 0;
    this.#tidy();
  }

  /** Nothing more is started. */
  end(error: unknown): void {
    if (this.over !== undefined) return;
    this.over = { error };
    this.#events.length = this.#next;
    this.side?.end();
    this.changed();
    this.owner.ended(error);
  }

  #count(size: number): void {
    this.unackedEvents++;
    this.unackedSize += size;
    this.progressed(this);
  }

  #tidy(): void {
    if (this.#head === this.#events.length) {
      // What was let go when it ended is not done, and comes to whoever goes on under its name.
      if (this.over === undefined) this.low = this.#high;
      this.#forget();
    } else if (this.#head > 512) {
      this.#events.splice(0, this.#head);
      this.#sizes.splice(0, this.#head);
      this.#next -= this.#head;
      this.#head = 0;
    }
  }

  #forget(): void {
    this.#events.length = this.#sizes.length = this.#head = this.#next = 0;
    this.#doneAhead.clear();
  }
}

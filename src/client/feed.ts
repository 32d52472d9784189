import type { RouterEvent } from "../core/event.ts";
import type { From, Gap, SubscribeSpec, WireLimits } from "../core/frames.ts";

/** Takes the events of a feed, at its own pace. */
export interface Consumer {
  /** There may be something to take. */
  arrived(): void;
  /** Nothing more will come; undefined: as the consumer's side asked. */
  ended(error: unknown): void;
}

/**
 * What arrives for one subscription, and how far it is done. Events are started in the order of the log; `low` is the seq up to which all are done:
 * from there the router goes on after a cut, and what was started above it is recognised when it comes again (P2).
 * Its memory is bounded by the window: no more comes than is acknowledged.
 */
export class Feed {
  readonly id: number;
  readonly topics: readonly string[];
  readonly #filter: SubscribeSpec["filter"];
  readonly #due: () => void;
  readonly #changed: (feed: Feed) => void;
  consumer: Consumer | undefined;
  onGap: ((gap: Gap) => void) | undefined;
  /** Where it starts, until the router has said where it is. */
  #from: From;
  #epoch: string | undefined;
  #low = 0;
  /** Last seq that was taken in, or is known not to come. */
  #high = 0;
  /** Not yet done or not yet counted as done, in order; those before `next` were started, those before `head` are done. */
  readonly #events: RouterEvent[] = [];
  readonly #sizes: number[] = [];
  #head = 0;
  #next = 0;
  readonly #doneAhead = new Set<RouterEvent>();
  #unackedEvents = 0;
  #unackedSize = 0;
  #ackEvents = 1;
  #ackSize = 1;
  #mostWaiting = Infinity;
  #ended = false;

  /** @param hooks.due an ack should leave. @param hooks.changed there is something to acknowledge. */
  constructor(id: number, { topics, filter, from = "now" }: SubscribeSpec, hooks: { due(): void; changed(feed: Feed): void }) {
    this.id = id;
    this.topics = topics;
    this.#filter = filter;
    this.#from = from;
    this.#due = hooks.due;
    this.#changed = hooks.changed;
  }

  /** What to ask the router for, now. */
  get spec(): SubscribeSpec {
    return { topics: this.topics, ...(this.#filter !== undefined && { filter: this.#filter }), from: this.#epoch === undefined ? this.#from : [this.#epoch, this.#low] };
  }

  /** The seq up to which everything is done. */
  get low(): number { return this.#low; }

  /** The router has it, and starts behind this position. */
  begin(epoch: string, seq: number, { windowEvents, windowSize, payload }: WireLimits): void {
    this.#ackEvents = Math.max(1, windowEvents >> 2);
    // Never so late that a large payload could wait for room that only an ack makes.
    this.#ackSize = Math.max(1, Math.min(windowSize >> 2, windowSize - 2 * payload));
    this.#mostWaiting = windowEvents;
    if (epoch === this.#epoch) return;
    // Another life of the log: its seqs mean other events.
    if (this.#epoch !== undefined) this.#forgetSeqs();
    this.#epoch = epoch;
    this.#low = this.#high = seq;
  }

  /** The router cannot deliver these: it goes on behind them. */
  gap(gap: Gap): void {
    if (gap.epoch === this.#epoch && gap.to !== null) this.#pass(gap.to);
    this.onGap?.(gap);
  }

  deliver(event: RouterEvent, size: number): void {
    if (this.#ended) return;
    const { seq } = event;
    if (seq === 0) {
      // Ephemeral events have no window, and may be dropped.
      if (this.#events.length - this.#next >= this.#mostWaiting) return;
    } else if (seq <= this.#high) {
      // A repeat after a cut; what is done already still takes room in the router's new window.
      if (seq <= this.#low) this.#count(size);
      return;
    } else this.#high = seq;
    this.#events.push(event);
    this.#sizes.push(size);
  }

  /** Starts the next event, if there is one. */
  take(): RouterEvent | undefined {
    return this.#events[this.#next] === undefined ? undefined : this.#events[this.#next++];
  }

  /** A started event is done. */
  finish(event: RouterEvent): void {
    if (event !== this.#events[this.#head]) {
      // Of an older epoch, if it is not there at all.
      if (this.#events.includes(event)) this.#doneAhead.add(event);
      return;
    }
    let done: RouterEvent | undefined = event;
    do {
      if (done.seq > 0) this.#low = done.seq;
      this.#count(this.#sizes[this.#head]!);
      done = this.#events[++this.#head];
    } while (done !== undefined && this.#doneAhead.delete(done));
    this.#tidy();
  }

  /** What was not started will come again. */
  cut(): void {
    this.#events.length = this.#sizes.length = this.#next;
    let last = this.#low;
    for (let i = this.#head; i < this.#next; i++) last = Math.max(last, this.#events[i]!.seq);
    this.#high = last;
    this.#unackedEvents = this.#unackedSize = 0;
    this.#tidy();
  }

  /** The low-water mark has been told. */
  acked(): void {
    this.#unackedEvents = this.#unackedSize = 0;
  }

  /** Nothing more is started. */
  end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.length = this.#next;
    this.consumer?.ended(error);
  }

  #pass(seq: number): void {
    if (seq > this.#high) this.#high = seq;
    if (this.#head === this.#events.length) this.#low = this.#high;
  }

  #count(size: number): void {
    if (this.#unackedEvents++ === 0) this.#changed(this);
    this.#unackedSize += size;
    if (this.#unackedEvents >= this.#ackEvents || this.#unackedSize >= this.#ackSize) this.#due();
  }

  #tidy(): void {
    if (this.#head === this.#events.length) {
      this.#low = Math.max(this.#low, this.#high);
      this.#events.length = this.#sizes.length = this.#head = this.#next = 0;
    } else if (this.#head > 512) {
      this.#events.splice(0, this.#head);
      this.#sizes.splice(0, this.#head);
      this.#next -= this.#head;
      this.#head = 0;
    }
  }

  #forgetSeqs(): void {
    this.#events.length = this.#sizes.length = this.#head = this.#next = 0;
    this.#doneAhead.clear();
  }
}

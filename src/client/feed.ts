import type { RouterEvent } from "../core/event.ts";
import type { Gap, SubscribeSpec, WireLimits } from "../core/frames.ts";

/** Whom a feed is for. */
export interface FeedOwner {
  /** The router has it. */
  began(): void;
  /** It is over; undefined: as asked. */
  ended(error: unknown): void;
  gap(gap: Gap): void;
}

/** A delivery that is settled by itself, under a token of its own: of a group, or of a dead letter that is tried again. */
export interface Job { readonly token: number; readonly attempt: number }

/** In place of a size: the event is a job, and has no place in the window. */
const JOB = -1;

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
  gate: Gate | undefined;
  /** Set when nothing more is started. */
  over: { readonly error: unknown } | undefined;
  /** The seq up to which everything is done. */
  low = 0;
  unackedEvents = 0;
  unackedSize = 0;
  /** Encrypts why a handler failed. */
  conceal: ((event: RouterEvent, reason: string) => Promise<string>) | undefined;
  /** Frames that settle jobs, to be sent. */
  settled: string[] = [];
  readonly #asked: SubscribeSpec;
  readonly #progressed: (feed: Feed) => void;
  #epoch: string | undefined;
  /** Last seq that was taken in, or is known not to come. */
  #high = 0;
  /** Not yet done, in order; those before `next` were started, those before `head` are done. */
  readonly #events: RouterEvent[] = [];
  readonly #sizes: number[] = [];
  #head = 0;
  #next = 0;
  readonly #doneAhead = new Set<RouterEvent>();
  readonly #jobs = new Map<RouterEvent, Job>();
  #mostWaiting = 0;
  #cuts = 0;

  constructor(id: number, spec: SubscribeSpec, owner: FeedOwner, progressed: (feed: Feed) => void) {
    this.id = id;
    this.topics = spec.topics;
    this.owner = owner;
    this.#asked = spec;
    this.#progressed = progressed;
  }

  /** What to ask the router for, now. */
  get spec(): SubscribeSpec {
    return this.#epoch === undefined ? this.#asked : { ...this.#asked, from: [this.#epoch, this.low] };
  }

  /** Its place is kept by the router, so that the next process depends on what was acknowledged. */
  get kept(): boolean { return this.#asked.durable !== undefined; }

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

  deliverJob(event: RouterEvent, job: Job): void {
    this.#jobs.set(event, job);
    this.#events.push(event);
    this.#sizes.push(JOB);
    this.gate?.(event, true);
  }

  /** Jobs whose handlers run. */
  get running(): number[] {
    return this.#events.slice(this.#head, this.#next).flatMap((event) => this.#jobs.get(event)?.token ?? []);
  }

  jobOf(event: RouterEvent): Job | undefined { return this.#jobs.get(event); }

  /** Whether the router takes it from here: then the failure is not for anybody else. */
  fail(event: RouterEvent, error: unknown): boolean {
    const job = this.#jobs.get(event);
    if (job !== undefined) {
      const cuts = this.#cuts;
      const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
      const nack = (reason: string): void => {
        // A token means something in its own session alone.
        if (cuts === this.#cuts) this.#settle(event, JSON.stringify(["nack", this.id, job.token, { error: { name, message: reason }, ...(error as { nack?: object } | null)?.nack }]));
      };
      this.#jobs.delete(event);
      if (this.conceal === undefined) nack(message);
      else this.conceal(event, message).then(nack, () => nack("the reason could not be encrypted"));
    }
    this.finish(event);
    return job !== undefined;
  }

  /** Starts the next event, if there is one. */
  take(): RouterEvent | undefined {
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
    const job = this.#jobs.get(event);
    if (job !== undefined) this.#settle(event, `["done",${this.id},${job.token}]`);
    if (event !== this.#events[this.#head]) {
      // Of an older epoch, if it is not there at all.
      if (this.#events.includes(event)) this.#doneAhead.add(event);
      return;
    }
    let done: RouterEvent | undefined = event;
    do {
      const size = this.#sizes[this.#head]!;
      // A job stands for itself, wherever it is in the log.
      if (size !== JOB) {
        if (done.seq > 0) this.low = done.seq;
        this.#count(size);
      }
      done = this.#events[++this.#head];
    } while (done !== undefined && this.#doneAhead.delete(done));
    this.#tidy();
  }

  /** What was not started will come again. */
  cut(): void {
    // What a session gave is given anew by the next.
    this.#cuts++;
    this.#jobs.clear();
    this.settled = [];
    this.#events.length = this.#sizes.length = this.#next;
    this.#high = this.low;
    for (let i = this.#head; i < this.#next; i++) if (this.#sizes[i] !== JOB) this.#high = Math.max(this.#high, this.#events[i]!.seq);
    this.unackedEvents = this.unackedSize = 0;
    this.#tidy();
  }

  /** Nothing more is started. */
  end(error: unknown): void {
    if (this.over !== undefined) return;
    this.over = { error };
    this.#events.length = this.#next;
    this.changed();
    this.owner.ended(error);
  }

  #settle(event: RouterEvent, frame: string): void {
    this.#jobs.delete(event);
    this.settled.push(frame);
    this.#progressed(this);
  }

  #count(size: number): void {
    this.unackedEvents++;
    this.unackedSize += size;
    this.#progressed(this);
  }

  #tidy(): void {
    if (this.#head === this.#events.length) {
      this.low = this.#high;
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

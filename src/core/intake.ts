import type { LogEvent } from "./log-event.ts";
import type { Log } from "./store.ts";
import type { Tail } from "./tail.ts";

const PAGE = { events: 256, size: 512 * 1024 };
/** Milliseconds until a page that could not be read is asked for again. */
const AGAIN = 1_000;

/** What it needs of its namespace. */
export interface IntakeHome {
  readonly log: Log;
  readonly tail: Tail;
  now(): number;
  wakeBy(time: number): void;
  failed(error: unknown): void;
}

/** Who takes events in. */
export interface Taker {
  /** Whether there is room for another page. */
  hasRoom(): boolean;
  take(event: LogEvent): void;
  /** The log no longer has what was between. */
  gone(from: number, to: number): void;
  /** The place has moved on: a page, or a gap, has been taken in whole. */
  moved(): void;
}

/** A group's place in the log: it moves on page by page, as long as there is room for what comes next. */
export class Intake {
  readonly #home: IntakeHome;
  readonly #taker: Taker;
  #after: number;
  #reading = false;
  /** When the log is to be read again after a failure. */
  #again: number | null = null;

  constructor(after: number, home: IntakeHome, taker: Taker) {
    this.#after = after;
    this.#home = home;
    this.#taker = taker;
  }

  /** Everything up to here has been looked at. */
  get after(): number { return this.#after; }
  get again(): number | null { return this.#again; }

  async fill(): Promise<void> {
    if (this.#reading) return;
    const { log, tail } = this.#home;
    try {
      while (this.#after < log.head && this.#taker.hasRoom()) {
        const after = this.#after;
        let page = tail.after(after, PAGE.events);
        if (page === undefined) {
          this.#reading = true;
          page = await log.read(after, PAGE);
          this.#reading = false;
        }
        if (page.length > 0) this.#take(page);
        // All that it has not looked at may be gone.
        else if (log.first > after + 1) this.#passOver(log.first - 1);
        else break;
        this.#taker.moved();
      }
    } catch (error) {
      this.#reading = false;
      this.#home.failed(error);
      this.#again = this.#home.now() + AGAIN;
      this.#home.wakeBy(this.#again);
    }
  }

  /** Whether it is time to try again after a failure. */
  tick(now: number): boolean {
    if (this.#again === null || now < this.#again) return false;
    this.#again = null;
    return true;
  }

  #take(page: readonly LogEvent[]): void {
    const first = page[0]!.seq;
    if (first > this.#after + 1) this.#passOver(first - 1);
    for (const event of page) {
      this.#after = event.seq;
      this.#taker.take(event);
    }
  }

  #passOver(to: number): void {
    const from = this.#after + 1;
    this.#after = to;
    this.#taker.gone(from, to);
  }
}

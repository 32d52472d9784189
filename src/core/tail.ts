import type { PageLimit } from "./store.ts";
import type { LogEvent } from "./log-event.ts";

/** The newest events of a log, in memory: a reader that is only a little behind costs the store nothing. Bounded by number and size. */
export class Tail {
  readonly #limit: PageLimit;
  #events: LogEvent[] = [];
  /** Index of the oldest event still kept; the array is cut when half of it is waste. */
  #start = 0;
  #size = 0;

  constructor(limit: PageLimit) {
    this.#limit = limit;
  }

  push(events: readonly LogEvent[]): void {
    const first = events[0];
    const last = this.#events.at(-1);
    if (first !== undefined && last !== undefined && first.seq !== last.seq + 1) this.clear();
    for (const event of events) {
      this.#events.push(event);
      this.#size += event.size;
    }
    while (this.#events.length - this.#start > this.#limit.events || (this.#size > this.#limit.size && this.#start < this.#events.length)) {
      this.#size -= this.#events[this.#start++]!.size;
    }
    if (this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** The events above a seq, up to a number; undefined if the tail does not reach back so far. */
  after(seq: number, count: number): readonly LogEvent[] | undefined {
    const oldest = this.#events[this.#start];
    if (oldest === undefined || seq < oldest.seq - 1) return undefined;
    const from = this.#start + (seq - oldest.seq + 1);
    return this.#events.slice(from, from + count);
  }

  clear(): void {
    this.#events = [];
    this.#start = 0;
    this.#size = 0;
  }
}

import type { LogEvent } from "./log-event.ts";

/** An event that a group has not finished. */
export interface Entry {
  readonly event: LogEvent;
  /** Deliveries so far. */
  attempts: number;
}

/** What waits for a member: the most urgent first, in the order of the log among equals. */
export class Waiting<E extends Entry = Entry> {
  /** By priority, each in the order of seqs from `#starts` on. */
  readonly #queues: E[][] = Array.from({ length: 10 }, () => []);
  readonly #starts = new Int32Array(10);
  #count = 0;

  get count(): number { return this.#count; }

  add(entry: E): void {
    const queue = this.#queues[entry.event.priority]!;
    const start = this.#starts[entry.event.priority]!;
    // New events come in order; only what is given again goes before others.
    let at = queue.length;
    while (at > start && queue[at - 1]!.event.seq > entry.event.seq) at--;
    queue.splice(at, 0, entry);
    this.#count++;
  }

  /** Takes the first that may be taken, out of those at the front: what may not must hold up as few as can be. */
  take(may: (entry: E) => boolean): E | undefined {
    for (let priority = 9; priority >= 0; priority--) {
      const queue = this.#queues[priority]!;
      const start = this.#starts[priority]!;
      for (let at = start; at < queue.length; at++) {
        const entry = queue[at]!;
        if (!may(entry)) continue;
        if (at === start) this.#advance(priority);
        else queue.splice(at, 1);
        this.#count--;
        return entry;
      }
    }
    return undefined;
  }

  *[Symbol.iterator](): Iterator<E> {
    for (const [priority, queue] of this.#queues.entries()) for (let at = this.#starts[priority]!; at < queue.length; at++) yield queue[at]!;
  }

  #advance(priority: number): void {
    const queue = this.#queues[priority]!;
    const start = ++this.#starts[priority]!;
    if (start < 64 || start * 2 < queue.length) return;
    queue.splice(0, start);
    this.#starts[priority] = 0;
  }
}

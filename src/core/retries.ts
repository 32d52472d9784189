import { Deadlines } from "./deadlines.ts";

/** Things that wait for another try, soonest first. */
export class Retries<T> implements Iterable<T> {
  readonly #deadlines = new Deadlines<T>();
  readonly #waiting = new Set<T>();

  get size(): number { return this.#waiting.size; }
  get next(): number | null { return this.#deadlines.next; }
  [Symbol.iterator](): Iterator<T> { return this.#waiting.values(); }

  add(at: number, item: T): void {
    this.#waiting.add(item);
    this.#deadlines.add(at, item);
  }

  /** Takes the soonest that is due; undefined if none is. */
  take(now: number): T | undefined {
    const item = this.#deadlines.take(now);
    if (item !== undefined) this.#waiting.delete(item);
    return item;
  }
}

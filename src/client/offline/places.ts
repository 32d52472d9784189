import type { Log } from "../../core/store.ts";

/** Which places of an outbox's log are settled: all up to one, and some behind it. */
export class Places {
  readonly #log: () => Log;
  #low = 0;
  readonly #ahead = new Set<number>();

  constructor(log: () => Log) {
    this.#log = log;
  }

  /** How many wait. What was trimmed, by whichever tab, is settled. */
  get waiting(): number {
    const { first, head } = this.#log();
    if (first - 1 > this.#low) {
      this.#low = first - 1;
      for (const seq of this.#ahead) if (seq <= this.#low) this.#ahead.delete(seq);
    }
    while (this.#ahead.delete(this.#low + 1)) this.#low++;
    return Math.max(0, head - this.#low - this.#ahead.size);
  }

  settled(seq: number): boolean { return seq <= this.#low || this.#ahead.has(seq); }

  mark(from: number, to: number): void {
    for (let seq = from; seq <= to; seq++) if (seq > this.#low) this.#ahead.add(seq);
  }

  /** The log is another one. */
  clear(): void {
    this.#low = 0;
    this.#ahead.clear();
  }
}

import type { Clock } from "../../src/core/clock.ts";

/** A clock that is moved by hand. */
export class TestClock implements Clock {
  #now: number;
  #wrong = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  /** Timers that were set and not called off. */
  get timers(): number { return this.#timers.length; }

  now(): number { return this.#now + this.#wrong; }

  /** Sets it to another time, as people and time servers do. What was asked for rings when it would have rung. */
  set(now: number): void {
    this.#wrong = now - this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => { this.#timers = this.#timers.filter((one) => one !== timer); };
  }

  /** Lets time pass, timers ring in order, and what they cause settle. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything happen that waits for no timer. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

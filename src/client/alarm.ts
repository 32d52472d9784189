import type { Clock } from "../core/clock.ts";

/** One timer for many deadlines: armed for the soonest, off while nothing waits. Whoever rings early is only asked again. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  #at = Infinity;
  #cancel: (() => void) | undefined;

  /** @param ring does what is due and says when the next is, `Infinity` if nothing waits. */
  constructor(clock: Clock, ring: (now: number) => number) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Something is due at this time; a sooner one stays. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#at = Infinity;
      this.#cancel = undefined;
      this.set(this.#ring(this.#clock.now()));
    });
  }

  off(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Infinity;
  }
}

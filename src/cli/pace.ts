import { setTimeout as delay } from "node:timers/promises";

/** The longest that a timer can wait. */
const LONGEST = 2 ** 31 - 1;

/**
 * Milliseconds to wait before an event that came `behind` ms after the first, `elapsed` ms after the first was given out, at so many times the speed it had.
 * Counted from the first event and not from the last: what one event is late does not make the next ones late too.
 */
export function waitFor(behind: number, elapsed: number, speed: number): number {
  return Math.max(behind / speed - elapsed, 0);
}

/** Waits so that events come as far apart as they did, or `speed` times as fast. */
export class Pace {
  readonly #speed: number;
  readonly #signal: AbortSignal;
  #first: { readonly event: number; readonly at: number } | undefined;

  /** @param speed Infinity: no waiting at all. */
  constructor(speed: number, signal: AbortSignal) {
    this.#speed = speed;
    this.#signal = signal;
  }

  /** Resolves when an event of this time is due. @throws why it is interrupted. */
  async due(time: number): Promise<void> {
    this.#first ??= { event: time, at: performance.now() };
    for (;;) {
      const wait = waitFor(time - this.#first.event, performance.now() - this.#first.at, this.#speed);
      if (wait === 0) return;
      await delay(Math.min(wait, LONGEST), undefined, { signal: this.#signal }).catch(() => {});
      this.#signal.throwIfAborted();
    }
  }
}

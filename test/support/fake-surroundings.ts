import type { Surroundings } from "../../src/core/clock.ts";

/** Deterministic random numbers (mulberry32): the same seed gives the same run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A host for a router whose clock is moved by hand, whose randomness is seeded and whose turns are run one by one. */
export class FakeSurroundings implements Surroundings {
  time = Date.UTC(2026, 0, 1);
  /** When the router wants to be woken. */
  wake: number | null = null;
  readonly #random: () => number;
  #queue: (() => void)[] = [];

  constructor(seed = 1) {
    this.#random = seeded(seed);
  }

  readonly now = (): number => this.time;
  readonly randomBytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => Math.floor(this.#random() * 256));
  readonly defer = (callback: () => void): void => void this.#queue.push(callback);
  readonly wakeAt = (time: number | null): void => void (this.wake = time);

  /** Callbacks that wait for the end of the turn. */
  get waiting(): number { return this.#queue.length; }

  /** Ends the turn: runs what waits now, not what that asks for. Returns how many ran. */
  turn(): number {
    const queue = this.#queue;
    this.#queue = [];
    for (const callback of queue) callback();
    return queue.length;
  }

  /** Runs turns until nothing is left to do. */
  async settle(): Promise<void> {
    do await allMicrotasks();
    while (this.turn() > 0);
  }
}

/** Resolves when all promises that can go on have gone on. */
export function allMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

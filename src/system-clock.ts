import type { Clock } from "./core/clock.ts";

/** setTimeout counts in 32 bits; who waits longer is asked again. */
const LONGEST = 2 ** 31 - 1;

/** Time as it is. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST));
    return () => clearTimeout(timer);
  },
};

import type { Clock } from "./clock.ts";

/** How to come back after a connection that was lost, or not made. */
export interface ComeBackOptions {
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  /** Whether at all. */
  readonly enabled: boolean;
  /** Attempts in a row. */
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "fixed";
  /** ms */
  readonly minDelay: number;
  /** ms */
  readonly maxDelay: number;
}

/** What holds where nothing else is said. */
export const COMES_BACK: Omit<ComeBackOptions, "clock" | "random"> = { enabled: true, maxAttempts: Infinity, backoff: "exponential", minDelay: 250, maxDelay: 30_000 };

export interface ComeBack {
  /** An attempt has failed: another is made when it is time. False: no more are made. */
  failed(): boolean;
  /** Makes an attempt after so many ms, in place of what was to come. @param first it counts as the first in a row */
  again(delay: number): void;
  /** The next failure is the first in a row. */
  good(): void;
  stop(): void;
}

/** Attempts in a row, and the waiting between them, which can be called off. Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
export function comeBack({ clock, random, enabled, maxAttempts, backoff, minDelay, maxDelay }: ComeBackOptions, attempt: () => void): ComeBack {
  let failures = 0;
  let stop = (): void => {};
  const wait = (delay: number): void => {
    stop();
    stop = clock.after(delay, attempt);
  };
  return {
    failed() {
      const more = enabled && failures < maxAttempts;
      if (more) wait(backoff === "fixed" ? minDelay : random() * Math.min(maxDelay, minDelay * 2 ** failures));
      failures++;
      return more;
    },
    again(delay) {
      failures = 0;
      wait(delay);
    },
    good() { failures = 0; },
    stop() { stop(); },
  };
}

/** How often, and after what waiting, a failed event is tried again. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly maxRetries: number;
  readonly backoff: "exponential" | "fixed";
  /** Milliseconds before the second try, and at most. */
  readonly delay: number;
  readonly maxDelay: number;
}

export const defaultRetry: RetryPolicy = { maxRetries: 5, backoff: "exponential", delay: 100, maxDelay: 30_000 };

/** Milliseconds to wait after so many tries. */
export function retryDelay({ backoff, delay, maxDelay }: RetryPolicy, tries: number): number {
  return Math.min(maxDelay, backoff === "fixed" ? delay : delay * 2 ** (tries - 1));
}

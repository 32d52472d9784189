import type { Failure } from "./failure.ts";
import type { Settlement } from "./jobs.ts";
import { retryDelay, type RetryPolicy } from "./retry-policy.ts";

export interface GroupSettings {
  /** Milliseconds a member has for one event. */
  readonly ackTimeout: number;
  readonly retry: RetryPolicy;
}

/** What becomes of an event whose delivery has ended. */
export type Fate =
  | { readonly state: "finished" }
  /** To another member, at once or at a time. */
  | { readonly state: "again"; readonly at?: number }
  | { readonly state: "dead"; readonly error: Failure };

/** Lost deliveries (a member died, or hung) beyond the retries: what kills its handlers must end somewhere. */
const MORE_LOST = 5;

/** @param attempts deliveries so far */
export function fateOf(settlement: Settlement, attempts: number, { retry, ackTimeout }: GroupSettings, now: number): Fate {
  switch (settlement.state) {
    case "done": return { state: "finished" };
    case "failed": {
      const { error, final, delay } = settlement;
      if (final === true || attempts > retry.maxRetries) return { state: "dead", error };
      return { state: "again", at: now + (delay ?? retryDelay(retry, attempts)) };
    }
    case "lost": {
      if (attempts <= retry.maxRetries + MORE_LOST) return { state: "again" };
      const message = settlement.reason === "left" ? "the member that had it left before it acknowledged" : `it was not acknowledged within ${ackTimeout} ms`;
      return { state: "dead", error: { name: "TimeoutError", message } };
    }
  }
}

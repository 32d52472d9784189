import { AuthenticationError } from "./errors.ts";
import type { Owner } from "./reader.ts";

/** ms between two looks at all sessions: so much later than its credential a session may end. */
const EVERY = 1_000;

/** Ends sessions whose credential has run out and was not renewed. */
export class Expiry {
  readonly #times = new Map<Owner, number>();
  #next: number | null = null;

  /** The session's credential is good until then, ms since 1970; undefined: for ever. Returns when `tick` is wanted. */
  set(session: Owner, at: number | undefined): number | null {
    if (at === undefined) this.#times.delete(session);
    else {
      this.#times.set(session, at);
      if (this.#next === null || at < this.#next) this.#next = at;
    }
    return this.#next;
  }

  forget(session: Owner): void {
    this.#times.delete(session);
  }

  /** Ends what is due; returns when to come again, null if nothing can run out. */
  tick(now: number): number | null {
    if (this.#next === null || now < this.#next) return this.#next;
    let next = Infinity;
    for (const [session, at] of this.#times) {
      if (at > now) next = Math.min(next, at);
      else {
        this.#times.delete(session);
        // To come back is worth it: a client that can ask for a new token then does. The old one is refused for good.
        session.end(new AuthenticationError("ERR_EXPIRED", "the credential has run out; connect again with a new one", { retryable: true, details: { retryAfter: 0 } }));
      }
    }
    this.#next = this.#times.size === 0 ? null : Math.max(next, now + EVERY);
    return this.#next;
  }
}

import { AuthenticationError, EventRouterError } from "./errors.ts";
import { randomText } from "./event-id.ts";
import type { Principal } from "./policy.ts";

/** ms for which a ticket is good. */
export const TICKET_TIME = 30_000;
/** Tickets that may be out at a time: bounds memory, whoever asks. */
const MOST = 10_000;

interface Ticket { readonly principal: Principal; readonly namespace: string; readonly until: number }

/**
 * Stand-ins for a credential where only a URL can be given, as in a browser's `EventSource`: each opens one session, within 30 s, in one namespace. So what
 * a log or a browser's history keeps of the URL is worth nothing.
 */
export class Tickets {
  readonly #now: () => number;
  readonly #randomBytes: (count: number) => Uint8Array;
  /** In the order of their issue. */
  readonly #out = new Map<string, Ticket>();

  constructor(surroundings: { now(): number; randomBytes(count: number): Uint8Array }) {
    this.#now = surroundings.now;
    this.#randomBytes = surroundings.randomBytes;
  }

  issue(principal: Principal, namespace: string): string {
    const now = this.#now();
    for (const [text, { until }] of this.#out) {
      if (until > now) break;
      this.#out.delete(text);
    }
    if (this.#out.size >= MOST) throw new EventRouterError("ERR_BUSY", "too many tickets are out; ask again in half a minute", { retryable: true, details: { retryAfter: TICKET_TIME } });
    const text = randomText(32, this.#randomBytes);
    this.#out.set(text, { principal, namespace, until: now + TICKET_TIME });
    return text;
  }

  /** @throws AuthenticationError if there is none, it is used, too old, or for another namespace. */
  redeem(text: string, namespace: string): Principal {
    const ticket = this.#out.get(text);
    this.#out.delete(text);
    if (ticket === undefined || ticket.until <= this.#now() || ticket.namespace !== namespace) throw new AuthenticationError("ERR_TICKET", "this ticket is not good: each opens one session, within 30 s, in the namespace that it was asked for in; get another from POST /api/v1/tickets");
    return ticket.principal;
  }
}

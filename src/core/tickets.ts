import { AuthenticationError, EventRouterError } from "./errors.ts";
import { randomText } from "./event-id.ts";
import type { Principal, SavedPrincipal } from "./policy.ts";
import { savePrincipal } from "./save.ts";

/** ms for which a ticket is good. */
export const TICKET_TIME = 30_000;
/** Tickets that may be out at a time: bounds memory, whoever asks. */
const MOST = 10_000;

interface Ticket { readonly principal: Principal; readonly namespace: string; readonly until: number }

/** A ticket as JSON. */
export interface SavedTicket { readonly principal: SavedPrincipal; readonly namespace: string; readonly until: number }

/** Where a host that is put to sleep, or is one of several that take the same tickets, keeps those that are out. */
export interface TicketShelf {
  keep(text: string, ticket: SavedTicket): void | Promise<void>;
  /** It is there no more. */
  take(text: string): SavedTicket | undefined | Promise<SavedTicket | undefined>;
}

/**
 * Stand-ins for a credential where only a URL can be given, as in a browser's `EventSource`: each opens one session, within 30 s, in one namespace. So what
 * a log or a browser's history keeps of the URL is worth nothing.
 */
export class Tickets {
  readonly #now: () => number;
  readonly #randomBytes: (count: number) => Uint8Array;
  readonly #shelf: TicketShelf | undefined;
  /** In the order of their issue. */
  readonly #out = new Map<string, Ticket>();

  constructor(options: { now(): number; randomBytes(count: number): Uint8Array; readonly shelf?: TicketShelf | undefined }) {
    this.#now = options.now;
    this.#randomBytes = options.randomBytes;
    this.#shelf = options.shelf;
  }

  async issue(principal: Principal, namespace: string): Promise<string> {
    const now = this.#now();
    for (const [text, { until }] of this.#out) {
      if (until > now) break;
      this.#out.delete(text);
    }
    if (this.#out.size >= MOST) throw new EventRouterError("ERR_BUSY", "too many tickets are out; ask again in half a minute", { retryable: true, details: { retryAfter: TICKET_TIME } });
    const text = randomText(32, this.#randomBytes);
    const until = now + TICKET_TIME;
    this.#out.set(text, { principal, namespace, until });
    await this.#shelf?.keep(text, { principal: savePrincipal(principal), namespace, until });
    return text;
  }

  /** Whose it is. @throws AuthenticationError if there is none, it is used, too old, or for another namespace. */
  async redeem(text: string, namespace: string): Promise<Principal | SavedPrincipal> {
    const kept = await this.#shelf?.take(text);
    const ticket = this.#out.get(text) ?? kept;
    this.#out.delete(text);
    if (ticket === undefined || ticket.until <= this.#now() || ticket.namespace !== namespace) throw new AuthenticationError("ERR_TICKET", "this ticket is not good: each opens one session, within 30 s, in the namespace that it was asked for in; get another from POST /api/v1/tickets");
    return ticket.principal;
  }
}

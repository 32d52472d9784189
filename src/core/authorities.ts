import { asError, AuthenticationError, ConnectionError, PermissionError } from "./errors.ts";
import type { Authority } from "./authority.ts";
import { Expiry } from "./expiry.ts";
import type { Credential, Welcome } from "./frames.ts";
import type { OpenSession } from "./open-session.ts";
import { everything, type Caller, type Policy, type Principal, type SavedPrincipal } from "./policy.ts";
import { RateLimiter, type RateLimits } from "./rate-limit.ts";
import type { Session } from "./session.ts";
import { Tickets, type TicketShelf } from "./tickets.ts";

/** The policy of a router at work: lets in, renews, revokes, and ends what has run out. */
export class Authorities {
  readonly #policy: Policy;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #failed: (error: unknown) => void;
  readonly #sessions = new Map<Session, OpenSession>();
  readonly #expiry = new Expiry();
  readonly #limiter: RateLimiter;
  readonly #tickets: Tickets;
  readonly #unwatch: (() => void) | undefined;

  constructor(options: { policy: Policy; rates: RateLimits; readonly shelf: TicketShelf | undefined; now(): number; randomBytes(count: number): Uint8Array; wakeBy(time: number): void; failed(error: unknown): void }) {
    this.#policy = options.policy;
    this.#now = options.now;
    this.#limiter = new RateLimiter(options.rates, options.now);
    this.#tickets = new Tickets(options);
    this.#wakeBy = options.wakeBy;
    this.#failed = options.failed;
    this.#unwatch = this.#policy.watch?.((subject) => this.review(subject));
  }

  /** @param name what the client calls itself */
  async admit(credential: Credential | undefined, namespace: string, caller: Caller, name: string | undefined): Promise<Principal> {
    if (caller.address !== undefined) this.#limiter.spend("connect", caller.address);
    if (caller.ticket === undefined) return this.#checked(await this.#policy.authenticate(credential, namespace, caller), name);
    const holder = await this.#tickets.redeem(caller.ticket, namespace);
    const principal = "rights" in holder ? this.reviewed(holder, namespace) : await this.restore(holder, namespace);
    return this.#checked({ ...principal, ticketed: 1 }, name);
  }

  #checked(principal: Principal, name: string | undefined): Principal {
    if (principal.name !== undefined && name !== undefined && name !== principal.name) throw new PermissionError("ERR_NAME_FIXED", `this credential is for the client "${principal.name}"; leave out the name, or use that one`);
    if (principal.expiresAt !== undefined && principal.expiresAt <= this.#now()) throw new AuthenticationError("ERR_EXPIRED", "the credential has run out; use a newer one");
    return principal;
  }

  /** The authority over one session. */
  of(session: Session, namespace: string, { subject }: Principal, { ticket: _spent, ...caller }: Caller, id: string, name: string | undefined): Authority {
    const who = JSON.stringify(subject === undefined ? [caller.address ?? id] : ["", subject]);
    return {
      spend: (kind, count) => this.#limiter.spend(kind, who, count),
      ticket: async (principal) => {
        if (principal.ticketed) throw new PermissionError("ERR_TICKET", "a session that a ticket opened gets no other; ask for it with the credential itself");
        return this.#tickets.issue(principal, namespace);
      },
      renew: async (credential, before) => {
        const principal = this.#checked(await this.#policy.authenticate(credential, namespace, caller), name);
        if (principal.subject !== before.subject) throw new AuthenticationError("ERR_SUBJECT", "the credential is of somebody else; connect anew to change who you are");
        this.#expires(session, principal);
        return principal;
      },
      standing: (principal) => this.standing(principal),
    };
  }

  /** The session is open: from now on it is reviewed, and ends with its credential. */
  began(session: Session, opened: OpenSession): void {
    this.#sessions.set(session, opened);
    this.#expires(session, opened.principal);
  }

  #expires(session: Session, { expiresAt }: Principal): void {
    const due = this.#expiry.set(session, expiresAt);
    if (due !== null) this.#wakeBy(due);
  }

  standing({ permissions, expiresAt }: Principal): Pick<Welcome, "permissions" | "expiresIn"> {
    return { ...(permissions !== undefined && { permissions }), ...(expiresAt !== undefined && { expiresIn: Math.max(0, expiresAt - this.#now()) }) };
  }

  /** Asks again what the principals of a subject, or all, may do, and has it hold at once. */
  review(subject?: string): void {
    for (const [session, opened] of this.#sessions) {
      if (subject !== undefined && opened.principal.subject !== subject) continue;
      try {
        opened.become(this.reviewed(opened.principal, opened.namespace.name));
        this.#expires(session, opened.principal);
      } catch (thrown) {
        session.end(asError(thrown, (cause) => {
          this.#failed(cause);
          return new ConnectionError("ERR_INTERNAL", "the router could not tell what this client may do; see its log", { cause, retryable: true });
        }));
      }
    }
  }

  /** @throws AuthenticationError, PermissionError if it would not be let in any more. */
  reviewed(principal: Principal, namespace: string): Principal {
    if (this.#policy.review === undefined) return principal;
    const reviewed = this.#policy.review(principal, namespace);
    return principal.ticketed ? { ...reviewed, ticketed: 1 } : reviewed;
  }

  /**
   * The principal of a session that slept.
   * @throws ConnectionError if the policy cannot tell; AuthenticationError, PermissionError if it would not be let in any more.
   */
  async restore({ everything: all, ...saved }: SavedPrincipal, namespace: string): Promise<Principal> {
    if (all !== 1 && this.#policy.restore === undefined) throw new ConnectionError("ERR_ASLEEP", "what this client may do is not known any more; connect again", { retryable: true, details: { retryAfter: 100 } });
    return this.reviewed(all === 1 ? { ...saved, rights: everything } : await this.#policy.restore!(saved, namespace), namespace);
  }

  /**
   * The principal of a session that another router has let in.
   * @throws ConnectionError if the policy cannot tell; AuthenticationError, PermissionError if it would not be let in here.
   */
  async vouched({ everything: all, ...saved }: SavedPrincipal, namespace: string): Promise<Principal> {
    if (all !== 1 && this.#policy.restore === undefined) throw new ConnectionError("ERR_VOUCH", "what this client may do is not known to the router that leads this namespace; a policy of several routers needs restore()");
    return this.reviewed(all === 1 ? { ...saved, rights: everything } : await this.#policy.restore!(saved, namespace), namespace);
  }

  left(session: Session): void {
    this.#sessions.delete(session);
    this.#expiry.forget(session);
  }

  tick(now: number): number | null { return this.#expiry.tick(now); }

  close(): void {
    this.#unwatch?.();
  }
}

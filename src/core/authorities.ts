import { asError, AuthenticationError, ConnectionError, PermissionError } from "./errors.ts";
import type { Authority, Subject } from "./authority.ts";
import { Expiry } from "./expiry.ts";
import type { Credential, Welcome } from "./frames.ts";
import { everything, type Caller, type Policy, type Principal, type SavedPrincipal } from "./policy.ts";
import { RateLimiter, type RateKind, type RateLimits } from "./rate-limit.ts";
import type { Owner } from "./reader.ts";
import type { Session } from "./session.ts";
import { Tickets, type TicketShelf } from "./tickets.ts";

/** The policy of a router at work: lets in, renews, revokes, and ends what has run out. */
export class Authorities implements Authority {
  readonly #policy: Policy;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #failed: (error: unknown) => void;
  readonly #sessions: Iterable<Session>;
  readonly #expiry = new Expiry();
  readonly #limiter: RateLimiter;
  readonly #tickets: Tickets;
  readonly #unwatch: (() => void) | undefined;

  /** @param options.sessions all there are, open or not */
  constructor(options: { policy: Policy; sessions: Iterable<Session>; rates: RateLimits; readonly shelf: TicketShelf | undefined; now(): number; randomBytes(count: number): Uint8Array; wakeBy(time: number): void; failed(error: unknown): void }) {
    this.#policy = options.policy;
    this.#sessions = options.sessions;
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

  spend({ reader, principal: { subject } }: Subject, kind: RateKind, count: number): void {
    if (!this.#limiter.limits(kind)) return;
    this.#limiter.spend(kind, subject === undefined ? `anonymous ${reader.owner.caller.address ?? reader.session}` : `subject ${subject}`, count);
  }

  async ticket({ principal, namespace }: Subject): Promise<string> {
    if (principal.ticketed) throw new PermissionError("ERR_TICKET", "a session that a ticket opened gets no other; ask for it with the credential itself");
    return this.#tickets.issue(principal, namespace.name);
  }

  async renew({ reader: { owner, name }, principal: { subject }, namespace }: Subject, credential: Credential): Promise<Principal> {
    // What let it in is spent.
    const { ticket: _spent, ...caller } = owner.caller;
    const principal = this.#checked(await this.#policy.authenticate(credential, namespace.name, caller), name);
    if (principal.subject !== subject) throw new AuthenticationError("ERR_SUBJECT", "the credential is of somebody else; connect anew to change who you are");
    this.#expires(owner, principal);
    return principal;
  }

  /** The session is open: from now on it ends with its credential. */
  began(session: Owner, principal: Principal): void {
    this.#expires(session, principal);
  }

  #expires(session: Owner, { expiresAt }: Principal): void {
    const due = this.#expiry.set(session, expiresAt);
    if (due !== null) this.#wakeBy(due);
  }

  standing({ permissions, expiresAt }: Principal): Pick<Welcome, "permissions" | "expiresIn"> {
    return { ...(permissions !== undefined && { permissions }), ...(expiresAt !== undefined && { expiresIn: Math.max(0, expiresAt - this.#now()) }) };
  }

  /** Asks again what the principals of a subject, or all, may do, and has it hold at once. */
  review(subject?: string): void {
    for (const session of this.#sessions) {
      const { opened } = session;
      if (opened === undefined) continue;
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

  left(session: Owner): void {
    this.#expiry.forget(session);
  }

  tick(now: number): number | null { return this.#expiry.tick(now); }

  close(): void {
    this.#unwatch?.();
  }
}

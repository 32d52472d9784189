import { asError, AuthenticationError, ConnectionError, PermissionError } from "./errors.ts";
import type { Authority } from "./authority.ts";
import { Expiry } from "./expiry.ts";
import type { Credential, Welcome } from "./frames.ts";
import type { OpenSession } from "./open-session.ts";
import { everything, type Caller, type Policy, type Principal, type SavedPrincipal } from "./policy.ts";
import type { Session } from "./session.ts";

/** The policy of a router at work: lets in, renews, revokes, and ends what has run out. */
export class Authorities {
  readonly #policy: Policy;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #failed: (error: unknown) => void;
  readonly #sessions = new Map<Session, OpenSession>();
  readonly #expiry = new Expiry();
  readonly #unwatch: (() => void) | undefined;

  constructor(options: { policy: Policy; now(): number; wakeBy(time: number): void; failed(error: unknown): void }) {
    this.#policy = options.policy;
    this.#now = options.now;
    this.#wakeBy = options.wakeBy;
    this.#failed = options.failed;
    this.#unwatch = this.#policy.watch?.((subject) => this.review(subject));
  }

  /** @param name what the client calls itself */
  async admit(credential: Credential | undefined, namespace: string, caller: Caller, name: string | undefined): Promise<Principal> {
    const principal = await this.#policy.authenticate(credential, namespace, caller);
    if (principal.name !== undefined && name !== undefined && name !== principal.name) throw new PermissionError("ERR_NAME_FIXED", `this credential is for the client "${principal.name}"; leave out the name, or use that one`);
    if (principal.expiresAt !== undefined && principal.expiresAt <= this.#now()) throw new AuthenticationError("ERR_EXPIRED", "the credential has run out; use a newer one");
    return principal;
  }

  /** The authority over one session. */
  of(session: Session, namespace: string, { ticket: _spent, ...caller }: Caller, name: string | undefined): Authority {
    return {
      renew: async (credential, before) => {
        const principal = await this.admit(credential, namespace, caller, name);
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
    return this.#policy.review?.(principal, namespace) ?? principal;
  }

  /**
   * The principal of a session that slept.
   * @throws ConnectionError if the policy cannot tell; AuthenticationError, PermissionError if it would not be let in any more.
   */
  async restore({ everything: all, ...saved }: SavedPrincipal, namespace: string): Promise<Principal> {
    if (all !== 1 && this.#policy.restore === undefined) throw new ConnectionError("ERR_ASLEEP", "what this client may do is not known any more; connect again", { retryable: true, details: { retryAfter: 100 } });
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

import type { Credential, Welcome } from "./frames.ts";
import type { Principal } from "./policy.ts";
import type { RateKind } from "./rate-limit.ts";
import type { Reader } from "./reader.ts";

/** An open session under the policy that let it in. */
export interface Subject {
  readonly namespace: { readonly name: string };
  readonly reader: Reader;
  readonly principal: Principal;
}

/** What open sessions ask of the policy that let them in. */
export interface Authority {
  /**
   * The principal of a newer credential, if it is the same one.
   * @throws AuthenticationError, PermissionError
   */
  renew(session: Subject, credential: Credential): Promise<Principal>;
  /** @throws a retryable error `ERR_RATE_LIMIT` if the principal does too much. */
  spend(session: Subject, kind: RateKind, count: number): void;
  /** A ticket for the principal. @throws PermissionError for who came with one: a ticket that leaks must not live on in others. */
  ticket(session: Subject): Promise<string>;
  /** What the client is told of it. */
  standing(principal: Principal): Pick<Welcome, "permissions" | "expiresIn">;
}

import type { Credential, Welcome } from "./frames.ts";
import type { Principal } from "./policy.ts";
import type { RateKind } from "./rate-limit.ts";

/** What an open session asks of the policy that let it in. */
export interface Authority {
  /**
   * The principal of a newer credential, if it is the same one.
   * @throws AuthenticationError, PermissionError
   */
  renew(credential: Credential, before: Principal): Promise<Principal>;
  /** @throws a retryable error `ERR_RATE_LIMIT` if the principal does too much. */
  spend(kind: RateKind, count?: number): void;
  /** A ticket for the principal. @throws PermissionError for who came with one: a ticket that leaks must not live on in others. */
  ticket(principal: Principal): Promise<string>;
  /** What the client is told of it. */
  standing(principal: Principal): Pick<Welcome, "permissions" | "expiresIn">;
}

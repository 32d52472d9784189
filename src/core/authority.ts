import type { Credential, Welcome } from "./frames.ts";
import type { Principal } from "./policy.ts";

/** What an open session asks of the policy that let it in. */
export interface Authority {
  /**
   * The principal of a newer credential, if it is the same one.
   * @throws AuthenticationError, PermissionError
   */
  renew(credential: Credential, before: Principal): Promise<Principal>;
  /** What the client is told of it. */
  standing(principal: Principal): Pick<Welcome, "permissions" | "expiresIn">;
}

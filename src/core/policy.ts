import type { Credential } from "./frames.ts";

export type Action = "publish" | "subscribe" | "request" | "respond";
export type Duty = "manage" | "admin";

/** What a principal may do. Equal rights share one object, so that sessions can be grouped by it. */
export interface Rights {
  /** Whether it may do this with one concrete type; for `subscribe`: whether it may read such an event. */
  allows(action: Action, type: string): boolean;
  /** Whether all that the pattern matches is allowed. */
  contains(action: Action, pattern: string): boolean;
  has(duty: Duty): boolean;
}

/** Who a session is. */
export interface Principal {
  /** Undefined if anonymous. */
  readonly subject?: string;
  /** A client name fixed by the credential: claiming another is refused. */
  readonly name?: string;
  readonly rights: Rights;
}

/** What a host knows of a connection before its first frame. */
export interface Caller {
  readonly address?: string;
  readonly origin?: string;
}

/** Says who a session is and what it may do. */
export interface Policy {
  /** @throws AuthenticationError for a missing or wrong credential, PermissionError for a namespace that is not its own. */
  authenticate(credential: Credential | undefined, namespace: string, caller: Caller): Principal | Promise<Principal>;
}

/** One object for all who may do everything. */
export const everything: Rights = { allows: () => true, contains: () => true, has: () => true };

/** Everyone may do everything, whoever they are. For a router that only its owner can reach. */
export const openPolicy: Policy = { authenticate: () => ({ rights: everything }) };

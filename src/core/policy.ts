import type { Credential } from "./frames.ts";
import { isReserved } from "./pattern.ts";

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
  /** The rights as the client is told them, as `["publish:order.*", "manage"]`; they may hold an application's own, which mean nothing to the router. */
  readonly permissions?: readonly string[];
  /** Its rights hold in every namespace: it may know what is going on in all of them, if it may manage. */
  readonly everywhere?: 1;
  /** When the credential is good no more, ms since 1970: a session that has shown no newer one by then is ended. */
  readonly expiresAt?: number;
  /** What the policy knows it again by in `review` and `restore`: JSON, and never the credential itself. */
  readonly origin?: unknown;
  /** It came with a ticket, and gets no other. */
  readonly ticketed?: 1;
}

/** What is kept of a principal while its router's host sleeps, as JSON; what it may do is for the policy to say. `everything`: all, by the rights of that name. */
export type SavedPrincipal = Omit<Principal, "rights"> & { readonly everything?: 1 };

/** What a host knows of a connection before its first frame. */
export interface Caller {
  readonly address?: string;
  readonly origin?: string;
  /** The certificate that the peer has proved to hold, if the host has verified it (mTLS). */
  readonly certificate?: PeerCertificate;
  /** Of `POST /api/v1/tickets`: says who it is in place of a credential, once. */
  readonly ticket?: string;
}

/** A verified client certificate. */
export interface PeerCertificate {
  /** SHA-256 of the certificate, lower-case hex without colons. */
  readonly fingerprint: string;
  /** Its subject alternative names, as `DNS:device-7.example.com`, `URI:spiffe://example.com/worker`. */
  readonly names: readonly string[];
  /** When it runs out, ms since 1970. */
  readonly expiresAt: number;
}

/** What a policy was told to take back, for the same policy of other routers. */
export interface Withdrawal {
  /** JSON that means something to the policy alone; never a credential. */
  readonly what: unknown;
  /** It holds from now on, also at routers that start later; else it is news to those that run. */
  readonly lasts: boolean;
}

/** Says who a session is and what it may do. */
export interface Policy {
  /**
   * Who a session is that slept with its router's host (`Router.resume`), by what was kept of its principal. Without it only those who may do everything
   * go on; the others are asked to connect again.
   * @throws AuthenticationError, PermissionError if it would not be let in any more.
   */
  restore?(saved: SavedPrincipal, namespace: string): Principal | Promise<Principal>;
  /** @throws AuthenticationError for a missing or wrong credential, PermissionError for a namespace that is not its own. */
  authenticate(credential: Credential | undefined, namespace: string, caller: Caller): Principal | Promise<Principal>;
  /**
   * Who a principal that this policy has let in is now. Without it, a session keeps what it was let in with until it shows another credential.
   * @throws AuthenticationError, PermissionError if it would not be let in any more: its sessions are ended.
   */
  review?(principal: Principal, namespace: string): Principal;
  /** Tells that the principals of a subject, or of all, must be reviewed. Returns how to stop. */
  watch?(listener: (subject?: string) => void): () => void;
  /** Tells what was taken back here, so that it is taken back at every router that shares the store. Returns how to stop. Needs `withdraw`. */
  withdrawn?(listener: (withdrawal: Withdrawal) => void): () => void;
  /** Takes back what was taken back at another router, or here before a restart; the same again changes nothing. `watch` tells whom it concerns. */
  withdraw?(what: unknown): void;
}

/** One object for all who may do everything. */
export const everything: Rights = { allows: () => true, contains: () => true, has: () => true };

const anyone: Principal = { rights: everything, permissions: ["admin"], everywhere: 1 };
/** Everyone may do everything, whoever they are. For a router that only its owner can reach. */
export const openPolicy: Policy = { authenticate: () => anyone };

/** A policy that lets in by a rule of its own, and is that policy in all else. */
export function admitting(policy: Policy, authenticate: Policy["authenticate"]): Policy {
  const { restore, review, watch, withdrawn, withdraw } = policy;
  return {
    authenticate,
    ...(restore && { restore: restore.bind(policy) }),
    ...(review && { review: review.bind(policy) }),
    ...(watch && { watch: watch.bind(policy) }),
    ...(withdrawn && { withdrawn: withdrawn.bind(policy) }),
    ...(withdraw && { withdraw: withdraw.bind(policy) }),
  };
}

/** Whether a pattern lies within what these rights allow. The router's own names are for who manages it. */
export function mayReach(rights: Rights, action: Action, pattern: string): boolean {
  return isReserved(pattern) ? action === "subscribe" && rights.has("manage") : rights.contains(action, pattern);
}

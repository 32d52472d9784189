import type { WireError } from "./errors.ts";
import type { EventLine } from "./line.ts";

/**
 * The wire, protocol version 1. A message is UTF-8 text of one or more lines joined by "\n". A frame is a JSON array on a line of its own; the frames
 * that carry events or payloads from a client (`pub`, `req`, `answer`) are followed by as many lines of raw JSON as they announce, so that the
 * router can pass that text on without making it again. Many frames travel in one message, in order, in both directions.
 * The messages `ping` and `pong` are the heartbeat: fixed texts, so that a sleeping host can answer for the router.
 */
export const PROTOCOL_VERSION = 1;
export const PING = "ping";
export const PONG = "pong";

export type Credential =
  | { readonly type: "api_key"; readonly key: string }
  | { readonly type: "jwt"; readonly token: string };

/** The first frame on every link. */
export interface Hello {
  readonly v: number;
  /** Names of optional abilities; each side uses only what both name. */
  readonly caps?: readonly string[];
  readonly namespace?: string;
  readonly name?: string;
  readonly auth?: Credential;
  /**
   * A secret of the client's connection object, the same each time it comes back. The router ends what is left of its earlier session, so that nothing
   * of a half-dead connection can arrive behind what is sent now (P3).
   */
  readonly instance?: string;
}

export interface Welcome {
  readonly v: number;
  readonly caps: readonly string[];
  readonly session: string;
  readonly namespace: string;
  readonly epoch: string;
  readonly head: number;
  readonly name?: string;
  readonly subject?: string;
  /** What it may do, and for how long its credential is good, ms; both only where the router's policy says so. */
  readonly permissions?: readonly string[];
  readonly expiresIn?: number;
  /** How long an ack's promise holds. */
  readonly durability: Durability;
  readonly limits: WireLimits;
  /** Milliseconds of silence after which a side asks for a sign of life; 0: the link cannot fall silent. */
  readonly heartbeat: number;
}

export type Durability = "none" | "memory" | "disk" | "replicated";

/** What a client must know of the router's limits. */
export interface WireLimits {
  /** Largest message, bytes. */
  readonly frame: number;
  /** Largest payload, bytes. */
  readonly payload: number;
  /** Events in one `pub`. */
  readonly batch: number;
  /** Un-acked events and size (UTF-16 units) of one subscription. */
  readonly windowEvents: number;
  readonly windowSize: number;
}

/** Where a subscription starts: behind a position, at a time, at one of the ends. */
export type From = "now" | "start" | readonly [epoch: string, seq: number] | { readonly seq: number } | { readonly time: number };

export interface SubscribeSpec {
  readonly topics: readonly string[];
  readonly filter?: Readonly<Record<string, unknown>>;
  readonly from?: From;
  /** Keeps the place under this name, for whoever comes next with it. */
  readonly durable?: string;
  /** Shares the events among all subscriptions of this name; they come as jobs. */
  readonly group?: string;
  /** Of a group. Ms a member has for an event (default 30 s), how many it may have at once (default 1), and what follows a failure. */
  readonly ackTimeout?: number;
  readonly maxInFlight?: number;
  readonly retry?: { readonly maxRetries?: number; readonly backoff?: "exponential" | "fixed"; readonly delay?: number; readonly maxDelay?: number };
}

/**
 * How the events of a `pub` stand and fall. `each`: each on its own. `all`: all or none, consecutive seqs. `ephemeral`: not stored, each on its own.
 * `run` says that the ids are a publisher's running numbers in order, so that the store need keep only the highest (P4).
 * `later`: held back, each on its own, for so many ms (`in`) or until a time (`at`, ms since 1970); its result is 0.
 * `expect`, of an `all`: the last version that an event stream must have before it, or that it must not be there yet.
 */
export interface PublishMode {
  readonly as?: "each" | "all" | "ephemeral" | "later";
  readonly run?: 1;
  readonly in?: number;
  readonly at?: number;
  readonly expect?: readonly [stream: string, version: number | "no-stream"];
}

export type ClientFrame =
  | readonly ["hello", Hello]
  | readonly ["pub", req: number, lines: number, mode?: PublishMode]
  | readonly ["sub", id: number, spec: SubscribeSpec]
  | readonly ["serve", id: number, patterns: readonly string[]]
  /** `keeping`: jobs whose handlers run on; the others of this subscription go to other members at once. */
  | readonly ["unsub", id: number, ...keeping: number[]]
  /** `received`: UTF-16 units of all messages so far on this link but heartbeats; then pairs: a subscription, and the seq up to which all its events are done. */
  | readonly ["ack", received: number, ...done: number[]]
  /** Jobs whose handlers have finished. */
  | readonly ["done", sub: number, ...tokens: number[]]
  /** A job whose handler failed. `delay`: ms until it is tried again; `final`: it must not be. */
  | readonly ["nack", sub: number, token: number, how?: { readonly error?: { readonly name?: string; readonly message?: string }; readonly delay?: number; readonly final?: boolean }]
  | readonly ["req", req: number, timeout: number]
  | readonly ["cancel", req: number]
  | readonly ["answer", ask: number]
  | readonly ["fail", ask: number, error: WireError]
  | readonly ["call", req: number, method: string, params?: Readonly<Record<string, unknown>>]
  /** A newer credential of the same subject; answered by `rights` and `ok`, or `err`. */
  | readonly ["auth", req: number, credential: Credential]
  | readonly ["bye"];

/** Fate of one published event: its seq (0 if ephemeral), `[seq]` of the one that was there already (null if no longer known), or why not. */
export type PublishResult = number | readonly [seq: number | null] | WireError;

export interface Gap {
  /** First and last seq that are not delivered; `to` is null where that cannot be known (another epoch). */
  readonly from: number;
  readonly to: number | null;
  readonly epoch: string;
  /** `filter`: of a group, whose filter could not be tested on it within its budget. */
  readonly reason: "retention" | "epoch" | "purged" | "revoked" | "filter";
}

export type RouterFrame =
  | readonly ["welcome", Welcome]
  /** `versions`: of events of event streams, in the places of their results; left out if there is none. */
  | readonly ["pub", req: number, time: number, results: readonly PublishResult[], versions?: readonly (number | null)[]]
  /** The subscription or responder is there; events after this position will come. */
  | readonly ["on", id: number, epoch: string, seq: number]
  /** The router ended or refused it; without an error: as asked. */
  | readonly ["end", id: number, error?: WireError]
  /** Events for the same subscriptions. */
  | readonly ["ev", subs: readonly number[], events: readonly EventLine[]]
  /** Events, each for subscriptions of its own. */
  | readonly ["mix", subs: readonly (readonly number[])[], events: readonly EventLine[]]
  /** An event that is settled by itself: of a group, or a dead letter that is tried again. The token is of this delivery alone. */
  | readonly ["job", sub: number, token: number, attempt: number, event: EventLine]
  | readonly ["gap", id: number, gap: Gap]
  | readonly ["ask", ask: number, timeout: number, request: EventLine]
  | readonly ["ok", req: number, value: unknown]
  | readonly ["err", req: number, error: WireError]
  /** What the session may do from now on. Subscriptions that it does not reach have been ended. */
  | readonly ["rights", standing: Pick<Welcome, "permissions" | "expiresIn">]
  /** The last frame: why the router closes. `retryable` and `details.retryAfter` (ms) say whether and when to come back. */
  | readonly ["bye", error: WireError];

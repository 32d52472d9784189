import type { Filter } from "./filter.ts";
import type { SavedPrincipal } from "./policy.ts";

/**
 * What a router keeps of its sessions while its host sleeps and the sockets stay: JSON, made by `Session.save`, taken by `Router.resume`. Neither side
 * notices: counters, credit and positions are those of before.
 */
export type SavedSession =
  /** It has not said hello yet. */
  | { readonly state: "greeting" }
  | SavedOpenSession
  /** Nothing that could go on: the client is asked to connect again. */
  | { readonly state: "lost" };

export interface SavedOpenSession {
  readonly state: "open";
  readonly id: string;
  readonly instance?: string;
  readonly namespace: string;
  readonly name?: string;
  readonly principal: SavedPrincipal;
  /** UTF-16 units sent and received on this link so far. */
  readonly flow: readonly [sent: number, received: number];
  /** Where the log was given out up to, and the last number of a request handed to a responder: the highest of all sessions' counts. */
  readonly head: number;
  readonly lastAsk: number;
  readonly cursors?: readonly SavedCursor[];
  readonly responders?: readonly (readonly [id: number, patterns: readonly string[]])[];
  /** Memberships in groups, as they were asked for, and what they have of their groups' events. */
  readonly memberships?: readonly (readonly [id: number, spec: Readonly<Record<string, unknown>>])[];
  readonly jobs?: readonly SavedJob[];
  readonly lastToken: number;
  /** Subscriptions that were being opened, calls not answered: begun anew. */
  readonly opening?: readonly (readonly [id: number, spec: Readonly<Record<string, unknown>>])[];
  /** Newer credentials that were being looked at: to be shown again. */
  readonly renewals?: readonly number[];
  readonly calls?: readonly SavedCall[];
  /** Requests of this session that wait for an answer. */
  readonly requests?: readonly SavedRequest[];
}

export interface SavedCursor {
  readonly id: number;
  /** Of a named one. */
  readonly durable?: string;
  readonly finished?: number;
  readonly topics: readonly string[];
  readonly filter?: Filter;
  /** It has had everything up to and with this seq; left out if it was where the log was given out. */
  readonly after?: number;
  readonly window?: SavedWindow;
}

/** Of each event in flight: how far its seq is from the one before (the first: from 0), and its size. */
export type SavedWindow = readonly number[];

/** `seq`: of the event; `deadline`: ms since 1970, 0 if it is over and only the handler still runs. */
export type SavedJob = readonly [sub: number, token: number, seq: number, attempt: number, deadline: number];

export type SavedCall = readonly [req: number, method: unknown, params: unknown];

export interface SavedRequest {
  readonly ask: number;
  readonly req: number;
  readonly id: string;
  readonly type: string;
  readonly deadline: number;
  /** Whose it is to answer: a session, and its responder's number. */
  readonly responder: readonly [session: string, id: number];
}

import type { Duration } from "./duration.ts";

/** An event as a subscriber gets it: an immutable fact. */
export interface RouterEvent<P = unknown, T extends string = string> {
  /** Made by the publisher; publishing the same id twice stores it once. */
  readonly id: string;
  /** Segments of `[A-Za-z0-9_-]` joined by dots, 1–256 characters, at most 16 segments. */
  readonly type: T;
  /** Any JSON value. */
  readonly payload: P;
  /** Place in the namespace's log, from 1, without holes; 0 if the event is ephemeral. */
  readonly seq: number;
  /** Which life of the log: changes only when a log was lost or rewritten. */
  readonly epoch: string;
  /** RFC 3339, UTC, milliseconds, stamped by the router. */
  readonly timestamp: string;
  /** Who says it; by default the publishing client's `name`. */
  readonly source?: string;
  /** Only clients with this `name` receive it. */
  readonly target?: string;
  /** 0–9, 9 most urgent, default 5: decides the order among events that wait, never the order of the log. */
  readonly priority: number;
  readonly correlationId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Set on events of an event stream. */
  readonly stream?: string;
  /** Place in the event stream, from 0. */
  readonly version?: number;
  /** Milliseconds from its timestamp after which it is not delivered any more. */
  readonly ttl?: number;
  /** Who published it, as authenticated by the router; a client cannot set it. Absent if anonymous. */
  readonly publisher?: { readonly subject: string };
  /** Delivered from the local outbox, not yet in the log. */
  readonly pending?: true;
}

/** What a publisher may say about an event besides type and payload. */
export interface EventMeta {
  /** An id of your own, 1–128 characters of `[A-Za-z0-9._:-]`; default: one is made. */
  readonly id?: string;
  readonly source?: string;
  readonly target?: string;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Appends it to this event stream too, 1–128 characters of `[A-Za-z0-9_.:@-]`; the router gives it the stream's next version. */
  readonly stream?: string;
  /** Lapses after so long: who has not got it by then does not get it. */
  readonly ttl?: Duration;
}

/** An event to be published. */
export interface EventInit<P = unknown, T extends string = string> extends EventMeta {
  readonly type: T;
  readonly payload?: P;
}

/** A place in a log: the epoch and the seq of the last event a reader has had. */
export interface Position { readonly epoch: string; readonly seq: number }

import type { Interest } from "./interest.ts";
import type { EventRouterError } from "./errors.ts";
import type { LogEvent } from "./log-event.ts";
import type { Port } from "./link.ts";
import { Output } from "./output.ts";
import type { Caller, Rights } from "./policy.ts";
import { mayReadEvent } from "./secrecy.ts";
import type { Window } from "./window.ts";

/** The session that a reader belongs to. */
export interface Owner {
  readonly port: Port;
  readonly caller: Caller;
  readonly state: string;
  /** It cannot go on. */
  end(error: EventRouterError): void;
  /** Its pipe is gone. */
  disconnected(): void;
}

/** The receiving side of a session: who it is, and its cursors. */
export class Reader extends Output {
  readonly owner: Owner;
  readonly name: string | undefined;
  /** What it may do now; `entitle` changes it. */
  rights: Rights;
  readonly cursors = new Map<number, Cursor>();
  /** Its session's id. */
  readonly session: string;
  /** Its client is another router's, which vouches for it. */
  readonly vouched: boolean;
  /** Publishes that have no answer yet: it comes with their commit. */
  unanswered = 0;

  constructor(options: { owner: Owner; session: string; name: string | undefined; rights: Rights; windowSize: number; vouched?: boolean; hasOutput(reader: Reader): void }) {
    // It is told of itself.
    super(options.windowSize, options.hasOutput as (output: Output) => void);
    this.owner = options.owner;
    this.vouched = options.vouched === true;
    this.session = options.session;
    this.name = options.name;
    this.rights = options.rights;
  }
}

/** Whether a reader may have an event of the log: asked at the time it would leave (P2), whatever the path. */
export function mayRead({ rights, name }: Reader, event: LogEvent): boolean {
  if (!mayReadEvent(rights, event)) return false;
  const { target } = event;
  return target === undefined || target === name;
}

/** Where a cursor is: with the head, so that each new event goes out at once; or somewhere behind it, served from the log. */
export type Place =
  | { readonly state: "live" }
  /** It has had everything up to and with `after`. */
  | { readonly state: "behind"; readonly after: number }
  | { readonly state: "closed" };

/** The router's record of one subscription: what it asks for, where it is and what is in flight. */
export class Cursor {
  readonly id: number;
  readonly interest: Interest;
  readonly reader: Reader;
  readonly window: Window;
  /** The name under which its place is kept. */
  readonly durable: string | undefined;
  place: Place;
  /** The seq up to which its client has finished everything. */
  finished: number;
  /** Last seq of which it was told that it will not come. */
  skipped = 0;

  constructor({ id, interest, reader, window, after, durable }: { id: number; interest: Interest; reader: Reader; window: Window; after: number; durable: string | undefined }) {
    this.id = id;
    this.durable = durable;
    this.finished = after;
    this.interest = interest;
    this.reader = reader;
    this.window = window;
    this.place = { state: "behind", after };
  }

  /** What its dead letters are filed under. */
  get label(): string {
    const { durable, reader: { name, session }, interest: { topics } } = this;
    return durable === undefined ? `client:${name ?? session}:${topics.join(",")}` : `durable:${durable}`;
  }

  /** Its client has finished everything up to a seq. */
  finish(seq: number): void {
    if (this.window.finished(seq) > 0) this.finished = Math.max(this.finished, seq);
  }
}

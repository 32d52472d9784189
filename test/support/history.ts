import type { Gap } from "../../src/core/frames.ts";
import * as delivery from "./history/delivery.ts";
import * as logs from "./history/log.ts";
import * as rest from "./history/rest.ts";

/** An event as somebody saw it. Its payload says who published it, and as which of their events. */
export interface Sighting {
  readonly epoch: string;
  /** 0: it was not stored. */
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly publisher: string;
  /** From 1, in the order of the publisher's calls. */
  readonly number: number;
  /** The namespace in which it was published. */
  readonly namespace?: string;
  readonly target?: string;
}

/** What a publisher knows of a publish: `failed` says that it is not in the log and never will be, `unknown` says nothing. */
export type Fate =
  | { readonly state: "acked"; readonly id: string; readonly epoch: string | null; readonly seq: number | null }
  | { readonly state: "failed" }
  | { readonly state: "unknown" };

export interface Attempt {
  readonly publisher: string;
  readonly number: number;
  /** Those of one transaction have this in common. */
  readonly transaction?: string;
  /** It is not to be stored: delivered once or never. */
  readonly ephemeral?: boolean;
  /** It is held back: an ack says that it will be in the log. */
  readonly later?: boolean;
  readonly fate: Fate;
}

/** What one subscription saw, in order. */
export interface Reading {
  readonly name: string;
  /** Whether the subscription asked for such an event. */
  wants(event: Sighting): boolean;
  /** It had asked when the log was here: everything behind is owed. */
  readonly after: number;
  /** In which life of the log that was; default: the last. */
  readonly epoch?: string | undefined;
  /** It left by itself: nothing is owed behind the last event it saw. */
  readonly left?: boolean;
  /** No event may come twice: its client drops repeats, and has lived all the time. */
  readonly once?: boolean;
  /** Whether it might read such an event when it came; default: all. */
  may?(event: Sighting): boolean;
  /** Whether it need not have got such an event, for want of rights when it passed. */
  spares?(event: Sighting): boolean;
  readonly seen: readonly (Sighting | Gap)[];
}

/** One life of a log: what is in it from `first` on, or ever was, and up to where it was trimmed. */
export interface Life {
  readonly epoch: string;
  readonly first: number;
  readonly events: readonly Sighting[];
  /** Last seq that was removed on purpose; default: `first - 1`. */
  readonly trimmed?: number;
}

/** What the members of a group did with its events, all of them together. */
export interface Crew {
  readonly name: string;
  wants(event: Sighting): boolean;
  /** Behind which seq it began in a life of the log; undefined: it was not there. */
  readonly after: (epoch: string) => number | undefined;
  spares?(event: Sighting): boolean;
  readonly given: readonly Sighting[];
  /** Whose handling has come to its end without a failure. */
  readonly done: readonly Sighting[];
  readonly gaps: readonly Gap[];
  /** Seqs of its events that are dead letters, in the last life. */
  readonly dead: ReadonlySet<number>;
}

/** A request, the answers that its caller got, and how often it was carried out. */
export interface Question { readonly key: string; readonly answers: readonly string[]; readonly carriedOut: number }

/** A figure, and what it should be (I12), or at most (I14). */
export interface Figure { readonly name: string; readonly value: unknown; readonly should: unknown }

export interface History {
  readonly attempts: readonly Attempt[];
  readonly readings: readonly Reading[];
  /** The log at the end. */
  readonly log: Life;
  /** Its earlier lives, oldest first, each lost with what kept it. */
  readonly earlier?: readonly Life[];
  readonly namespace?: string;
  /** Publishers that promise no order: those that talk over several connections. */
  readonly unordered?: ReadonlySet<string>;
  /** Several routers write one log, and each knows only its own connections: what a publisher gave up on one may come in behind what it said on another. */
  readonly rivals?: boolean;
  readonly questions?: readonly Question[];
  readonly crews?: readonly Crew[];
  /** What the router counts. */
  readonly counters?: readonly Figure[];
  /** What is left when nothing goes wrong any more and all had time. */
  readonly backlog?: readonly Figure[];
  /** What was held in memory at most. */
  readonly peaks?: readonly Figure[];
}

/** Lines of one rule that are told; the rest is counted. */
const MOST = 10;

type Rule = (history: History) => Iterable<string>;
const rules: Readonly<Record<string, Rule>> = { ...logs, ...delivery, ...rest };

/** The invariants of `guarantees.md` that a history does not keep, a line each; none if all is well. */
export function violations(history: History): string[] {
  return Object.entries(rules).toSorted(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1))).flatMap(([name, rule]) => {
    const lines = [...rule(history)].map((what) => `${name} ${what}`);
    return lines.length <= MOST ? lines : [...lines.slice(0, MOST), `${name} … and ${lines.length - MOST} more`];
  });
}

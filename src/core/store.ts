import type { EventRouterError } from "./errors.ts";
import type { Durability } from "./frames.ts";
import type { LogEvent } from "./log-event.ts";
import type { Peers } from "./peers.ts";

/** Keeps the logs of namespaces. Translates to one storage engine, holds no policy, passes `test/contract/store`. */
export interface Store {
  /** How long an append's promise holds. */
  readonly durability: Durability;
  /** Several routers may have it open at once, in processes of their own; its logs have `peers`. */
  readonly shared?: true;
  /** Opens a namespace's log, made if it is new. The same object may be asked for several namespaces. */
  open(namespace: string): Promise<Log>;
  close(): Promise<void>;
}

/** One namespace's ordered events, with the bookmarks of its readers. */
export interface Log {
  /** Which life of the log. */
  readonly epoch: string;
  /** Of a log that can be lost while it is open (cleared storage, a failover): resolves when it was. It works no more; opened again it has another epoch (P9). */
  readonly lost?: Promise<EventRouterError>;
  /** Of a log that several routers have open at once: what joins them. */
  readonly peers?: Peers;
  /** Last seq; 0 if there was none yet. */
  readonly head: number;
  /** First seq that is still there; `head + 1` if none is. */
  readonly first: number;
  /** Events and size (UTF-16 units of their lines) that are there. */
  readonly extent: { readonly events: number; readonly size: number };
  /**
   * Appends batches in order, in one transaction, and resolves when that is as durable as the store promises. Each batch stands or falls for itself
   * (a refused one leaves no trace and uses no seq); a storage failure rejects the call and leaves nothing of it.
   * What was appended is reported to the watchers before the promise resolves.
   */
  append(batches: readonly Batch[]): Promise<readonly Outcome[][]>;
  /** Events with a seq above `after`, in order, up to a number and a size, at least one unless at the head. */
  read(after: number, limit: PageLimit): Promise<readonly LogEvent[]>;
  /**
   * Events of one event stream, from a version upwards (`forward`) or downwards (`backward`), up to a number and a size, at least one unless there are none.
   * Those that were trimmed are left out.
   */
  readStream(stream: string, from: number, limit: PageLimit, direction: "forward" | "backward"): Promise<StreamPage>;
  /** The last seq whose event is older than `time` (ms): a reader from there misses nothing since. `first - 1` if none is. */
  seqBefore(time: number): Promise<number>;
  /** Tells of each append, by whomever, once, in order of seqs, without holes, after the commit. Returns how to stop. */
  watch(listener: (events: readonly LogEvent[]) => void): () => void;
  /** Removes the events up to and with this seq; `first` never falls, `head` stays. @param lead the writer's token (`Peers`): rejects with `leadLost()` if it is an older one */
  trim(seq: number, lead?: number): Promise<void>;
  /** A reader's or pattern's durable note, text of its own; undefined if there is none. */
  readBookmark(key: string): Promise<string | undefined>;
  /** All bookmarks whose key begins with this, in no particular order. */
  listBookmarks(prefix: string): Promise<readonly (readonly [key: string, value: string])[]>;
  /** Writes or, with undefined, removes bookmarks, all in one transaction. @param lead as for `trim` */
  writeBookmarks(entries: readonly (readonly [key: string, value: string | undefined])[], lead?: number): Promise<void>;
}

export interface PageLimit { readonly events: number; readonly size: number }

export interface StreamPage {
  readonly events: readonly LogEvent[];
  /** Events the stream ever had: its next version. */
  readonly length: number;
}

/** The last version a stream must have for an append: two writers cannot both have seen it. */
export interface Expectation { readonly stream: string; readonly version: number | "no-stream" }

/** Events that stand or fall together. */
export interface Batch {
  /** The authenticated subject, "" if anonymous: part of the key under which ids are remembered (P4). */
  readonly publisher: string;
  /**
   * The ids are running numbers in order (`event-id.ts`): only the highest of each instance is kept, and with it the few ranges below it that were
   * skipped (refused, or lost with a failed transaction): a number in such a hole is new when it comes, not a duplicate.
   */
  readonly run: boolean;
  /** Refuses the batch with a ConflictError unless the stream stands there; not asked of a batch that is all repeats. */
  readonly expect?: Expectation | undefined;
  /** The leader's token, of its own batches (`Peers`): refused with `leadLost()` if it is an older one. */
  readonly lead?: number | undefined;
  readonly drafts: readonly Draft[];
}

/** An event without its seq. */
export interface Draft {
  readonly id: string;
  readonly type: string;
  readonly time: number;
  /** The line from its first comma on: `,time,from,"id","type",payload,meta]`. The line is `[` + seq + this. */
  readonly body: string;
  /** Where in `body` the publisher's own text starts: what is compared to tell a repeat from another event with the same id. */
  readonly own: number;
  /** Of an event of an event stream: its name, and where in `body` (before `own`) its version is to be inserted, as `,3`. */
  readonly stream?: { readonly name: string; readonly versionAt: number };
}

/** An appended event; one that was there already (its seq, or null if that is no longer known); or why its batch was refused. Version: in its event stream. */
export type Outcome =
  | { readonly state: "appended"; readonly seq: number; readonly version?: number }
  | { readonly state: "duplicate"; readonly seq: number | null; readonly version?: number }
  | { readonly state: "refused"; readonly error: EventRouterError };

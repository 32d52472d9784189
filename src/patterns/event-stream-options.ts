import type { Client, PublishOptions } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import type { PublishInit } from "../client/publisher.ts";
import type { SubscribeOptions } from "../client/subscribe-options.ts";
import type { WaitOptions } from "../client/wait.ts";

/** Where a stream must stand for an append: at this version (of its last event), at its beginning, or anywhere. */
export interface Expected {
  /** Default `"any"`. Anything else lets one of several writers win; the others get a ConflictError with `details.actualVersion`. */
  readonly expectedVersion?: number | "no-stream" | "any";
}

export type AppendOptions = Omit<PublishOptions, "stream" | "ephemeral"> & Expected;
/** Of several events, which are appended all or none. */
export type AppendAllOptions = WaitOptions & Expected;
/** One of several. */
export type AppendInit = Omit<PublishInit, "stream" | "ephemeral" | keyof WaitOptions>;

export interface ReadStreamOptions extends WaitOptions {
  /** Where to begin; default: the first, or backward the last. */
  readonly fromVersion?: number;
  /** Events at most; default all. */
  readonly limit?: number;
  /** Default `"forward"`. */
  readonly direction?: "forward" | "backward";
}

export interface OnAppendOptions extends SubscribeOptions {
  /** Patterns of the event types; default all. Ask for less where the credential may not read all types. */
  readonly topics?: string | readonly string[];
}

export interface FoldOptions extends WaitOptions {
  /** Keeps the state after so many events since the last time, so that the next fold begins there; default: never. */
  readonly snapshotEvery?: number;
  /** Whose snapshots these are; default `"state"`. Folds that compute different things, and one whose reducer has changed, need names of their own. */
  readonly name?: string;
}

/** What an event stream needs of its client. */
export interface StreamHome {
  readonly client: Client;
  readonly tools: Tools;
  readonly stream: string;
}

import type { WireError } from "../../core/errors.ts";
import type { SavedTicket } from "../../core/tickets.ts";
import type { LogHome, Passage, Standing } from "../../stores/log-home.ts";

/** A message between two routers (`Peers.send`), by their lives. */
export interface Message {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** What one object has for another, of a turn or of several. */
export interface Parcel {
  /** The life of who sends it. */
  readonly life: string;
  /** Where the log stands, and what came; the owner's to say. */
  readonly passage?: Passage;
  readonly messages: readonly Message[];
}

export interface Delivered {
  /** Lives that are not there any more: messages to them were lost. */
  readonly gone: readonly string[];
  /** Whether a relay has anybody to tell of more. */
  readonly stays: boolean;
}

/** What a relay learns when it begins to follow. */
export interface Followed {
  /** The owner's life. */
  readonly owner: string;
  readonly standing: Standing;
}

export type LogMethod = Exclude<keyof LogHome, "standing">;

/**
 * What the objects of a namespace ask of each other: plain data, over the platform's calls from object to object. One method, so that what a class offers to
 * whoever has its binding is in one place.
 */
export type Question =
  /** A relay is to be told of the log from now on. */
  | readonly ["follow", relay: number, life: string]
  | readonly ["log", method: LogMethod, args: readonly unknown[]]
  | readonly ["parcel", relay: number, Parcel]
  | readonly ["keep", text: string, SavedTicket]
  | readonly ["take", text: string];

/** An error of ours would lose its code on the way; any other is no word on what was asked. */
export type Answer<T = unknown> = { readonly ok: T } | { readonly error: WireError };

/** An object as another one of its namespace reaches it. */
export interface Neighbour { between(question: Question): Promise<Answer> }

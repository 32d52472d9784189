import type { DBSchema, IDBPDatabase, IDBPTransaction } from "idb";
import type { RunMark } from "./run-mark.ts";

/** Version of what `upgradeSchema` makes; a change to it raises it and adds the step from the one before. */
export const SCHEMA_VERSION = 1;

/** Where a log stands. Offsets are sizes since it began: of all that was trimmed, and of all there ever was. */
export interface LogRecord {
  readonly epoch: string;
  readonly first: number;
  readonly head: number;
  readonly trimmed: number;
  readonly offset: number;
  /** Some of its events are in event streams. */
  readonly streamed: boolean;
}

/** Some consecutive events as one record: what one transaction brought, cut at a size. A write of 256 publishes is one record. */
export interface BlockRecord {
  readonly first: number;
  readonly last: number;
  /** Of the first event, ms. */
  readonly time: number;
  /** Size of the log before this block, since it began. */
  readonly offset: number;
  /** The events' lines, joined by `\n`. */
  readonly lines: string;
}

/** Every key begins with the namespace: an IndexedDB key is any text, so no byte is shared between namespaces. */
export interface Schema extends DBSchema {
  logs: { key: string; value: LogRecord };
  blocks: { key: [namespace: string, first: number]; value: BlockRecord };
  marks: { key: [namespace: string, instance: string, publisher: string]; value: RunMark };
  ids: { key: [namespace: string, publisher: string, id: string]; value: number };
  /** Seqs of each event stream's events, by version. */
  streams: { key: [namespace: string, stream: string, version: number]; value: number };
  bookmarks: { key: [namespace: string, key: string]; value: string };
}

export type StoreName = "logs" | "blocks" | "marks" | "ids" | "streams" | "bookmarks";
export type Transaction = IDBPTransaction<Schema, StoreName[], "readwrite">;

export function upgradeSchema(db: IDBPDatabase<Schema>, from: number): void {
  if (from < 1) for (const name of ["logs", "blocks", "marks", "ids", "streams", "bookmarks"] as const) db.createObjectStore(name);
}

/** Behind all keys that begin with the same texts: arrays sort behind everything else. */
export const LAST = [] as unknown as number & string;

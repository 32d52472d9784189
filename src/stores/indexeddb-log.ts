import { EventRouterError, PublishError } from "../core/errors.ts";
import type { LogEvent } from "../core/log-event.ts";
import type { Batch, Log, Outcome } from "../core/store.ts";
import { admitInside, writeAdmission } from "./indexeddb-admission.ts";
import { appendBlocks, blockAt, dropBlocks, lastBefore, put, readPage } from "./indexeddb-blocks.ts";
import type { Connection } from "./indexeddb-connection.ts";
import { explain } from "./indexeddb-errors.ts";
import { LAST, type LogRecord, type Transaction, type Schema, type StoreName } from "./indexeddb-schema.ts";
import { readStream, trimStreams } from "./indexeddb-streams.ts";
import { watchers } from "./watchers.ts";

export interface IndexedDbLogOptions {
  readonly connection: Connection<Schema>;
  readonly namespace: string;
  /** As it was when the log was opened. */
  readonly record: LogRecord;
  /** Tells the other tabs that there is something new. */
  told(): void;
  onError?: ((error: unknown) => void) | undefined;
}

export interface IndexedDbLog extends Log {
  /** Another tab may have written: reads on. */
  refresh(): void;
}

/** Events that are read at once of what other tabs wrote. */
const PAGE = { events: 1_024, size: 1024 * 1024 };
/** Events in one transaction, if more wait. */
const MOST = 4_096;
const ALL: StoreName[] = ["logs", "blocks", "marks", "ids", "streams", "bookmarks"];

interface Waiting { readonly batches: readonly Batch[]; resolve(outcomes: readonly Outcome[][]): void; reject(error: unknown): void }

export function indexedDbLog({ connection, namespace, record, told, onError }: IndexedDbLogOptions): IndexedDbLog {
  const { epoch } = record;
  const listeners = watchers(onError);
  const lost = Promise.withResolvers<EventRouterError>();
  const waiting: Waiting[] = [];
  let writing = false;
  /** What this tab has told its watchers. Other tabs may be further. */
  let at = record;
  let following: Promise<unknown> = Promise.resolve();
  let refreshing = false;
  /** Where a trim has come that could not be noted: the next write notes it. */
  let floor = { first: 1, trimmed: 0 };

  /** The log as it is in the database now. @throws EventRouterError if it is another: then this one is over. */
  async function current(tx: Transaction): Promise<LogRecord> {
    const now = await tx.objectStore("logs").get(namespace);
    if (now?.epoch === epoch) return now.first >= floor.first ? now : { ...now, ...floor };
    const error = new EventRouterError("ERR_EPOCH", "the browser's storage was cleared, and the log with it; open it again: it has a new epoch", { retryable: true, details: { epoch } });
    lost.resolve(error);
    throw error;
  }

  async function inTransaction<T>(doing: string, mode: "readonly" | "readwrite", durability: IDBTransactionDurability, work: (tx: Transaction, now: LogRecord) => Promise<T>): Promise<T> {
    try {
      return await connection.run(ALL, mode, durability, async (tx) => work(tx, await current(tx)));
    } catch (error) {
      throw explain(mode === "readwrite" ? PublishError : EventRouterError, doing, error);
    }
  }
  const reading = <T>(doing: string, work: (tx: Transaction, now: LogRecord) => Promise<T>) => inTransaction(doing, "readonly", "default", work);

  /** Group commit: what comes while one transaction is written goes into the next together. */
  async function write(): Promise<void> {
    writing = true;
    // What comes in the same turn belongs together.
    await Promise.resolve();
    while (waiting.length > 0) {
      let events = 0;
      let count = 0;
      while (count < waiting.length && (count === 0 || events < MOST)) for (const { drafts } of waiting[count++]!.batches) events += drafts.length;
      const group = waiting.splice(0, count);
      try {
        const outcomes = await append(group.flatMap(({ batches }) => batches));
        let next = 0;
        for (const { batches, resolve } of group) resolve(outcomes.slice(next, (next += batches.length)));
      } catch (error) {
        // What waits was given by callers who count on the order of those before: it fails too.
        for (const { reject } of [...group, ...waiting.splice(0)]) reject(error);
      }
    }
    writing = false;
  }

  async function append(batches: readonly Batch[]): Promise<readonly Outcome[][]> {
    const { outcomes, events, now } = await inTransaction("writing to the log", "readwrite", "strict", async (tx, before) => {
      const admission = await admitInside(tx, namespace, before, batches);
      if (admission.events.length === 0) return { ...admission, now: before };
      appendBlocks(tx, namespace, admission.events, before.offset);
      writeAdmission(tx, namespace, admission);
      const after = { ...before, head: before.head + admission.events.length, offset: admission.events.reduce((sum, { size }) => sum + size, before.offset), streamed: before.streamed || admission.streams.length > 0 };
      put(tx.objectStore("logs").put(after, namespace));
      return { ...admission, now: after };
    });
    await follow(now, events);
    if (events.length > 0) told();
    return outcomes;
  }

  /** Tells the watchers all up to where the log is now, in order, one after the other. @param events the last of it, if they are at hand. */
  function follow(now: LogRecord, events: readonly LogEvent[] = []): Promise<void> {
    const next = following.then(() => tellUpTo(now, events));
    following = next.catch(() => {});
    return next;
  }

  async function tellUpTo(now: LogRecord, events: readonly LogEvent[]): Promise<void> {
    const own = events.length > 0 && at.head >= now.head - events.length;
    while (at.head < now.head) {
      const known = own || (events.length > 0 && at.head >= now.head - events.length);
      const page = known ? events.filter(({ seq }) => seq > at.head) : await reading("reading what other tabs wrote", (tx, { first }) => readPage(tx, namespace, Math.max(at.head + 1, first), now.head, PAGE));
      // Trimmed before it was seen here: readers find a gap where they stand.
      const head = page.at(-1)?.seq ?? now.head;
      const offset = head === now.head ? now.offset : page.reduce((sum, { size }) => sum + size, at.offset);
      at = { ...at, head, offset };
      if (head === now.head) at = { ...now, first: Math.max(at.first, now.first), trimmed: Math.max(at.trimmed, now.trimmed) };
      listeners.tell(page);
    }
    if (now.first > at.first) at = { ...at, first: now.first, trimmed: now.trimmed };
  }

  return {
    epoch,
    get head() { return at.head; },
    get first() { return at.first; },
    get extent() { return { events: at.head - at.first + 1, size: at.offset - at.trimmed }; },
    lost: lost.promise,

    append: (batches) => new Promise((resolve, reject) => {
      waiting.push({ batches, resolve, reject });
      if (!writing) void write();
    }),

    async read(after, limit) {
      if (after >= at.head) return [];
      return reading("reading the log", (tx, { first }) => readPage(tx, namespace, Math.max(after + 1, first), at.head, limit));
    },

    readStream: (stream, from, limit, direction) => reading("reading an event stream", (tx, now) => readStream(tx, namespace, now, stream, from, limit, direction)),

    seqBefore: (time) => reading("searching the log", async (tx, { first }) => (await lastBefore(tx, namespace, time, first, at.head)) ?? first - 1),

    watch: listeners.add,

    async trim(seq) {
      // If a power loss undoes it, what was trimmed is there once more: no promise is broken, so it need not wait for the disk.
      const drop = (note: boolean) => inTransaction("trimming the log", "readwrite", "relaxed", async (tx, before) => {
        const first = Math.min(seq, before.head) + 1;
        if (first <= before.first) return before;
        if (before.streamed) await trimStreams(tx, namespace, before.first, first - 1);
        // A block of which a part remains stays whole until all of it goes: readers do not see what is before `first`.
        const block = first > before.head ? undefined : await blockAt(tx, namespace, first);
        const after = { ...before, first, trimmed: block?.offsetOf(first) ?? before.offset };
        dropBlocks(tx, namespace, block?.first ?? first);
        if (note) put(tx.objectStore("logs").put(after, namespace));
        return after;
      });
      let now: LogRecord;
      try {
        now = await drop(true);
      } catch (error) {
        if ((error as { code?: string }).code !== "ERR_QUOTA") throw error;
        // With a full quota deleting is all that is allowed, and just what is needed.
        now = await drop(false);
        floor = { first: now.first, trimmed: now.trimmed };
      }
      await follow(now);
      told();
    },

    readBookmark: (key) => reading("reading a bookmark", (tx) => tx.objectStore("bookmarks").get([namespace, key])),

    listBookmarks: (prefix) => reading("reading bookmarks", async (tx) => {
      const range = IDBKeyRange.bound([namespace, prefix], [namespace, behind(prefix)], false, true);
      const [keys, values] = await Promise.all([tx.objectStore("bookmarks").getAllKeys(range), tx.objectStore("bookmarks").getAll(range)]);
      return keys.map(([, key], index) => [key, values[index]!] as const);
    }),

    async writeBookmarks(entries) {
      if (entries.length === 0) return;
      await inTransaction("writing bookmarks", "readwrite", "strict", async (tx) => {
        const store = tx.objectStore("bookmarks");
        for (const [key, value] of entries) put(value === undefined ? store.delete([namespace, key]) : store.put(value, [namespace, key]));
      });
    },

    refresh() {
      // One look sees everything that was written until then.
      if (refreshing) return;
      refreshing = true;
      const look = async (): Promise<void> => {
        refreshing = false;
        const now = await reading("looking for what other tabs wrote", async (_tx, record) => record);
        await tellUpTo(now, []);
      };
      following = following.then(look).catch((error: unknown) => { if ((error as { code?: string }).code !== "ERR_EPOCH") onError?.(error); });
    },
  };
}

/** The first text behind all that begin with a prefix; a list is behind every text. */
function behind(prefix: string): string {
  for (let end = prefix.length; end > 0; end--) {
    const unit = prefix.charCodeAt(end - 1);
    if (unit < 0xffff) return prefix.slice(0, end - 1) + String.fromCharCode(unit + 1);
  }
  return LAST;
}

import { EventRouterError, PublishError } from "../core/errors.ts";
import type { LogEvent } from "../core/log-event.ts";
import type { Log, PageLimit } from "../core/store.ts";
import { admit, type KnownIds } from "./admission.ts";
import { blocks } from "./sqlite-blocks.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { sqliteIds } from "./sqlite-ids.ts";
import { logTable, openNamespace } from "./sqlite-schema.ts";
import { sqliteStreams } from "./sqlite-streams.ts";
import { fromSqlText, MARK, toSqlText } from "./sqlite-text.ts";
import type { Transactions } from "./sqlite-transactions.ts";
import { storeError } from "./store-error.ts";
import { watchers } from "./watchers.ts";

export interface SqliteLogOptions {
  readonly db: SqliteDatabase;
  readonly transactions: Transactions;
  readonly namespace: string;
  /** Makes the epoch, if the log is new. */
  epoch(): string;
  onError?: ((error: unknown) => void) | undefined;
}

/** Where a log stands. Offsets are sizes since it began: of all that was trimmed, and of all there ever was. */
interface Extent { readonly first: number; readonly head: number; readonly trimmed: number; readonly offset: number }

export function sqliteLog({ db, transactions, namespace, epoch: makeEpoch, onError }: SqliteLogOptions): Log {
  const { id, epoch } = openNamespace(db, transactions, namespace, makeEpoch);
  const table = blocks(db, logTable(id));
  const ids = sqliteIds(db, id);
  const streams = sqliteStreams(db, id);
  const listeners = watchers(onError);
  const selectFirst = db.prepare("SELECT first, trimmed FROM er_namespaces WHERE id = ?");
  const updateFirst = db.prepare("UPDATE er_namespaces SET first = ?, trimmed = ? WHERE id = ?");
  const selectBookmark = db.prepare("SELECT value FROM er_bookmarks WHERE namespace = ? AND key = ?");
  const selectBookmarks = db.prepare("SELECT key, value FROM er_bookmarks WHERE namespace = ? AND ((key >= ? AND key < ?) OR (key >= ? AND key < ?))");
  const insertBookmark = db.prepare("INSERT OR REPLACE INTO er_bookmarks (namespace, key, value) VALUES (?, ?, ?)");
  const deleteBookmark = db.prepare("DELETE FROM er_bookmarks WHERE namespace = ? AND key = ?");
  let at = load();
  /** A write failed, and what the database holds has not been looked at since. */
  let doubtful = false;

  const known: KnownIds = {
    mark: ids.mark,
    seqOf: ids.seqOf,
    lineAt: (seq) => (seq < at.first || seq > at.head ? undefined : table.at(seq).line(seq)),
    streamLength: streams.length,
  };

  function load(): Extent {
    const { first, trimmed } = selectFirst.get(id) as { first: number; trimmed: number };
    const end = table.end();
    return { first, trimmed, head: end?.seq ?? first - 1, offset: end?.offset ?? trimmed };
  }

  /** After a failure what is in memory is taken from the database anew: a COMMIT may have failed on its way back, and then watchers must hear of it. */
  function recover(): void {
    transactions.settle();
    table.forget();
    ids.forget();
    const now = load();
    const missed = now.head > at.head ? table.page(at.head + 1, now.head, { events: Infinity, size: Infinity }) : [];
    at = now;
    doubtful = false;
    listeners.tell(missed);
  }

  function page(after: number, limit: PageLimit): LogEvent[] {
    const from = Math.max(after + 1, at.first);
    return from > at.head ? [] : table.page(from, at.head, limit);
  }

  function read<T>(doing: string, work: () => T): T {
    try {
      if (doubtful) recover();
      return work();
    } catch (cause) {
      throw storeError(EventRouterError, doing, cause);
    }
  }

  function write<T>(doing: string, work: () => T): T {
    try {
      if (doubtful) recover();
      return work();
    } catch (cause) {
      doubtful = true;
      try {
        recover();
      } catch {
        // The next call tries again, and reports.
      }
      throw storeError(PublishError, doing, cause);
    }
  }

  return {
    epoch,
    get head() { return at.head; },
    get first() { return at.first; },
    get extent() { return { events: at.head - at.first + 1, size: at.offset - at.trimmed }; },

    async append(batches) {
      return write("writing to the log", () => {
        const admission = admit(batches, at.head, known);
        const { events, outcomes } = admission;
        if (events.length === 0) return outcomes;
        transactions.run(() => {
          table.append(events, at.offset);
          ids.write(admission);
          streams.write(admission);
        });
        let { offset } = at;
        for (const { size } of events) offset += size;
        at = { ...at, head: at.head + events.length, offset };
        ids.adopt(admission);
        listeners.tell(events);
        return outcomes;
      });
    },

    async read(after, limit) { return read("reading the log", () => page(after, limit)); },

    async readStream(stream, from, limit, direction) {
      return read("reading an event stream", () => {
        const events: LogEvent[] = [];
        let room = limit.size;
        for (const seq of streams.seqs(stream, from, limit, direction)) {
          if (seq < at.first) continue;
          const event = table.at(seq).event(seq);
          room -= event.size;
          if (room < 0 && events.length > 0) break;
          events.push(event);
        }
        return { events, length: streams.length(stream) };
      });
    },

    async seqBefore(time) {
      return read("searching the log", () => {
        const block = table.before(time, at.first, at.head);
        if (block === undefined) return at.first - 1;
        let seq = block.last;
        while (seq >= at.first && block.event(seq).time >= time) seq--;
        return Math.max(seq, at.first - 1);
      });
    },

    watch: listeners.add,

    async trim(seq) {
      write("trimming the log", () => {
        const first = Math.min(seq, at.head) + 1;
        if (first <= at.first) return;
        // A block of which a part remains stays whole until all of it goes: readers do not see what is before `first`.
        const block = first > at.head ? undefined : table.at(first);
        const trimmed = block?.offsetOf(first) ?? at.offset;
        transactions.run(() => {
          updateFirst.run(first, trimmed, id);
          table.drop(block?.first ?? first);
          streams.trim(first - 1);
        });
        at = { ...at, first, trimmed };
      });
    },

    async readBookmark(key) {
      return read("reading a bookmark", () => {
        const row = (selectBookmark.get(id, toSqlText(key)) ?? undefined) as { value: string } | undefined;
        return row === undefined ? undefined : fromSqlText(row.value);
      });
    },

    async listBookmarks(prefix) {
      return read("reading bookmarks", () => {
        // Names that are written as JSON stand apart, whatever they begin with.
        const rows = selectBookmarks.all(id, prefix, `${prefix}\u{10ffff}\u{10ffff}`, MARK, `${MARK}\u{10ffff}`) as { key: string; value: string }[];
        return rows.map(({ key, value }) => [fromSqlText(key), fromSqlText(value)] as const).filter(([key]) => key.startsWith(prefix));
      });
    },

    async writeBookmarks(entries) {
      if (entries.length === 0) return;
      write("writing bookmarks", () => transactions.run(() => {
        for (const [key, value] of entries) {
          if (value === undefined) deleteBookmark.run(id, toSqlText(key));
          else insertBookmark.run(id, toSqlText(key), toSqlText(value));
        }
      }));
    },
  };
}

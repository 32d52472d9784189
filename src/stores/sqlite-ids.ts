import { markKey, type Admission, type KnownIds } from "./admission.ts";
import type { NumberRange, RunMark } from "./run-mark.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { toSqlText } from "./sqlite-text.ts";

/** Marks kept in memory per namespace: the instances that publish now. The others are a look-up away. */
const CACHED_MARKS = 4_096;

/** The ids that a namespace remembers (P4): marks of instances, and single ids. */
export interface SqliteIds extends Pick<KnownIds, "mark" | "seqOf"> {
  /** Writes what an append brought; the cache follows only with `adopt`, after the commit. */
  write(admission: Admission): void;
  adopt(admission: Admission): void;
  forget(): void;
}

export function sqliteIds(db: SqliteDatabase, namespace: number): SqliteIds {
  const selectMark = db.prepare("SELECT top, seq, missing, singles FROM er_producers WHERE namespace = ? AND instance = ? AND publisher = ?");
  const insertMark = db.prepare("INSERT OR REPLACE INTO er_producers (namespace, instance, publisher, top, seq, missing, singles) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const selectId = db.prepare("SELECT seq FROM er_ids WHERE namespace = ? AND id = ? AND publisher = ?");
  const insertId = db.prepare("INSERT INTO er_ids (namespace, id, publisher, seq) VALUES (?, ?, ?, ?)");
  /** Least recently used first. */
  const cache = new Map<string, RunMark>();

  function remember(key: string, mark: RunMark): void {
    cache.delete(key);
    cache.set(key, mark);
    if (cache.size > CACHED_MARKS) cache.delete(cache.keys().next().value!);
  }

  return {
    mark(publisher, instance) {
      const key = markKey(publisher, instance);
      let mark = cache.get(key);
      if (mark === undefined) {
        const row = (selectMark.get(namespace, instance, toSqlText(publisher)) ?? undefined) as { top: number; seq: number; missing: string; singles: number } | undefined;
        if (row === undefined) return undefined;
        mark = { top: row.top, seq: row.seq, missing: JSON.parse(row.missing) as NumberRange[], singles: row.singles === 1 };
      }
      remember(key, mark);
      return mark;
    },
    seqOf(publisher, id) {
      return ((selectId.get(namespace, toSqlText(id), toSqlText(publisher)) ?? undefined) as { seq: number } | undefined)?.seq;
    },
    write({ marks, ids }) {
      for (const { publisher, instance, mark } of marks) {
        insertMark.run(namespace, instance, toSqlText(publisher), mark.top, mark.seq, JSON.stringify(mark.missing), mark.singles ? 1 : 0);
      }
      for (const { publisher, id, seq } of ids) insertId.run(namespace, toSqlText(id), toSqlText(publisher), seq);
    },
    adopt({ marks }) {
      for (const { publisher, instance, mark } of marks) remember(markKey(publisher, instance), mark);
    },
    forget: () => cache.clear(),
  };
}

import type { PageLimit } from "../core/store.ts";
import type { Admission } from "./admission.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { toSqlText } from "./sqlite-text.ts";

/** Where the events of a namespace's event streams are in its log. */
export interface SqliteStreams {
  /** Events a stream ever had: its next version, whatever was trimmed. */
  length(stream: string): number;
  /** Seqs of events that are not trimmed, from a version on. */
  seqs(stream: string, from: number, limit: PageLimit, direction: "forward" | "backward"): readonly number[];
  write(admission: Admission): void;
  /** Forgets events up to this seq. */
  trim(seq: number): void;
}

export function sqliteStreams(db: SqliteDatabase, namespace: number): SqliteStreams {
  const selectLength = db.prepare("SELECT length FROM er_streams WHERE namespace = ? AND stream = ?");
  const insertLength = db.prepare("INSERT OR REPLACE INTO er_streams (namespace, stream, length) VALUES (?, ?, ?)");
  const insertEvent = db.prepare("INSERT INTO er_stream_events (namespace, stream, version, seq) VALUES (?, ?, ?, ?)");
  const selectUp = db.prepare("SELECT seq FROM er_stream_events WHERE namespace = ? AND stream = ? AND version >= ? ORDER BY version LIMIT ?");
  const selectDown = db.prepare("SELECT seq FROM er_stream_events WHERE namespace = ? AND stream = ? AND version <= ? ORDER BY version DESC LIMIT ?");
  const remove = db.prepare("DELETE FROM er_stream_events WHERE namespace = ? AND seq <= ?");
  return {
    length: (stream) => ((selectLength.get(namespace, toSqlText(stream)) ?? undefined) as { length: number } | undefined)?.length ?? 0,
    seqs(stream, from, { events }, direction) {
      const select = direction === "forward" ? selectUp : selectDown;
      return (select.all(namespace, toSqlText(stream), from, Math.min(events, Number.MAX_SAFE_INTEGER)) as { seq: number }[]).map(({ seq }) => seq);
    },
    write({ streams }) {
      const lengths = new Map<string, number>();
      for (const { stream, version, seq } of streams) {
        insertEvent.run(namespace, toSqlText(stream), version, seq);
        lengths.set(stream, version + 1);
      }
      for (const [stream, length] of lengths) insertLength.run(namespace, toSqlText(stream), length);
    },
    trim: (seq) => void remove.run(namespace, seq),
  };
}

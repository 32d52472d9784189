import { LogEvent } from "../core/log-event.ts";
import type { PageLimit } from "../core/store.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** Where a block is cut: a page of a log is never much more than it asked for, and a row stays well below what databases limit (2 MB in a Durable Object). */
const BLOCK_EVENTS = 512;
const BLOCK_SIZE = 256 * 1024;

interface Row { readonly offset: number; readonly lines: string }

/** Some consecutive events, as one row of the log table. Sizes are sums of the lines' lengths. */
export class Block {
  readonly first: number;
  readonly last: number;
  /** Size of the log before this block, since it began. */
  readonly offset: number;
  readonly lines: readonly string[];
  readonly #events: LogEvent[] = [];

  constructor(first: number, { offset, lines }: Row) {
    this.first = first;
    this.offset = offset;
    this.lines = lines.split("\n");
    this.last = first + this.lines.length - 1;
  }

  line(seq: number): string { return this.lines[seq - this.first]!; }
  event(seq: number): LogEvent { return (this.#events[seq - this.first] ??= LogEvent.fromLine(this.line(seq))); }
  /** Size of the log before this event, since it began. */
  offsetOf(seq: number): number {
    let offset = this.offset;
    for (let at = this.first; at < seq; at++) offset += this.line(at).length;
    return offset;
  }
}

/** A log's blocks. Seqs have no holes, so neither have they. */
export interface Blocks {
  /** The block that holds a seq; the seq must be in the log. The last one is remembered: pages and searches come back to it. */
  at(seq: number): Block;
  /** Events from a seq up to another, as many as the limit allows, at least one. */
  page(from: number, to: number, limit: PageLimit): LogEvent[];
  /** The last block that begins before a time, among those of these seqs. */
  before(time: number, first: number, last: number): Block | undefined;
  /** Last seq and size since the log began; undefined if there is no block. */
  end(): { readonly seq: number; readonly offset: number } | undefined;
  append(events: readonly LogEvent[], offset: number): void;
  /** Deletes the blocks that begin before a seq. */
  drop(before: number): void;
  forget(): void;
}

export function blocks(db: SqliteDatabase, table: string): Blocks {
  const insert = db.prepare(`INSERT INTO ${table} (first_seq, last_seq, first_time, offset, size, lines) VALUES (?, ?, ?, ?, ?, ?)`);
  const selectAt = db.prepare(`SELECT first_seq, offset, lines FROM ${table} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`);
  const selectNext = db.prepare(`SELECT offset, lines FROM ${table} WHERE first_seq > ? AND first_seq <= ? AND offset < ? ORDER BY first_seq`);
  const selectTime = db.prepare(`SELECT first_seq, last_seq, first_time FROM ${table} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`);
  const selectEnd = db.prepare(`SELECT last_seq, offset + size AS size FROM ${table} ORDER BY first_seq DESC LIMIT 1`);
  const remove = db.prepare(`DELETE FROM ${table} WHERE first_seq < ?`);
  let recent: Block | undefined;

  function at(seq: number): Block {
    if (recent === undefined || seq < recent.first || seq > recent.last) {
      const row = selectAt.get(seq) as Row & { readonly first_seq: number };
      recent = new Block(row.first_seq, row);
    }
    return recent;
  }

  function* from(seq: number, last: number, limit: PageLimit): Generator<Block> {
    let block = at(seq);
    yield block;
    // Blocks that begin behind the page's last event, or at an offset that it cannot reach, are not read.
    const rows = selectNext.all(block.first, Math.min(last, seq + limit.events - 1), block.offsetOf(seq) + limit.size) as Row[];
    for (const row of rows) yield (recent = block = new Block(block.last + 1, row));
  }

  return {
    at,
    page(first, last, limit) {
      const events: LogEvent[] = [];
      let room = limit.size;
      for (const block of from(first, last, limit)) {
        for (let seq = Math.max(first, block.first); seq <= Math.min(last, block.last); seq++) {
          room -= block.line(seq).length;
          if (events.length > 0 && (room < 0 || events.length >= limit.events)) return events;
          events.push(block.event(seq));
        }
        if (block.last >= last || room <= 0 || events.length >= limit.events) return events;
      }
      return events;
    },
    before(time, first, last) {
      let found: number | undefined;
      for (let low = first, high = last; low <= high; ) {
        const row = selectTime.get(Math.floor((low + high) / 2)) as { first_seq: number; last_seq: number; first_time: number };
        if (row.first_time < time) {
          found = row.first_seq;
          low = row.last_seq + 1;
        } else {
          high = row.first_seq - 1;
        }
      }
      return found === undefined ? undefined : at(found);
    },
    end() {
      const row = (selectEnd.get() ?? undefined) as { last_seq: number; size: number } | undefined;
      return row === undefined ? undefined : { seq: row.last_seq, offset: row.size };
    },
    append(events, offset) {
      for (let start = 0; start < events.length; ) {
        const lines: string[] = [];
        let size = 0;
        for (let event = events[start]; event !== undefined && lines.length < BLOCK_EVENTS && (size === 0 || size + event.size <= BLOCK_SIZE); event = events[start + lines.length]) {
          lines.push(event.line);
          size += event.size;
        }
        const { seq, time } = events[start]!;
        insert.run(seq, seq + lines.length - 1, time, offset, size, lines.join("\n"));
        offset += size;
        start += lines.length;
      }
    },
    drop: (before) => void remove.run(before),
    forget() { recent = undefined; },
  };
}

import { LogEvent } from "../core/log-event.ts";
import type { PageLimit } from "../core/store.ts";
import { LAST, type BlockRecord, type Transaction } from "./indexeddb-schema.ts";

/** Where a block is cut: small enough that reading one event of it costs little, large enough that a write is one record. */
const BLOCK_EVENTS = 512;
const BLOCK_SIZE = 256 * 1024;
/** Blocks asked for at once; more each time, as a page may be one block or hundreds of single events. */
const FEW = 4;
const MANY = 256;

/** A block with its lines taken apart. */
export class Block {
  readonly first: number;
  readonly last: number;
  readonly time: number;
  readonly lines: readonly string[];
  readonly #offset: number;

  constructor({ first, last, time, offset, lines }: BlockRecord) {
    this.first = first;
    this.last = last;
    this.time = time;
    this.lines = lines.split("\n");
    this.#offset = offset;
  }

  line(seq: number): string { return this.lines[seq - this.first]!; }

  /** Size of the log before this event, since it began. */
  offsetOf(seq: number): number {
    let offset = this.#offset;
    for (let at = this.first; at < seq; at++) offset += this.line(at).length;
    return offset;
  }
}

/** The block that holds a seq; undefined if it is not in the log. */
export async function blockAt(tx: Transaction, namespace: string, seq: number): Promise<Block | undefined> {
  const cursor = await tx.objectStore("blocks").openCursor(IDBKeyRange.bound([namespace, 0], [namespace, seq]), "prev");
  return cursor === null || cursor.value.last < seq ? undefined : new Block(cursor.value);
}

export async function firstBlock(tx: Transaction, namespace: string): Promise<BlockRecord | undefined> {
  const cursor = await tx.objectStore("blocks").openCursor(IDBKeyRange.bound([namespace, 0], [namespace, LAST]));
  return cursor?.value;
}

/** Blocks from the one that holds a seq up to the one that holds another. */
export async function* blocksFrom(tx: Transaction, namespace: string, from: number, to: number): AsyncGenerator<Block, void> {
  const first = await blockAt(tx, namespace, from);
  if (first !== undefined) yield first;
  let next = first === undefined ? from : first.last + 1;
  for (let count = FEW; next <= to; count = Math.min(count * 4, MANY)) {
    const records = await tx.objectStore("blocks").getAll(IDBKeyRange.bound([namespace, next], [namespace, to]), count);
    for (const record of records) yield new Block(record);
    if (records.length < count) return;
    next = records.at(-1)!.last + 1;
  }
}

/** Events from a seq up to another, as many as the limit allows, at least one if there is one. */
export async function readPage(tx: Transaction, namespace: string, from: number, to: number, limit: PageLimit): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  let room = limit.size;
  for await (const block of blocksFrom(tx, namespace, from, to)) {
    for (let seq = Math.max(from, block.first); seq <= Math.min(to, block.last); seq++) {
      room -= block.line(seq).length;
      if (events.length > 0 && (room < 0 || events.length >= limit.events)) return events;
      events.push(LogEvent.fromLine(block.line(seq)));
    }
    if (block.last >= to || room <= 0 || events.length >= limit.events) return events;
  }
  return events;
}

/** Writes events behind the log's end, where this much came before them. */
export function appendBlocks(tx: Transaction, namespace: string, events: readonly LogEvent[], offset: number): void {
  for (let start = 0; start < events.length; ) {
    const lines: string[] = [];
    let size = 0;
    for (let event = events[start]; event !== undefined && lines.length < BLOCK_EVENTS && (size === 0 || size + event.size <= BLOCK_SIZE); event = events[start + lines.length]) {
      lines.push(event.line);
      size += event.size;
    }
    const { seq, time } = events[start]!;
    put(tx.objectStore("blocks").put({ first: seq, last: seq + lines.length - 1, time, offset, lines: lines.join("\n") }, [namespace, seq]));
    offset += size;
    start += lines.length;
  }
}

/** Deletes the blocks that begin before a seq. */
export function dropBlocks(tx: Transaction, namespace: string, before: number): void {
  put(tx.objectStore("blocks").delete(IDBKeyRange.bound([namespace, 0], [namespace, before], false, true)));
}

/** The last event that is older than a time, among those of these seqs; undefined if none is. */
export async function lastBefore(tx: Transaction, namespace: string, time: number, first: number, head: number): Promise<number | undefined> {
  let found: Block | undefined;
  for (let low = first, high = head; low <= high; ) {
    const block = await blockAt(tx, namespace, Math.floor((low + high) / 2));
    if (block === undefined) return undefined;
    if (block.time < time) {
      found = block;
      low = block.last + 1;
    } else {
      high = block.first - 1;
    }
  }
  if (found === undefined) return undefined;
  let seq = found.last;
  while (seq >= first && LogEvent.fromLine(found.line(seq)).time >= time) seq--;
  return seq < first ? undefined : seq;
}

/** A request whose failure is the transaction's, which is waited for. */
export function put(request: Promise<unknown>): void {
  request.catch(() => {});
}

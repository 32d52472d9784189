import { LogEvent } from "../core/log-event.ts";
import type { PageLimit, StreamPage } from "../core/store.ts";
import { blockAt, blocksFrom, put, type Block } from "./indexeddb-blocks.ts";
import { LAST, type LogRecord, type Transaction } from "./indexeddb-schema.ts";

/** Versions looked up at once. */
const VERSIONS = 256;

/** Events a stream ever had: its next version, whatever was trimmed. */
export async function streamLength(tx: Transaction, namespace: string, stream: string): Promise<number> {
  const cursor = await tx.objectStore("streams").openKeyCursor(IDBKeyRange.bound([namespace, stream, 0], [namespace, stream, LAST]), "prev");
  return cursor === null ? 0 : cursor.key[2] + 1;
}

export async function readStream(tx: Transaction, namespace: string, { first, head }: LogRecord, stream: string, from: number, limit: PageLimit, direction: "forward" | "backward"): Promise<StreamPage> {
  const length = await streamLength(tx, namespace, stream);
  const events: LogEvent[] = [];
  let room = limit.size;
  let block: Block | undefined;
  for await (const seq of seqsOf(tx, namespace, stream, direction === "forward" ? from : Math.min(from, length - 1), length, direction)) {
    if (seq < first || seq > head) continue;
    if (block === undefined || seq < block.first || seq > block.last) block = await blockAt(tx, namespace, seq);
    const event = LogEvent.fromLine(block!.line(seq));
    room -= event.size;
    if (room < 0 && events.length > 0) break;
    events.push(event);
    if (events.length >= limit.events) break;
  }
  return { events, length };
}

async function* seqsOf(tx: Transaction, namespace: string, stream: string, from: number, length: number, direction: "forward" | "backward"): AsyncGenerator<number, void> {
  const store = tx.objectStore("streams");
  const step = direction === "forward" ? VERSIONS : -VERSIONS;
  for (let version = from; version >= 0 && version < length; version += step) {
    const other = version + step + Math.sign(-step);
    const [low, high] = step > 0 ? [version, other] : [Math.max(0, other), version];
    const seqs = await store.getAll(IDBKeyRange.bound([namespace, stream, low], [namespace, stream, high]));
    yield* step > 0 ? seqs : seqs.reverse();
  }
}

/** Forgets where the events up to this seq are; of each stream the last one is kept, which tells its length. */
export async function trimStreams(tx: Transaction, namespace: string, first: number, seq: number): Promise<void> {
  const tops = new Map<string, number>();
  for await (const block of blocksFrom(tx, namespace, first, seq)) {
    for (let at = Math.max(first, block.first); at <= Math.min(seq, block.last); at++) {
      const line = block.line(at);
      if (!line.includes('"stream"')) continue;
      const { stream, version } = LogEvent.fromLine(line);
      if (stream !== undefined && version !== undefined) tops.set(stream, version);
    }
  }
  for (const [stream, version] of tops) put(tx.objectStore("streams").delete(IDBKeyRange.bound([namespace, stream, 0], [namespace, stream, version], false, true)));
}

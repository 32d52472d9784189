import { parseEventId } from "../core/event-id.ts";
import type { Batch } from "../core/store.ts";
import { admit, idKey, markKey, type Admission, type KnownIds } from "./admission.ts";
import { blockAt, blocksFrom, put } from "./indexeddb-blocks.ts";
import type { LogRecord, Transaction } from "./indexeddb-schema.ts";
import { streamLength } from "./indexeddb-streams.ts";
import type { RunMark } from "./run-mark.ts";

/** How much further back lines are fetched each time: what is searched for is mostly near, and may be 4,096 events back. */
const FURTHER = 8;

/**
 * `admit` asks at once, IndexedDB answers later. So what it will surely ask is fetched before; then it is run, and what it asked in vain is fetched, until it
 * lacks nothing: it decides nothing but by what is known, so only the last run counts. Nothing is awaited but the transaction's requests, as another wait
 * would end it.
 */
export async function admitInside(tx: Transaction, namespace: string, { head, first }: LogRecord, batches: readonly Batch[]): Promise<Admission> {
  const marks = new Map<string, RunMark | undefined>();
  const ids = new Map<string, number | undefined>();
  const lengths = new Map<string, number>();
  const lines = new Map<number, string>();
  let reach = 1;
  let missing = new Map<string, () => Promise<void>>();

  const ask = (what: string, fetch: () => Promise<void>): undefined => void missing.set(what, fetch);
  const askMark = (key: string, publisher: string, instance: string): undefined => ask(`mark ${key}`, async () => void marks.set(key, await tx.objectStore("marks").get([namespace, instance, publisher])));
  const askId = (key: string, publisher: string, id: string): undefined => ask(`id ${key}`, async () => void ids.set(key, await tx.objectStore("ids").get([namespace, publisher, id])));

  const known: KnownIds = {
    mark(publisher, instance) {
      const key = markKey(publisher, instance);
      return marks.has(key) ? marks.get(key) : askMark(key, publisher, instance);
    },
    seqOf(publisher, id) {
      const key = idKey(publisher, id);
      return ids.has(key) ? ids.get(key) : askId(key, publisher, id);
    },
    lineAt(seq) {
      if (seq < first || seq > head) return undefined;
      return lines.get(seq) ?? ask(`line ${seq}`, async () => {
        // From the block that the search will want after the one it wants now.
        const start = (await blockAt(tx, namespace, Math.max(first, seq - reach + 1)))?.first ?? first;
        for await (const block of blocksFrom(tx, namespace, start, seq)) block.lines.forEach((line, index) => lines.set(block.first + index, line));
      });
    },
    streamLength: (stream) => lengths.get(stream) ?? ask(`stream ${stream}`, async () => void lengths.set(stream, await streamLength(tx, namespace, stream))) ?? 0,
  };

  for (const { publisher, run, drafts } of batches) {
    for (const { id } of drafts) {
      const place = parseEventId(id);
      if (place !== undefined) known.mark(publisher, place.instance);
      if (!run) known.seqOf(publisher, id);
    }
  }
  for (;;) {
    const fetches = missing;
    missing = new Map();
    await Promise.all([...fetches.values()].map((fetch) => fetch()));
    const admission = admit(batches, head, known);
    if (missing.size === 0) return admission;
    reach *= FURTHER;
  }
}

/** Writes what an admission says besides the events. */
export function writeAdmission(tx: Transaction, namespace: string, { marks, ids, streams }: Admission): void {
  for (const { publisher, instance, mark } of marks) put(tx.objectStore("marks").put(mark, [namespace, instance, publisher]));
  for (const { publisher, id, seq } of ids) put(tx.objectStore("ids").put(seq, [namespace, publisher, id]));
  for (const { stream, version, seq } of streams) put(tx.objectStore("streams").put(seq, [namespace, stream, version]));
}

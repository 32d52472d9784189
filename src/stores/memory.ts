import { randomText } from "../core/event-id.ts";
import type { LogEvent } from "../core/log-event.ts";
import type { Log, Store } from "../core/store.ts";
import { admit, idKey, markKey, type KnownIds } from "./admission.ts";
import { eventChunks } from "./event-chunks.ts";
import type { RunMark } from "./run-mark.ts";
import { watchers } from "./watchers.ts";

export interface MemoryStoreOptions {
  /** Where each log's epoch comes from. */
  randomBytes(count: number): Uint8Array;
  /** Gets what a watching listener throws; default: it is thrown as an uncaught error. */
  onError?(error: unknown): void;
}

/**
 * A store that holds everything in memory: an append is as durable as the process (`durability: "memory"`), and each life of the store has
 * epochs of its own, so that readers are told of the loss. It grows until it is trimmed.
 *
 * @example
 * const store = memoryStore({ randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) });
 */
export function memoryStore(options: MemoryStoreOptions): Store {
  const logs = new Map<string, Log>();
  return {
    durability: "memory",
    async open(namespace) {
      let log = logs.get(namespace);
      if (log === undefined) logs.set(namespace, (log = memoryLog(randomText(12, options.randomBytes), options.onError)));
      return log;
    },
    async close() { logs.clear(); },
  };
}

function memoryLog(epoch: string, onError: MemoryStoreOptions["onError"]): Log {
  const events = eventChunks();
  const marks = new Map<string, RunMark>();
  const ids = new Map<string, number>();
  const bookmarks = new Map<string, string>();
  /** Seqs of each stream's events by version. */
  const streams = new Map<string, number[]>();
  const listeners = watchers(onError);
  let first = 1;
  let head = 0;
  let size = 0;

  const known: KnownIds = {
    mark: (publisher, instance) => marks.get(markKey(publisher, instance)),
    seqOf: (publisher, id) => ids.get(idKey(publisher, id)),
    lineAt: (seq) => events.at(seq)?.line,
    streamLength: (stream) => streams.get(stream)?.length ?? 0,
  };

  return {
    epoch,
    get head() { return head; },
    get first() { return first; },
    get extent() { return { events: head - first + 1, size }; },

    async append(batches) {
      const admission = admit(batches, head, known);
      for (const event of admission.events) {
        events.push(event);
        size += event.size;
      }
      head += admission.events.length;
      for (const { publisher, instance, mark } of admission.marks) marks.set(markKey(publisher, instance), mark);
      for (const { publisher, id, seq } of admission.ids) ids.set(idKey(publisher, id), seq);
      for (const { stream, seq } of admission.streams) {
        const seqs = streams.get(stream);
        if (seqs === undefined) streams.set(stream, [seq]);
        else seqs.push(seq);
      }
      listeners.tell(admission.events);
      return admission.outcomes;
    },

    async read(after, limit) {
      const page: LogEvent[] = [];
      let room = limit.size;
      for (let seq = Math.max(after + 1, first); seq <= head && page.length < limit.events; seq++) {
        const event = events.at(seq)!;
        room -= event.size;
        if (room < 0 && page.length > 0) break;
        page.push(event);
      }
      return page;
    },

    async readStream(stream, from, limit, direction) {
      const seqs = streams.get(stream) ?? [];
      const step = direction === "forward" ? 1 : -1;
      const page: LogEvent[] = [];
      let room = limit.size;
      for (let version = Math.min(from, step > 0 ? from : seqs.length - 1); version >= 0 && version < seqs.length && page.length < limit.events; version += step) {
        const event = events.at(seqs[version]!);
        if (event === undefined) continue;
        room -= event.size;
        if (room < 0 && page.length > 0) break;
        page.push(event);
      }
      return { events: page, length: seqs.length };
    },

    async seqBefore(time) {
      let low = first - 1;
      let high = head;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (events.at(middle)!.time < time) low = middle;
        else high = middle - 1;
      }
      return low;
    },

    watch: listeners.add,

    async trim(seq) {
      const last = Math.min(seq, head);
      if (last < first) return;
      for (let at = first; at <= last; at++) size -= events.at(at)!.size;
      events.drop(first, last);
      first = last + 1;
    },

    async readBookmark(key) { return bookmarks.get(key); },
    async listBookmarks(prefix) { return [...bookmarks].filter(([key]) => key.startsWith(prefix)); },
    async writeBookmarks(entries) {
      for (const [key, value] of entries) {
        if (value === undefined) bookmarks.delete(key);
        else bookmarks.set(key, value);
      }
    },
  };
}

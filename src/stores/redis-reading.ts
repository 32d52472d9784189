import type { LogEvent } from "../core/log-event.ts";
import type { PageLimit, StreamPage } from "../core/store.ts";
import { RedisBlock, type RedisEntry } from "./redis-block.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { toRedisText } from "./redis-text.ts";

/** Sends a command that only reads. */
export type Ask = <T>(command: readonly string[]) => Promise<T>;

/** What of a log may be seen. */
export interface Reach { readonly first: number; readonly head: number }

/** Blocks asked for at once at most. */
const MANY = 256;
const FEW = 16;
/** Versions looked up at once. */
const VERSIONS = 256;

/** Blocks from the one that holds a seq on. */
export async function blocksFrom(ask: Ask, { log }: RedisKeys, seq: number, count: number): Promise<RedisBlock[]> {
  const entries = await ask<readonly RedisEntry[]>(["XRANGE", log, String(seq), "+", "COUNT", String(count)]);
  return entries.map((entry) => new RedisBlock(entry));
}

/** Events from a seq up to the head, as many as the limit allows, at least one if there is one. */
export async function readPage(ask: Ask, keys: RedisKeys, from: number, { first, head }: Reach, limit: PageLimit): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  let room = limit.size;
  let next = Math.max(from, first);
  for (let count = 1; next <= head; ) {
    const blocks = await blocksFrom(ask, keys, next, count);
    for (const block of blocks) {
      for (let seq = Math.max(next, block.first); seq <= Math.min(head, block.last); seq++) {
        const event = block.event(seq);
        room -= event.size;
        if (events.length > 0 && (room < 0 || events.length >= limit.events)) return events;
        events.push(event);
      }
      next = block.last + 1;
    }
    if (blocks.length < count || room <= 0 || events.length >= limit.events) return events;
    // As many as the rest of the page will take, by what came.
    const share = Math.max(events.length / limit.events, 1 - room / limit.size);
    count = Math.min(Math.max(Math.ceil(blocks.length * (1 / share - 1)), 1), MANY);
  }
  return events;
}

/** The lines from one seq to another, by their seqs, with all that are in the same blocks. */
export async function readLines(ask: Ask, keys: RedisKeys, from: number, to: number): Promise<Map<number, string>> {
  const lines = new Map<number, string>();
  for (let next = from, count = 1; next <= to; count = FEW) {
    const blocks = await blocksFrom(ask, keys, next, count);
    for (const block of blocks) for (let seq = block.first; seq <= block.last; seq++) lines.set(seq, block.line(seq));
    if (blocks.length < count) break;
    next = blocks.at(-1)!.last + 1;
  }
  return lines;
}

export async function readStream(ask: Ask, keys: RedisKeys, { first, head }: Reach, stream: string, from: number, limit: PageLimit, direction: "forward" | "backward", attempts = 5): Promise<StreamPage> {
  const events: LogEvent[] = [];
  const [lengthText, present] = await Promise.all([ask<string | null>(["HGET", keys.streams, toRedisText(stream)]), ask<number>(["LLEN", keys.stream(stream)])]);
  const length = Number(lengthText ?? 0);
  const step = direction === "forward" ? 1 : -1;
  let room = limit.size;
  let block: RedisBlock | undefined;
  for (let version = direction === "forward" ? Math.max(from, length - present) : Math.min(from, length - 1); version >= length - present && version < length; version += step * VERSIONS) {
    // Counted from the end: the front of the list may be trimmed meanwhile.
    const other = step > 0 ? Math.min(version + VERSIONS, length) - 1 : Math.max(version - VERSIONS + 1, length - present);
    const seqs = await ask<readonly string[]>(["LRANGE", keys.stream(stream), String(Math.min(version, other) - length), String(Math.max(version, other) - length)]);
    for (const [index, text] of (step > 0 ? seqs : [...seqs].reverse()).entries()) {
      const seq = Number(text);
      if (seq < first || seq > head) continue;
      if (block === undefined || seq < block.first || seq > block.last) [block] = await blocksFrom(ask, keys, seq, 1);
      if (block === undefined || seq < block.first) continue;
      const event = block.event(seq);
      // The list has grown since its length was asked.
      if (event.version !== version + step * index && attempts > 1) return readStream(ask, keys, { first, head }, stream, from, limit, direction, attempts - 1);
      room -= event.size;
      if (room < 0 && events.length > 0) return { events, length };
      events.push(event);
      if (events.length >= limit.events) return { events, length };
    }
  }
  return { events, length };
}

/** The last event that is older than a time; `first - 1` if none is. */
export async function lastBefore(ask: Ask, keys: RedisKeys, time: number, { first, head }: Reach): Promise<number> {
  let found = first - 1;
  for (let low = first, high = head; low <= high; ) {
    const [block] = await blocksFrom(ask, keys, Math.floor((low + high) / 2), 1);
    if (block === undefined) return found;
    let seq = Math.min(block.last, head);
    while (seq >= Math.max(block.first, first) && block.event(seq).time >= time) seq--;
    if (seq < Math.max(block.first, first)) {
      high = block.first - 1;
    } else {
      found = seq;
      if (seq < block.last) return found;
      low = block.last + 1;
    }
  }
  return found;
}

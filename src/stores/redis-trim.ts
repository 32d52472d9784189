import { leadLost } from "../core/peers.ts";
import type { RedisGuard } from "./redis-guard.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { blocksFrom } from "./redis-reading.ts";
import { trimScript } from "./redis-scripts.ts";
import { toRedisText } from "./redis-text.ts";

/** How much of a log with event streams goes in one step. */
const BLOCKS = 16;

/** Where a log begins: its first seq, and the size of all before it. */
export interface LogStart { readonly first: number; readonly trimmed: number }

/** Takes the events before a seq away. */
export async function trimRedis(guard: RedisGuard, keys: RedisKeys, { first, trimmed, head, offset }: LogStart & { readonly head: number; readonly offset: number }, to: number, lead: number | undefined): Promise<LogStart> {
  let now: LogStart = { first, trimmed };
  if (to <= now.first) return now;
  const trim = async (upTo: number, size: number, tops: ReadonlyMap<string, number> = new Map()): Promise<void> => {
    const [fate, begin, gone] = await guard.run<readonly [string, string, string]>(trimScript, [keys.meta, keys.log, keys.streams, keys.control, ...[...tops.keys()].map(keys.stream)],
      [String(upTo), String(size), ...[...tops].flatMap(([stream, version]) => [toRedisText(stream), String(version)])], lead);
    if (fate === "lead") throw leadLost();
    now = { first: Number(begin), trimmed: Number(gone) };
  };
  const sizeBefore = async (seq: number): Promise<number> => (seq > head ? offset : (await blocksFrom(guard.ask, keys, seq, 1))[0]?.offsetOf(seq) ?? now.trimmed);
  if ((await guard.ask<number>(["HLEN", keys.streams])) === 0) {
    await trim(to, await sizeBefore(to));
    return now;
  }
  // What goes is read before: its event streams forget where it was.
  while (now.first < to) {
    const begin = now.first;
    const blocks = (await blocksFrom(guard.ask, keys, begin, BLOCKS)).filter((block) => block.first < to);
    const end = Math.min(to, (blocks.at(-1)?.last ?? to - 1) + 1);
    const tops = new Map<string, number>();
    for (const block of blocks) {
      for (let seq = Math.max(block.first, begin); seq <= Math.min(block.last, end - 1); seq++) {
        const event = block.event(seq);
        if (!event.line.includes('"stream"')) continue;
        if (event.stream !== undefined && event.version !== undefined) tops.set(event.stream, event.version);
      }
    }
    await trim(end, await sizeBefore(end), tops);
    if (now.first <= begin) return now;
  }
  return now;
}

import type { Log } from "../../src/core/store.ts";
import type { LogEvent } from "../../src/core/log-event.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/**
 * A log on a server of its own, as several routers see it: each appends to the one log, and is told of all appends, its own and the others', in order,
 * a little later than they happened. Its answer to an append comes behind the report of it.
 * @param inner the log itself @param lag ms until a router is told, at most
 */
export function sharedLog(inner: Log, process: Process, random: Random, lag: number): Log {
  const listeners = new Set<(events: readonly LogEvent[]) => void>();
  const { life } = process;
  let head = inner.head;
  let lastAt = 0;
  let waiting: { readonly head: number; resolve(): void }[] = [];
  const stop = inner.watch((events) => {
    if (process.life !== life) return stop();
    const at = Math.max(lastAt, process.clockless() + random.skewed(0, lag));
    lastAt = at;
    process.postAt(at, () => {
      head = events.at(-1)!.seq;
      for (const listener of listeners) listener(events);
      const reached = waiting.filter((one) => one.head <= head);
      waiting = waiting.filter((one) => one.head > head);
      for (const { resolve } of reached) resolve();
    });
  });
  const reaches = async (seq: number): Promise<void> => {
    if (seq > head) await new Promise<void>((resolve) => waiting.push({ head: seq, resolve }));
  };
  return {
    ...inner,
    epoch: inner.epoch,
    ...(inner.peers !== undefined && { peers: inner.peers }),
    get head() { return head; },
    get first() { return Math.min(inner.first, head + 1); },
    get extent() { return inner.extent; },
    async append(batches) {
      const outcomes = await inner.append(batches);
      await reaches(Math.max(0, ...outcomes.flat().map((one) => (one.state === "appended" ? one.seq : 0))));
      return outcomes;
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

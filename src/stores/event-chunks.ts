import type { LogEvent } from "../core/log-event.ts";

/** Events in a chunk: small enough that a dropped chunk is soon garbage, large enough that there are few. */
const CHUNK = 512;

/** A growing list of events with consecutive seqs from 1 that loses its front: append, look-up and drop touch only the events concerned. */
export interface EventChunks {
  push(event: LogEvent): void;
  at(seq: number): LogEvent | undefined;
  /** Drops the events `from` … `to`, the oldest there are. */
  drop(from: number, to: number): void;
}

export function eventChunks(): EventChunks {
  const chunks = new Map<number, (LogEvent | undefined)[]>();
  const chunkOf = (seq: number) => Math.floor((seq - 1) / CHUNK);
  return {
    push(event) {
      const chunk = chunks.get(chunkOf(event.seq));
      // The first event of a chunk is always its place 0: drops leave a chunk whole until its last event goes.
      if (chunk === undefined) chunks.set(chunkOf(event.seq), [event]);
      else chunk.push(event);
    },
    at: (seq) => chunks.get(chunkOf(seq))?.[(seq - 1) % CHUNK],
    drop(from, to) {
      for (let seq = from; seq <= to; ) {
        const last = Math.min(to, (chunkOf(seq) + 1) * CHUNK);
        if (last % CHUNK === 0) chunks.delete(chunkOf(seq));
        else chunks.get(chunkOf(seq))?.fill(undefined, 0, last - chunkOf(seq) * CHUNK);
        seq = last + 1;
      }
    },
  };
}

import { fromWire, toWire, type WireError } from "../core/errors.ts";
import type { LogEvent } from "../core/log-event.ts";
import type { Batch, Log, Outcome, PageLimit } from "../core/store.ts";

/** Where a log stands, as plain data. */
export interface Standing {
  readonly epoch: string;
  readonly head: number;
  readonly first: number;
  readonly extent: Log["extent"];
}

/** Events that follow each other, as lines, and where the log stood then. It may stand further on: what is missing is read by position. */
export interface Passage extends Standing {
  /** Seq before the first of them. */
  readonly after: number;
  readonly lines: readonly string[];
}

/** An outcome as plain data. */
export type PlainOutcome = Exclude<Outcome, { state: "refused" }> | { readonly state: "refused"; readonly error: WireError };

/** What the home of a log answers to those that follow it from elsewhere: plain data in both directions, so that it can cross objects and processes. */
export interface LogHome {
  standing(): Promise<Standing>;
  /** Idempotent by the events' ids: whoever has no answer asks again. Answers also with what the asker, who has had everything up to `after`, has not had yet. */
  append(batches: readonly Batch[], after: number): Promise<{ readonly outcomes: readonly (readonly PlainOutcome[])[]; readonly passage: Passage }>;
  read(after: number, limit: PageLimit): Promise<Passage>;
  readStream(stream: string, from: number, limit: PageLimit, direction: "forward" | "backward"): Promise<{ readonly lines: readonly string[]; readonly length: number }>;
  seqBefore(time: number): Promise<number>;
  trim(seq: number): Promise<Standing>;
  readBookmark(key: string): Promise<string | undefined>;
  listBookmarks(prefix: string): ReturnType<Log["listBookmarks"]>;
  writeBookmarks(entries: Parameters<Log["writeBookmarks"]>[0]): Promise<void>;
}

/** What an answer to an append brings along at most; the rest is read. */
const ALONG: PageLimit = { events: 4_096, size: 1024 * 1024 };

/** A log as a home for those that follow it. */
export function logHome(log: Log): LogHome {
  const standing = (): Standing => ({ epoch: log.epoch, head: log.head, first: log.first, extent: { ...log.extent } });
  const read = async (after: number, limit: PageLimit): Promise<Passage> => {
    const events = await log.read(after, limit);
    return passageOf(events, Math.max(after, (events[0]?.seq ?? after + 1) - 1), standing());
  };
  return {
    standing: async () => standing(),
    async append(batches, after) {
      const outcomes = await log.append(batches);
      return { outcomes: outcomes.map((of) => of.map(plain)), passage: await read(after, ALONG) };
    },
    read,
    async readStream(stream, from, limit, direction) {
      const { events, length } = await log.readStream(stream, from, limit, direction);
      return { lines: events.map(({ line }) => line), length };
    },
    seqBefore: (time) => log.seqBefore(time),
    async trim(seq) {
      await log.trim(seq);
      return standing();
    },
    readBookmark: (key) => log.readBookmark(key),
    listBookmarks: (prefix) => log.listBookmarks(prefix),
    writeBookmarks: (entries) => log.writeBookmarks(entries),
  };
}

export function passageOf(events: readonly LogEvent[], after: number, standing: Standing): Passage {
  return { ...standing, after, lines: events.map(({ line }) => line) };
}

function plain(outcome: Outcome): PlainOutcome {
  return outcome.state === "refused" ? { state: "refused", error: toWire(outcome.error) } : outcome;
}

export function outcomeOf(outcome: PlainOutcome): Outcome {
  return outcome.state === "refused" ? { state: "refused", error: fromWire(outcome.error) } : outcome;
}

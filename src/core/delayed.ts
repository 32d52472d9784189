import { Deadlines } from "./deadlines.ts";
import { PublishError } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import { ROUTER } from "./ledger.ts";
import type { LogEvent } from "./log-event.ts";
import type { Batch, Draft } from "./store.ts";

/** When an event is due: after so long by the router's clock, or at a time (ms since 1970). */
export type Due = { readonly in: number } | { readonly at: number };

interface Payload { readonly at?: number; readonly in?: number; readonly line: string }

/** Events that may wait in one namespace. */
const MOST = 100_000;
/** Published in one go. */
const BATCH = 100;
const AGAIN = 1_000;
/** No timestamp is later. */
const LATEST = 8.64e15;

/**
 * Events that are held back: records in the log, until they are due and published under their own id. A crash between is no harm: the id is
 * stored once (P4), so they may be published again.
 */
export class Delayed {
  readonly #ledger: Ledger<number>;
  readonly #publish: (line: string, record: LogEvent) => Draft;
  readonly #failed: (error: unknown) => void;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #deadlines = new Deadlines<string>();
  readonly #leaving = new Set<string>();
  #working = false;

  /** @param options.draft an event as it is appended now, by whom its record says */
  constructor(options: { ledger: Ledger<number>; draft(line: string, record: LogEvent): Draft; now(): number; wakeBy(time: number): void; failed(error: unknown): void }) {
    this.#ledger = options.ledger;
    this.#publish = options.draft;
    this.#failed = options.failed;
    this.#now = options.now;
    this.#wakeBy = options.wakeBy;
  }

  get size(): number { return this.#ledger.size; }

  /** For the ledger: a record was read. */
  opened(key: string, at: number): void {
    this.#deadlines.add(at, key);
    this.#wakeBy(at);
  }

  /**
   * What holds an event back, to be appended by its publisher's own hand: the same id again is a duplicate.
   * @param openStamp the publisher's stamp as JSON, without its end
   * @throws PublishError `ERR_BUSY` if too many wait.
   */
  draft(id: string, line: string, due: Due, openStamp: string): Draft {
    if (this.#ledger.size >= MOST) throw new PublishError("ERR_BUSY", `${MOST} events wait for their time in this namespace; cancel some, or publish this one later`, { retryable: true });
    return this.#ledger.record(`delayed:${id}`, JSON.stringify({ ...due, line } satisfies Payload), openStamp);
  }

  /** Whether it waited still: then it never comes. */
  async cancel(publisher: string, id: string): Promise<boolean> {
    const key = delayedKey(publisher, id);
    if (this.#ledger.get(key) === undefined || this.#leaving.has(key)) return false;
    this.#leaving.add(key);
    try {
      await this.#ledger.close([key], "cancelled");
    } finally {
      this.#leaving.delete(key);
    }
    return true;
  }

  tick(now: number): number | null {
    if (!this.#working && this.#deadlines.next !== null && this.#deadlines.next <= now) void this.#work(now);
    return this.#working ? null : this.#deadlines.next;
  }

  /** See `Ledger.carry`. */
  carry(upTo: number, most: number): Promise<number> {
    return this.#ledger.carry(upTo, most, (record) => {
      const [subject, name] = stampOf(record);
      const { key, at } = readDelayed(record);
      return this.#ledger.record(`${record.id}~${record.seq}`, JSON.stringify({ at, line: (record.payload as Payload).line, key }), `[${JSON.stringify(subject)},${JSON.stringify(name)}`);
    });
  }

  async #work(now: number): Promise<void> {
    this.#working = true;
    let keys: string[] = [];
    try {
      for (;;) {
        keys = [];
        for (let key; keys.length < BATCH && (key = this.#deadlines.take(now)) !== undefined; ) {
          // Those that were cancelled, or written anew, lie about until their time.
          const open = this.#ledger.get(key);
          if (open !== undefined && open.value <= now && !this.#leaving.has(key)) keys.push(key);
        }
        if (keys.length === 0) break;
        for (const key of keys) this.#leaving.add(key);
        await this.#leave(keys);
        for (const key of keys) this.#leaving.delete(key);
      }
    } catch (error) {
      this.#failed(error);
      for (const key of keys) {
        this.#leaving.delete(key);
        this.#deadlines.add(now + AGAIN, key);
      }
    }
    this.#working = false;
    if (this.#deadlines.next !== null) this.#wakeBy(Math.max(this.#deadlines.next, this.#now()));
  }

  /** Publishes them and closes their records, in one transaction. */
  async #leave(keys: readonly string[]): Promise<void> {
    const batches: Batch[] = [];
    const found: string[] = [];
    for (const key of keys) {
      const record = await this.#ledger.newest(key);
      if (record === undefined) {
        // Another router of the log has published it meanwhile, or is about to write it anew.
        if (this.#ledger.get(key) !== undefined) this.#deadlines.add(this.#now() + AGAIN, key);
        continue;
      }
      found.push(key);
      const [subject] = stampOf(record);
      batches.push({ publisher: subject === 0 ? "" : subject, run: false, drafts: [this.#publish((record.payload as Payload).line, record)] });
    }
    if (found.length === 0) return;
    batches.push({ publisher: ROUTER, run: false, drafts: [this.#ledger.closing(found, "published")] });
    await this.#ledger.append(batches);
  }
}

/** The publisher's stamp on a record, without its version. */
export function stampOf(record: LogEvent): readonly [subject: string | 0, name: string | 0] {
  const from = record.fields[2] as readonly [string | 0, string | 0, number];
  return [from[0], from[1]];
}

export function delayedKey(publisher: string, id: string): string { return JSON.stringify([publisher, id]); }

/** Key and time of a record. */
export function readDelayed(record: LogEvent): { readonly key: string; readonly at: number } {
  const { at, in: after, line, key } = record.payload as Payload & { readonly key?: string };
  const [id] = JSON.parse(line) as [string];
  return { key: key ?? delayedKey(record.publisher?.subject ?? "", id), at: Math.min(at ?? record.time + after!, LATEST) };
}

import type { SqliteDatabase } from "../stores/sqlite-database.ts";
import type { SqliteUsage } from "../stores/sqlite-durable-object.ts";

/**
 * Prices of Cloudflare's paid plan as published in November 2026, US dollars, beyond what the plan includes:
 * https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
export const PRICES = {
  date: "2026-11",
  /** A million requests: HTTP, alarms, opened WebSockets, and WebSocket messages that come in, of which twenty are one. */
  request: 0.15e-6,
  messagesPerRequest: 20,
  rowRead: 0.001e-6,
  rowWritten: 1e-6,
  /** A GB-second; an object counts as 128 MB while it is awake and not hibernating. */
  gigabyteSecond: 12.5e-6,
  gigabytes: 0.128,
} as const;

/** Counts since the object was made. */
export interface Counts { requests: number; messages: number; alarms: number; wakes: number; rowsRead: number; rowsWritten: number; awakeMs: number }

/** Requests and messages after which the counts are written down in any case: what is lost when an object is ended is never more. */
const WRITE_EVERY = 200;

/**
 * What an object has used. A socket that stays while the object sleeps carries the counts, which costs nothing; where there is none they are written down, one row,
 * when the object has had a moment's rest.
 */
export class EdgeMeter {
  /** For the database: it counts itself. */
  readonly usage: SqliteUsage = { rowsRead: 0, rowsWritten: 0 };
  readonly #database: () => SqliteDatabase | undefined;
  readonly #now: () => number;
  /** As they were left by the last to be awake; what was written is read once. */
  #before: Counts | "none" | undefined;
  #carried: Counts | undefined;
  readonly #since = { requests: 0, messages: 0, alarms: 0, awakeMs: 0 };
  #unwritten = 0;
  /** What keeps the object awake now, and since when. */
  #held = 0;
  #heldSince = 0;

  /** @param options.database The object's, once it has one: an object that stores nothing keeps no counts either. */
  constructor(options: { database(): SqliteDatabase | undefined; now(): number }) {
    this.#database = options.database;
    this.#now = options.now;
  }

  count(what: "requests" | "messages" | "alarms"): void {
    this.#since[what]++;
    this.#unwritten++;
  }

  /** Something keeps the object from hibernating until `release`: an event at work, a timer. An idle object that may hibernate costs nothing. */
  hold(): void {
    if (this.#held++ === 0) this.#heldSince = this.#now();
  }

  release(): void {
    // The platform's clock stands still while code runs, so a short event has taken no time by it.
    if (--this.#held === 0) this.#since.awakeMs += Math.max(1, this.#now() - this.#heldSince);
  }

  /** Something was counted that is not written down. */
  get changed(): boolean { return this.#unwritten > 0; }

  /** Counts that a socket has carried through a sleep: the highest are the latest. */
  adopt(counts: Counts): void {
    this.#unwritten ||= 1;
    this.#take(counts);
  }

  #take(counts: Counts): void {
    if (this.#carried === undefined || counts.wakes > this.#carried.wakes || (counts.wakes === this.#carried.wakes && total(counts) > total(this.#carried))) this.#carried = counts;
  }

  /** For a socket to carry. */
  counts(): Counts {
    const database = this.#database();
    return database === undefined ? this.#sum(this.#carried) : this.#counts(database);
  }

  /** So much is not written down that it must be, whoever carries it. */
  get full(): boolean { return this.#unwritten >= WRITE_EVERY; }

  write(): void {
    const database = this.#database();
    if (database === undefined || this.#unwritten === 0) return;
    this.#unwritten = 0;
    const { rowsWritten, ...counts } = this.#counts(database);
    database.prepare("INSERT OR REPLACE INTO er_meta (key, value) VALUES ('usage', ?)").run(JSON.stringify({ ...counts, rowsWritten: rowsWritten + 1 }));
  }

  /** For `/api/v1/stats`. */
  stats(): Readonly<Record<string, number | string>> {
    const { requests, messages, alarms, wakes, rowsRead, rowsWritten, awakeMs } = this.counts();
    const seconds = awakeMs / 1_000;
    const cost = (requests + alarms + messages / PRICES.messagesPerRequest) * PRICES.request + rowsRead * PRICES.rowRead + rowsWritten * PRICES.rowWritten
      + seconds * PRICES.gigabytes * PRICES.gigabyteSecond;
    return {
      edgeRequests: requests, edgeMessages: messages, edgeAlarms: alarms, edgeWakes: wakes, edgeRowsRead: rowsRead, edgeRowsWritten: rowsWritten,
      // Up to a hundredth of a millionth.
      edgeAwakeSeconds: seconds, edgeCostUsd: Number(cost.toFixed(8)), edgePricesOf: PRICES.date,
    };
  }

  #counts(database: SqliteDatabase): Counts {
    if (this.#before === undefined) {
      const row = database.prepare("SELECT value FROM er_meta WHERE key = 'usage'").get() as { value: string } | undefined;
      if (row !== undefined) this.#take(JSON.parse(row.value) as Counts);
      this.#before = this.#carried ?? "none";
    }
    return this.#sum(this.#before === "none" ? undefined : this.#before);
  }

  #sum(before: Counts | undefined): Counts {
    const { requests, messages, alarms, awakeMs } = this.#since;
    const { rowsRead, rowsWritten } = this.usage;
    return {
      requests: (before?.requests ?? 0) + requests, messages: (before?.messages ?? 0) + messages, alarms: (before?.alarms ?? 0) + alarms, wakes: (before?.wakes ?? 0) + 1,
      rowsRead: (before?.rowsRead ?? 0) + rowsRead, rowsWritten: (before?.rowsWritten ?? 0) + rowsWritten, awakeMs: (before?.awakeMs ?? 0) + awakeMs,
    };
  }
}

/** Grows with whatever is counted. */
function total({ requests, messages, alarms, rowsRead, rowsWritten, awakeMs }: Counts): number {
  return requests + messages + alarms + rowsRead + rowsWritten + awakeMs;
}

import type { Failure } from "./failure.ts";
import type { Ledger } from "./ledger.ts";
import { LogEvent } from "./log-event.ts";
import type { Draft } from "./store.ts";
import { ROUTER } from "./ledger.ts";

/** An event that failed for good, as its record in the log says. */
export interface DeadLetter {
  readonly id: string;
  /** `group:NAME`, `durable:NAME`, or of a subscription without a name `client:CLIENT:TOPICS`. */
  readonly subscription: string;
  /** The event's line as it was in the log. */
  readonly line: string;
  readonly attempts: number;
  readonly error: Failure;
  /** ms since 1970 */
  readonly failedAt: number;
}

/** What is remembered of an open one; the rest is in the log. */
export interface DeadNote {
  readonly subscription: string;
  /** Of the event. */
  readonly seq: number;
  readonly event: string;
}

/** Dead letters of a namespace: records in its log, open until they are handled after all, or thrown away. */
export class DeadLetters {
  readonly #ledger: Ledger<DeadNote>;
  readonly #randomId: () => string;
  readonly #now: () => number;
  /** Those that are being tried again now. */
  readonly reviving = new Set<string>();
  /** Written since the start. */
  total = 0;

  constructor(options: { ledger: Ledger<DeadNote>; randomId(): string; now(): number }) {
    this.#ledger = options.ledger;
    this.#randomId = options.randomId;
    this.#now = options.now;
  }

  get size(): number { return this.#ledger.size; }

  /** Resolves with its id when the record is durable (P6). A dead letter that failed again keeps its id. */
  async add({ id = `dead_${this.#randomId()}`, subscription, event, attempts, error }: { readonly id?: string | undefined; readonly subscription: string; readonly event: LogEvent; readonly attempts: number; readonly error: Failure }): Promise<string> {
    await this.#ledger.append([{ publisher: ROUTER, run: false, drafts: [this.#draft({ id, subscription, line: event.line, attempts, error, failedAt: this.#now() })] }]);
    this.reviving.delete(id);
    this.total++;
    return id;
  }

  /** Oldest first, those of one subscription or all. */
  ids(subscription?: string): string[] {
    return [...this.#ledger.entries()].filter(([, { value }]) => subscription === undefined || value.subscription === subscription).map(([id]) => id);
  }

  /** Those that are meant by ids of their own or of their events; what means none stays as it is. */
  resolve(ids: readonly string[]): string[] {
    const wanted = new Set(ids);
    const found = [...this.#ledger.entries()].filter(([id, { value }]) => wanted.has(id) || wanted.has(value.event));
    for (const [id, { value }] of found) {
      wanted.delete(id);
      wanted.delete(value.event);
    }
    return [...found.map(([id]) => id), ...wanted];
  }

  async read(id: string): Promise<DeadLetter | undefined> {
    const record = await this.#ledger.newest(id);
    return record && deadLetterOf(record);
  }

  /** The log is purged up to a seq: the dead letters of those events go too. */
  async purge(upTo: number): Promise<void> {
    const ids = [...this.#ledger.entries()].filter(([, { value }]) => value.seq <= upTo).map(([id]) => id);
    if (ids.length > 0) await this.#ledger.close(ids, "purged");
  }

  async close(ids: readonly string[], as: "retried" | "discarded"): Promise<void> {
    for (const id of ids) this.reviving.delete(id);
    const open = ids.filter((id) => this.#ledger.get(id) !== undefined);
    if (open.length > 0) await this.#ledger.close(open, as);
  }

  /** See `Ledger.carry`. */
  carry(upTo: number, most: number): Promise<number> {
    return this.#ledger.carry(upTo, most, (record) => this.#draft(deadLetterOf(record)));
  }

  #draft(letter: DeadLetter): Draft {
    return this.#ledger.record(this.#randomId(), JSON.stringify(letter));
  }
}

export function deadLetterOf(record: LogEvent): DeadLetter { return record.payload as DeadLetter; }

/** The event of a dead letter. */
export function eventOf({ line }: DeadLetter): LogEvent { return LogEvent.fromLine(line); }

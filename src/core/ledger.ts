import type { Appender } from "./appender.ts";
import { EventRouterError } from "./errors.ts";
import type { LogEvent } from "./log-event.ts";
import { isLeadLost } from "./peers.ts";
import type { Batch, Draft, Log } from "./store.ts";

const PAGE = { events: 512, size: 512 * 1024 };
/** Whose the router's own records are. */
export const ROUTER = "$router";

/** An entry that is open: where its newest record is, and what is remembered of it. */
export interface Open<T> { readonly seq: number; readonly version: number; readonly value: T }

export interface LedgerOptions<T> {
  /** Of its event stream, and what its types begin with: `$dead` has `$dead.open` and `$dead.closed`. */
  readonly name: string;
  readonly log: Log;
  readonly appender: Pick<Appender, "submit">;
  stampTime(): number;
  randomId(): string;
  /** Key and what to remember of an opening record. */
  read(record: LogEvent): { readonly key: string; readonly value: T };
  opened?(key: string, value: T): void;
  closed?(key: string): void;
  /** The version to begin at when the ledger is next read. */
  start: { read(): Promise<string | undefined>; changed(value: () => string): void };
}

/**
 * A set of open things, kept in the log itself: records that open one and records that close some, in an event stream of the router's own. So it is as
 * durable as any event, every router of the log sees the same, and no store knows of it. What is open when the log is trimmed is written anew at its head.
 */
export class Ledger<T> {
  readonly #options: LedgerOptions<T>;
  readonly #open = new Map<string, Open<T>>();
  #length = 0;
  /** What the watch reports while the stream is read. */
  #meanwhile: LogEvent[] | undefined = [];

  constructor(options: LedgerOptions<T>) {
    this.#options = options;
  }

  get size(): number { return this.#open.size; }
  get openType(): string { return `${this.#options.name}.open`; }
  get #closedType(): string { return `${this.#options.name}.closed`; }
  get(key: string): Open<T> | undefined { return this.#open.get(key); }
  entries(): IterableIterator<[string, Open<T>]> { return this.#open.entries(); }

  /** Reads what was open before; until then the watch's reports wait. */
  async load(): Promise<void> {
    const { log, name, start } = this.#options;
    let last = 0;
    for (let from = Number(await start.read() ?? 0); ; ) {
      const { events, length } = await log.readStream(name, from, PAGE, "forward");
      this.#length = length;
      for (const event of events) {
        this.#apply(event);
        last = event.seq;
      }
      if (events.length === 0 || (from = events.at(-1)!.version! + 1) >= length) break;
    }
    const meanwhile = this.#meanwhile!;
    this.#meanwhile = undefined;
    for (const event of meanwhile) if (event.seq > last) this.#apply(event);
  }

  /** Events of the log, as its watch reports them. */
  observe(events: readonly LogEvent[]): void {
    for (const event of events) {
      if (!event.type.startsWith(this.#options.name)) continue;
      if (this.#meanwhile === undefined) this.#apply(event);
      else this.#meanwhile.push(event);
    }
  }

  /** A record that opens an entry. @param stamp who is behind it, as JSON without its end: `["subject","name"`. */
  record(id: string, payload: string, stamp = `["${ROUTER}",0`): Draft {
    return this.#draft(this.openType, id, payload, stamp);
  }

  /** Closes entries in the log; resolves when that is durable. */
  async close(keys: readonly string[], as: string): Promise<void> {
    await this.append([{ publisher: ROUTER, run: false, drafts: [this.closing(keys, as)] }]);
  }

  closing(keys: readonly string[], as: string): Draft {
    return this.#draft(this.#closedType, this.#options.randomId(), JSON.stringify({ keys, as }), `["${ROUTER}",0`);
  }

  /** @throws what the store failed with. */
  append(batches: readonly Batch[]): Promise<void> {
    return new Promise((resolve, reject) => this.#options.appender.submit(batches, (fate) => {
      // One leader's batches are refused together.
      const refused = fate instanceof EventRouterError ? fate : fate.flat().map((one) => (one.state === "refused" ? one.error : undefined)).find(isLeadLost);
      if (refused === undefined) resolve();
      else reject(refused);
    }));
  }

  /** The record of what is open under a key, as it is now: while it is read, the log may be trimmed, and the record written anew. */
  async newest(key: string): Promise<LogEvent | undefined> {
    for (let open = this.#open.get(key), tried = -1; open !== undefined && open.seq !== tried; open = this.#open.get(key)) {
      const record = await this.recordOf(open);
      if (record !== undefined) return record;
      tried = open.seq;
    }
    return undefined;
  }

  /** The record of an open entry. */
  async recordOf({ seq }: Open<T>): Promise<LogEvent | undefined> {
    const [event] = await this.#options.log.read(seq - 1, { events: 1, size: 1 });
    return event?.seq === seq ? event : undefined;
  }

  /**
   * Before the log is trimmed up to a seq: what is open and would go is written anew, the newest `most` of it. More would fill a log that keeps little
   * with nothing else; returns how many were given up.
   */
  async carry(upTo: number, most: number, rewrite: (record: LogEvent) => Draft): Promise<number> {
    const all = [...this.#open].filter(([, { seq }]) => seq <= upTo).sort(([, a], [, b]) => a.seq - b.seq);
    const lost = all.slice(0, Math.max(0, all.length - most));
    const going = all.slice(lost.length).map(([, one]) => one);
    for (let at = 0; at < going.length; at += 100) {
      const drafts: Draft[] = [];
      for (const one of going.slice(at, at + 100)) {
        const record = await this.recordOf(one);
        if (record !== undefined) drafts.push(rewrite(record));
      }
      if (drafts.length > 0) await this.append([{ publisher: ROUTER, run: false, drafts }]);
    }
    for (const [key] of lost) this.#open.delete(key);
    return lost.length;
  }

  #apply(event: LogEvent): void {
    if (event.version !== undefined) this.#length = Math.max(this.#length, event.version + 1);
    if (event.type === this.openType) {
      const { key, value } = this.#options.read(event);
      this.#open.set(key, { seq: event.seq, version: event.version!, value });
      this.#options.opened?.(key, value);
    } else if (event.type === this.#closedType) {
      for (const key of (event.payload as { keys: readonly string[] }).keys) if (this.#open.delete(key)) this.#options.closed?.(key);
      this.#options.start.changed(() => String(this.#first()));
    }
  }

  #first(): number {
    let first = this.#length;
    // In the order in which they were opened: the first is the oldest, but for what was opened anew.
    for (const { version } of this.#open.values()) if (version < first) first = version;
    return first;
  }

  #draft(type: string, id: string, payload: string, openStamp: string): Draft {
    const time = this.#options.stampTime();
    const head = `,${time},${openStamp}`;
    const body = `${head}],${JSON.stringify(id)},"${type}",${payload},{"stream":"${this.#options.name}"}]`;
    return { id, type, time, body, own: head.length + 2, stream: { name: this.#options.name, versionAt: head.length } };
  }
}

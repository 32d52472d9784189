import { asError, ConflictError, ConnectionError, fromWire, PublishError, toWire, type EventRouterError, type WireError } from "../../core/errors.ts";
import { defaultLimits } from "../../core/limits.ts";
import type { LogEvent } from "../../core/log-event.ts";
import { readLine } from "../../core/publish.ts";
import type { Log, Store } from "../../core/store.ts";
import type { OutboxEntry, WaitingRoom } from "../client-outbox.ts";
import type { Connection, Part } from "../connection.ts";
import type { Outbox, Publication } from "../outbox.ts";
import type { Receipt } from "../receipt.ts";
import { DeadLetters } from "./dead-letters.ts";
import { batchOf, entriesOf, type Entry } from "./entry.ts";
import { Flusher } from "./flusher.ts";
import { Leadership, type TabChannel, type Tabs } from "./leadership.ts";
import { lostError, settle, Waiters } from "./waiters.ts";

/** Where an outbox is at home. */
export interface OutboxHome {
  readonly store: Store;
  readonly name: string;
  /** Where several tabs share it. */
  readonly tabs: Tabs | undefined;
  /** Calls back when there may be a connection again, or this tab is looked at again. Returns how to stop. */
  hints?(hinted: () => void): () => void;
  /** Closes what was opened for it. */
  close(): Promise<void>;
}

export interface DurableOutboxOptions {
  readonly home: OutboxHome;
  readonly connection: Connection;
  readonly direct: Outbox;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly order: "published" | "priority";
  readonly window: number;
  /** How long leaving may take, ms. */
  readonly timeout: number;
  /** Makes the lines as they will travel. */
  seal(one: Publication): Promise<void>;
  changed(size: number): void;
  report(error: unknown, event?: unknown): void;
}

type Told = readonly ["ask"] | readonly ["here"] | readonly ["noted"] | readonly ["settled", from: number, to: number, outcome: readonly Omit<Receipt, "settled">[] | WireError];

const DROPPED = "ERR_DROPPED";
const EVERYTHING = { events: 1_024, size: 4 * 1024 * 1024 };
/** What only a router knows is for it to say. */
const LIMITS = { ...defaultLimits, payload: Infinity, headers: Infinity, headerValue: Infinity, depth: Infinity };

/** What is published goes into a log on this device first, and from there to the router. The log is an ordinary one, in whichever store; its tail is what waits. */
export class DurableOutbox implements WaitingRoom, Part {
  readonly #options: DurableOutboxOptions;
  #log: Log;
  #flusher: Flusher;
  readonly #waiters: Waiters;
  readonly #dead: DeadLetters;
  readonly #leadership: Leadership;
  readonly #channel: TabChannel | undefined;
  readonly #unhint: () => void;
  #unwatch: () => void = () => {};
  readonly #listeners = new Set<(events: readonly LogEvent[]) => void>();
  /** Not yet in the log. */
  #arriving: Publication[] = [];
  #writing: Promise<void> | undefined;
  #left = false;
  /** All places up to here are settled, and these behind it. */
  #low = 0;
  readonly #settledAhead = new Set<number>();
  #idle: (() => void)[] = [];

  static async open(options: DurableOutboxOptions): Promise<DurableOutbox> {
    const outbox = new DurableOutbox(options, await options.home.store.open(options.home.name));
    await outbox.#dead.load();
    outbox.#watch();
    options.connection.parts.push(outbox);
    if (options.connection.welcome !== undefined) outbox.opened();
    // What an earlier life of the page has left is sent without anybody asking.
    else if (outbox.size > 0) outbox.#connect();
    return outbox;
  }

  private constructor(options: DurableOutboxOptions, log: Log) {
    const { home, connection } = options;
    this.#options = options;
    this.#log = log;
    this.#waiters = new Waiters(connection, home.store.durability);
    this.#dead = new DeadLetters(() => this.#log);
    this.#channel = home.tabs?.channel(`event-router outbox ${home.name}`);
    this.#channel?.listen((message) => this.#told(message as Told));
    this.#leadership = new Leadership({
      tabs: home.tabs, name: `event-router outbox ${home.name}`, clock: connection.clock,
      wanted: () => this.size > 0,
      ask: () => this.#tell(["ask"]),
      began: () => void this.#dead.load().catch(options.report).then(() => { if (this.#leadership.leading) this.#flusher.start(); }),
      ended: () => this.#flusher.stop(),
    });
    this.#flusher = this.#makeFlusher();
    this.#unhint = home.hints?.(() => this.#hinted()) ?? (() => {});
  }

  /** Events that wait. */
  get size(): number {
    const { first } = this.#log;
    if (first - 1 > this.#low) {
      this.#low = first - 1;
      for (const seq of this.#settledAhead) if (seq <= this.#low) this.#settledAhead.delete(seq);
    }
    while (this.#settledAhead.delete(this.#low + 1)) this.#low++;
    return Math.max(0, this.#log.head - this.#low - this.#settledAhead.size);
  }

  add(one: Publication): void {
    if (this.#left) return this.#refuse(one, new ConnectionError("ERR_CLOSED", "this client is closed; make a new one"));
    this.#arriving.push(one);
    this.#writing ??= this.#write();
  }

  /** Each waiting event now, and each that comes, before the router has it. Returns how to stop. */
  async pending(listener: (events: readonly LogEvent[]) => void): Promise<() => void> {
    this.#listeners.add(listener);
    const { head } = this.#log;
    for await (const entry of this.#entries(head)) listener(entry.events);
    return () => void this.#listeners.delete(listener);
  }

  async list(): Promise<OutboxEntry[]> {
    const listed: OutboxEntry[] = [];
    const add = ({ events }: Entry, rest: Pick<OutboxEntry, "state" | "error">): void => {
      for (const { id, type, payload, priority, timestamp } of events) listed.push({ id, type, payload, priority, queuedAt: timestamp, ...(events.length > 1 && { together: events[0]!.id }), ...rest });
    };
    for (const { entry, error } of await this.#dead.list()) add(entry, { state: "dead", error });
    for await (const entry of this.#entries(this.#log.head)) add(entry, { state: "waiting" });
    return listed;
  }

  async retry(ids: readonly string[]): Promise<number> {
    const letters = (await this.#dead.list()).filter(({ entry }) => named(entry, ids));
    await Promise.all(letters.map(async (letter) => {
      try {
        const receipts = await this.#sendAgain(letter.entry);
        // It was refused for good, so it cannot be there unless an answer was lost.
        if (receipts.some(({ seq }) => seq === null)) throw new ConflictError("ERR_RETRY_UNKNOWN", "the router cannot tell whether this event is there already; look for it, then drop it, or publish it under another id");
        await this.#dead.forget([letter]);
      } catch (thrown) {
        const error = asError(thrown, (cause) => new PublishError("ERR_SEND", "sending failed", { cause }));
        if (!error.retryable && this.#options.connection.welcome !== undefined) await this.#dead.bury(letter.entry, error);
        throw error;
      }
    }));
    return letters.reduce((sum, { entry }) => sum + entry.events.length, 0);
  }

  async drop(ids: readonly string[]): Promise<number> {
    const letters = (await this.#dead.list()).filter(({ entry }) => named(entry, ids));
    await this.#dead.forget(letters);
    const waiting: Entry[] = [];
    for await (const entry of this.#entries(this.#log.head)) if (named(entry, ids)) waiting.push(entry);
    await this.#dead.drop(waiting);
    for (const entry of waiting) this.#settled(entry, new PublishError(DROPPED, "the event was dropped from the outbox"));
    this.#tell(["noted"]);
    return [...letters.map(({ entry }) => entry), ...waiting].reduce((sum, { events }) => sum + events.length, 0);
  }

  async leave(): Promise<void> {
    const { connection, home, timeout } = this.#options;
    await this.#writing;
    const late = new Promise<void>((resolve) => connection.clock.after(timeout, resolve));
    while (connection.welcome !== undefined && (this.#waiters.callers.length > 0 || (this.#leadership.leading && this.size > 0))) {
      const over = await Promise.race([late.then(() => true), new Promise<boolean>((resolve) => this.#idle.push(() => resolve(false)))]);
      if (over) break;
    }
    this.#waiters.queueAll();
    this.#left = true;
    connection.parts.splice(connection.parts.indexOf(this), 1);
    this.#leadership.resign();
    this.#unwatch();
    this.#unhint();
    this.#waiters.rejectAll(new ConnectionError("ERR_CLOSED", "this client is closed; the event waits in the outbox, and the next client sends it", { retryable: true }));
    this.#channel?.close();
    await home.close();
  }

  // As a part of the connection.
  opened(): void { this.#leadership.seek(); }
  write(): void {}
  receive(): boolean { return false; }
  down(): void {
    this.#leadership.resign();
    this.#waiters.queueAll();
    this.#rouse();
  }

  /** Group commit: what comes while one transaction is written goes into the next together. */
  async #write(): Promise<void> {
    await Promise.resolve();
    while (this.#arriving.length > 0) {
      const group = this.#arriving;
      this.#arriving = [];
      const ready: Publication[] = [];
      for (const one of group) {
        try {
          // Encryption takes the id, and comes before the transaction.
          await this.#options.seal(one);
          for (const { line } of one.events) readLine(line, LIMITS);
          if (!one.settled) ready.push(one);
        } catch (error) {
          this.#refuse(one, error);
        }
      }
      await this.#append(this.#withRoom(ready));
    }
    this.#writing = undefined;
  }

  #withRoom(group: readonly Publication[]): Publication[] {
    const { maxEvents, maxBytes } = this.#options;
    let events = this.size;
    let { size } = this.#log.extent;
    return group.filter((one) => {
      const own = one.events.reduce((sum, { line }) => sum + line.length, 0);
      const fits = events + one.events.length <= maxEvents && size + own <= maxBytes;
      if (fits) {
        events += one.events.length;
        size += own;
      } else this.#refuse(one, new PublishError("ERR_OUTBOX_FULL", `the outbox is full: ${events} events (maxEvents: ${maxEvents}), ${size} units of text (maxBytes: ${maxBytes}) wait; the event was not kept. Publish it again when there is a connection, or raise the limit`, { retryable: true, details: { events, size, maxEvents, maxBytes } }));
      return fits;
    });
  }

  async #append(group: readonly Publication[]): Promise<void> {
    if (group.length === 0) return;
    const now = this.#options.connection.clock.now();
    const { order } = this.#options;
    try {
      const outcomes = await this.#log.append(group.map((one) => batchOf(order === "priority" ? { ...one, run: false } : one, now)));
      outcomes.forEach((batch, index) => {
        const one = group[index]!;
        const [outcome] = batch;
        if (outcome!.state === "refused") this.#refuse(one, outcome!.error);
        // It has been here before, and has left: the router is asked what became of it.
        else if (outcome!.seq === null || outcome!.seq <= this.#low || this.#settledAhead.has(outcome!.seq)) this.#options.direct.add(one);
        else if (!one.settled) this.#waiters.add(outcome!.seq, one);
      });
      this.#count();
    } catch (error) {
      for (const one of group) this.#refuse(one, error);
    }
  }

  #refuse(one: Publication, error: unknown): void {
    if (settle(one)) one.reject(error);
  }

  #watch(): void {
    this.#unwatch = this.#log.watch((events) => {
      this.#count();
      // Also for what other tabs have left: they may be gone.
      this.#connect();
      this.#flusher.wake();
      this.#leadership.watch();
      for (const listener of this.#listeners) listener(events);
    });
    void this.#log.lost?.then((error) => this.#lost(error)).catch(this.#options.report);
    this.#count();
  }

  /** The storage was cleared. Those who still wait for a receipt have their events here: they are written anew. */
  async #lost(error: EventRouterError): Promise<void> {
    if (this.#left) return;
    this.#unwatch();
    this.#flusher.stop();
    const { callers } = this.#waiters;
    const again = callers.map((one) => ({ ...one, settled: false, release: undefined, resolve: (receipts: Receipt[]) => { if (settle(one)) one.resolve(receipts); }, reject: (reason: unknown) => this.#refuse(one, reason) }));
    for (const from of this.#waiters.places) this.#waiters.forget(from, lostError(error.message));
    this.#log = await this.#options.home.store.open(this.#options.home.name);
    this.#low = 0;
    this.#settledAhead.clear();
    this.#flusher = this.#makeFlusher();
    await this.#dead.load();
    this.#watch();
    if (this.#leadership.leading) this.#flusher.start();
    for (const one of again) this.add(one);
  }

  #makeFlusher(): Flusher {
    const { connection, direct, order, window, report } = this.#options;
    return new Flusher({
      log: () => this.#log, connection, direct, clock: connection.clock, order, window, report,
      skipped: (entry) => {
        const skipped = this.#dead.skips(entry);
        if (skipped) this.#mark(entry.from, entry.to);
        return skipped;
      },
      stored: (entry, receipts) => this.#settled(entry, receipts),
      refused: async (entry, error) => {
        await this.#dead.bury(entry, error);
        this.#settled(entry, error);
      },
    });
  }

  #settled({ from, to, events }: Entry, outcome: Receipt[] | EventRouterError): void {
    if (Array.isArray(outcome)) this.#waiters.resolve(from, outcome);
    // Who drops an event knows.
    else if (!this.#waiters.reject(from, outcome) && outcome.code !== DROPPED) this.#options.report(outcome, pendingEvent(events[0]!));
    this.#mark(from, to);
    this.#tell(["settled", from, to, Array.isArray(outcome) ? outcome.map((receipt) => ({ ...receipt })) : toWire(outcome)]);
  }

  #mark(from: number, to: number): void {
    for (let seq = from; seq <= to; seq++) if (seq > this.#low) this.#settledAhead.add(seq);
    this.#count();
  }

  #count(): void {
    this.#options.changed(this.size);
    this.#rouse();
  }

  #rouse(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  #tell(message: Told): void {
    if (!this.#left) this.#channel?.post(message);
  }

  #told(message: Told): void {
    switch (message[0]) {
      case "ask": if (this.#leadership.leading) this.#tell(["here"]); break;
      case "here": this.#leadership.heard(); break;
      case "noted": void this.#dead.load().then(() => this.#count(), this.#options.report); break;
      case "settled": {
        const [, from, to, outcome] = message;
        this.#leadership.heard();
        if (isWire(outcome)) this.#waiters.reject(from, fromWire(outcome));
        else this.#waiters.resolve(from, outcome.map(receiptFrom));
        this.#mark(from, to);
      }
    }
  }

  /** The network may be back, or this tab awake: nothing is believed, only tried sooner. */
  #hinted(): void {
    const { connection } = this.#options;
    if (connection.state === "offline") connection.reconnect();
    this.#count();
    this.#leadership.watch();
    void this.#sweep().catch(this.#options.report);
  }

  /** What others have settled while this tab was not listening. */
  async #sweep(): Promise<void> {
    const gone = this.#waiters.places.filter((from) => from <= this.#low);
    if (gone.length === 0) return;
    const dead = new Map((await this.#dead.list()).map(({ entry, error }) => [entry.from, error]));
    for (const from of gone) {
      const error = dead.get(from);
      if (error !== undefined) this.#waiters.reject(from, error);
      else this.#waiters.resolveUnseen(from);
    }
  }

  #connect(): void {
    try {
      this.#options.connection.use();
    } catch {
      // Refused for good: what waits, waits for reconnect().
    }
  }

  async *#entries(head: number): AsyncGenerator<Entry, void> {
    for (let after = this.#log.first - 1; after < head; ) {
      let entries = entriesOf(await this.#log.read(after, EVERYTHING));
      if (entries.length === 0) entries = entriesOf(await this.#log.read(after, { events: Infinity, size: Infinity }));
      if (entries.length === 0) return;
      for (const entry of entries) {
        after = entry.to;
        if (entry.from > this.#low && !this.#settledAhead.has(entry.from) && !this.#dead.skips(entry)) yield entry;
      }
    }
  }

  #sendAgain(entry: Entry): Promise<Receipt[]> {
    return new Promise((resolve, reject) => {
      const { connection, direct, timeout } = this.#options;
      direct.add(this.#flusher.publicationOf(entry, { deadline: connection.clock.now() + timeout, resolve, reject }));
    });
  }
}

const named = ({ events }: Entry, ids: readonly string[]): boolean => ids.length === 0 || events.some(({ id }) => ids.includes(id));
const isWire = (outcome: readonly unknown[]): outcome is WireError => typeof outcome[0] === "string";

function receiptFrom(plain: Omit<Receipt, "settled">): Receipt {
  return { ...plain, get settled() { return Promise.resolve(this as Receipt); } };
}

/** A waiting event as a handler sees it. */
export function pendingEvent({ id, type, payload, timestamp, priority, fields }: LogEvent): object {
  return { id, type, payload, seq: 0, epoch: "", timestamp, priority, ...fields[6], pending: true };
}

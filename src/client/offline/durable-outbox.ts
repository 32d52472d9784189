import { ConnectionError, PublishError, type EventRouterError } from "../../core/errors.ts";
import type { LogEvent } from "../../core/log-event.ts";
import type { Log } from "../../core/store.ts";
import type { OutboxEntry, WaitingRoom } from "../client-outbox.ts";
import type { Part } from "../connection.ts";
import type { Publication } from "../outbox.ts";
import type { Receipt } from "../receipt.ts";
import { Arrivals, refuse } from "./arrivals.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { DurableOutboxOptions } from "./durable-outbox-options.ts";
import { entriesOf, type Entry } from "./entry.ts";
import { Flusher } from "./flusher.ts";
import { Leadership, type TabChannel } from "./leadership.ts";
import { listing } from "./listing.ts";
import { pendingEvent } from "./pending-event.ts";
import { Places } from "./places.ts";
import { outcomeOf, settledNews, type TabNews } from "./tab-news.ts";
import { lostError, settle, Waiters } from "./waiters.ts";

const DROPPED = "ERR_DROPPED";
const EVERYTHING = { events: 1_024, size: 4 * 1024 * 1024 };

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
  readonly #arrivals: Arrivals;
  readonly #places: Places;
  #left = false;
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
    const current = (): Log => this.#log;
    this.#places = new Places(current);
    this.#arrivals = new Arrivals({
      ...options, log: current, places: this.#places,
      kept: (one, seq) => {
        // It has been here before, and has left: the router is asked what became of it.
        if (seq === null || this.#places.settled(seq)) options.direct.add(one);
        else if (!one.settled) this.#waiters.add(seq, one);
      },
      written: () => this.#count(),
    });
    this.#waiters = new Waiters(connection, home.store.durability);
    this.#dead = new DeadLetters(current);
    this.#channel = home.tabs?.channel(`event-router outbox ${home.name}`);
    this.#channel?.listen((message) => this.#told(message as TabNews));
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
  get size(): number { return this.#places.waiting; }

  add(one: Publication): void {
    if (this.#left) return refuse(one, new ConnectionError("ERR_CLOSED", "this client is closed; make a new one"));
    this.#arrivals.add(one);
  }

  /** Each waiting event now, and each that comes, before the router has it. Returns how to stop. */
  async pending(listener: (events: readonly LogEvent[]) => void): Promise<() => void> {
    this.#listeners.add(listener);
    const { head } = this.#log;
    for await (const entry of this.#entries(head)) listener(entry.events);
    return () => void this.#listeners.delete(listener);
  }

  async list(): Promise<OutboxEntry[]> {
    return listing(await this.#dead.list(), this.#entries(this.#log.head));
  }

  async retry(ids: readonly string[]): Promise<number> {
    const letters = await this.#dead.list((entry) => named(entry, ids));
    const { sendAgain } = await import("./send-again.ts");
    await sendAgain(letters, { dead: this.#dead, send: (entry) => this.#send(entry), connected: () => this.#options.connection.welcome !== undefined });
    return eventsOf(letters.map(({ entry }) => entry));
  }

  async drop(ids: readonly string[]): Promise<number> {
    const letters = await this.#dead.list((entry) => named(entry, ids));
    await this.#dead.forget(letters);
    const waiting: Entry[] = [];
    for await (const entry of this.#entries(this.#log.head)) if (named(entry, ids)) waiting.push(entry);
    await this.#dead.drop(waiting);
    for (const entry of waiting) this.#settled(entry, new PublishError(DROPPED, "the event was dropped from the outbox"));
    this.#tell(["noted"]);
    return eventsOf([...letters.map(({ entry }) => entry), ...waiting]);
  }

  async leave(): Promise<void> {
    const { connection, home, timeout } = this.#options;
    await this.#arrivals.written;
    let late = false;
    const callOff = connection.clock.after(timeout, () => {
      late = true;
      this.#rouse();
    });
    while (!late && connection.welcome !== undefined && (this.#waiters.callers.length > 0 || (this.#leadership.leading && this.size > 0))) await new Promise<void>((resolve) => this.#idle.push(resolve));
    callOff();
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
    const again = callers.map((one) => ({ ...one, settled: false, release: undefined, resolve: (receipts: Receipt[]) => { if (settle(one)) one.resolve?.(receipts); }, reject: (reason: unknown) => refuse(one, reason) }));
    for (const from of this.#waiters.places) this.#waiters.forget(from, lostError(error.message));
    this.#log = await this.#options.home.store.open(this.#options.home.name);
    this.#places.clear();
    this.#flusher = this.#makeFlusher();
    await this.#dead.load();
    this.#watch();
    if (this.#leadership.leading) this.#flusher.start();
    for (const one of again) this.add(one);
  }

  #makeFlusher(): Flusher {
    return new Flusher({
      ...this.#options, log: () => this.#log,
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

  #settled(entry: Entry, outcome: Receipt[] | EventRouterError): void {
    const { from, to, events } = entry;
    if (Array.isArray(outcome)) this.#waiters.resolve(from, outcome);
    // Who drops an event knows.
    else if (!this.#waiters.reject(from, outcome) && outcome.code !== DROPPED) this.#options.report(outcome, pendingEvent(events[0]!));
    this.#mark(from, to);
    this.#tell(settledNews(entry, outcome));
  }

  #mark(from: number, to: number): void {
    this.#places.mark(from, to);
    this.#count();
  }

  #count(): void {
    this.#options.changed(this.size);
    this.#rouse();
  }

  #rouse(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  #tell(message: TabNews): void {
    if (!this.#left) this.#channel?.post(message);
  }

  #told(message: TabNews): void {
    switch (message[0]) {
      case "ask": if (this.#leadership.leading) this.#tell(["here"]); break;
      case "here": this.#leadership.heard(); break;
      case "noted": void this.#dead.load().then(() => this.#count(), this.#options.report); break;
      case "settled": {
        const [, from, to] = message;
        const outcome = outcomeOf(message);
        this.#leadership.heard();
        if (Array.isArray(outcome)) this.#waiters.resolve(from, outcome);
        else this.#waiters.reject(from, outcome);
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
    const gone = this.#waiters.places.filter((from) => this.#places.settled(from));
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
        if (!this.#places.settled(entry.from) && !this.#dead.skips(entry)) yield entry;
      }
    }
  }

  #send(entry: Entry): Promise<Receipt[]> {
    return new Promise((resolve, reject) => {
      const { connection, direct, timeout } = this.#options;
      direct.add(this.#flusher.publicationOf(entry, { deadline: connection.clock.now() + timeout, resolve, reject }));
    });
  }
}

const eventsOf = (entries: readonly Entry[]): number => entries.reduce((sum, { events }) => sum + events.length, 0);
const named = ({ events }: Entry, ids: readonly string[]): boolean => ids.length === 0 || events.some(({ id }) => ids.includes(id));

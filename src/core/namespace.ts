import { Appender } from "./appender.ts";
import { CatchUp } from "./catch-up.ts";
import { Company, type CompanyHome } from "./company/company.ts";
import type { Surroundings } from "./clock.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Filter } from "./filter.ts";
import { toWire, type ValidationError } from "./errors.ts";
import type { Durability, From, Gap } from "./frames.ts";
import { type Interest, Interests } from "./interest.ts";
import type { Limits } from "./limits.ts";
import type { Outgoing } from "./link.ts";
import type { LogEvent } from "./log-event.ts";
import { Cursor, type Reader } from "./reader.ts";
import { Measures } from "./measures.ts";
import { Meter } from "./meter.ts";
import type { BudgetedCompiler } from "./regex-budget.ts";
import { Offices } from "./offices.ts";
import { isLeadLost } from "./peers.ts";
import type { Requests } from "./requests.ts";
import type { RetentionPolicy } from "./retention.ts";
import type { SavedCursor } from "./saved-session.ts";
import type { Log } from "./store.ts";
import { Tail } from "./tail.ts";
import { TopicIndex } from "./topic-index.ts";
import { Window } from "./window.ts";
import type { Work } from "./work.ts";

/** What a router does for the other routers of a namespace's log. */
export interface NamespaceHost {
  vouch(namespace: Namespace, ...args: Parameters<CompanyHome["vouch"]>): ReturnType<CompanyHome["vouch"]>;
  tells(namespace: Namespace, what: string): string | Promise<string>;
  seeks(namespace: Namespace, subscription: string): ReturnType<CompanyHome["seeks"]>;
  /** Those of its sessions that have something that only the leader has. Returns how to end them. */
  bound(namespace: Namespace): () => void;
  elapsed(): number;
  randomId(): string;
}

export interface NamespaceOptions {
  readonly name: string;
  readonly log: Log;
  readonly durability: Durability;
  /** When the log's last event was stamped; 0 if there is none. */
  readonly lastTime: number;
  readonly limits: Limits;
  readonly retention: RetentionPolicy;
  readonly tail: { readonly events: number; readonly size: number };
  readonly surroundings: Surroundings;
  readonly regex: BudgetedCompiler;
  readonly bookmarkDelay: number;
  /** Undefined: there are no other routers, whatever the log has. */
  readonly host?: NamespaceHost;
  /** Everything that a commit brought may leave now. */
  flush(): void;
  /** A frame that other sessions get as well, for one of them. */
  pass(reader: Reader, messages: readonly [Outgoing]): void;
  /** `tick` is wanted by this time. */
  wakeBy(time: number): void;
  /** A failure that belongs to no session. */
  failed(error: unknown): void;
}

/** One namespace at work: its log, and the readers along it. */
export class Namespace {
  readonly name: string;
  readonly log: Log;
  readonly durability: Durability;
  readonly limits: Limits;
  readonly appender: Appender;
  readonly dispatcher: Dispatcher;
  readonly catchUp: CatchUp;
  /** The other routers of the log, if there can be any. */
  readonly company: Company | undefined;
  readonly measures = new Measures();
  readonly readers = new Set<Reader>();
  readonly #interests: Interests;
  readonly #offices: Offices;
  readonly #host: NamespaceHost | undefined;
  readonly #now: () => number;
  readonly #unwatch: () => void;
  readonly #meter: Meter;
  #lastTime: number;
  /** Up to here somebody has purged the log. */
  #purged = 0;
  /** Up to here another router has, which the log may not know yet. */
  #purgedElsewhere = 0;
  /** Events appended since the start, and publishes refused. */
  published = 0;
  refused = 0;

  constructor({ name, log, durability, lastTime, limits, retention, tail: tailLimit, surroundings, regex, bookmarkDelay, host, flush, pass, wakeBy, failed }: NamespaceOptions) {
    this.name = name;
    this.log = log;
    this.durability = durability;
    this.limits = limits;
    this.#now = surroundings.now;
    this.#meter = new Meter(surroundings.now);
    this.#lastTime = lastTime;
    const index = new TopicIndex<Interest>();
    const tail = new Tail(tailLimit);
    const defer = surroundings.defer;
    this.#interests = new Interests({
      regex,
      maxNodes: limits.filterNodes,
      added: (interest) => interest.topics.forEach((pattern) => index.add(pattern, interest)),
      removed: (interest) => interest.topics.forEach((pattern) => index.delete(pattern, interest)),
      costly: (interest, error) => defer(() => this.#endAll(interest, error)),
    });
    this.dispatcher = new Dispatcher({ head: log.head, match: (type) => index.match(type), fellBehind: (cursor) => this.catchUp.wake(cursor), pass });
    const goneBy = (seq: number): Gap["reason"] => (seq <= this.#purged ? "purged" : "retention");
    this.catchUp = new CatchUp({ log, tail, dispatcher: this.dispatcher, defer, now: surroundings.now, wakeBy, failed, goneBy, first: () => Math.max(log.first, this.#purgedElsewhere + 1) });
    this.appender = new Appender({ log, defer, committed: () => { if (this.company === undefined) this.#offices.now.appended(); flush(); }, failed, now: surroundings.now, measures: this.measures });
    const peers = host && log.peers;
    this.#host = host;
    this.#offices = new Offices({
      shared: peers !== undefined,
      head: () => this.dispatcher.head,
      failed: (token, error) => (isLeadLost(error) ? this.company!.refused(token) : failed(error)),
      office: {
        log, tail, appender: this.appender, measures: this.measures, readers: this.readers, limits, surroundings, bookmarkDelay, retention, goneBy, wakeBy, failed, holds: () => this.leads, seek: async (...what) => this.company?.seek(...what),
        stampTime: () => this.stampTime(), placeOf: (cursor) => this.placeOf(cursor), start: (from) => this.#start(from), disinterested: (interest) => this.disinterested(interest),
      },
    });
    this.company = peers && new Company({ peers, home: this.#home(host), now: surroundings.now, elapsed: () => host.elapsed(), randomId: () => host.randomId(), wakeBy, failed });
    this.#unwatch = log.watch((events) => {
      this.published += events.length;
      this.#meter.add(events.length);
      tail.push(events);
      this.dispatcher.dispatch(events);
      if (this.company === undefined) this.work.appended(events);
      else this.#offices.appended(events, this.leads);
    });
  }

  get work(): Work { return this.#offices.now.work; }
  get requests(): Requests { return this.#offices.now.requests; }
  /** The token under which it is done, if there are others. */
  get lead(): number | undefined { return this.#offices.now.lead; }
  /** Whether what takes one mind is done here. */
  get leads(): boolean { return this.company === undefined || this.company.holds(); }

  /** Reads what is open, or finds out who does that; before the first session. */
  start(): Promise<void> {
    return this.company === undefined ? this.work.load() : this.company.start();
  }

  /** The stamp of an event that comes now: time along a log never falls, whatever the clock does. */
  stampTime(): number {
    return (this.#lastTime = Math.max(this.#now(), this.#lastTime));
  }

  now(): number { return this.#now(); }

  /** Events appended per second, of late. */
  rate(): number { return this.#meter.rate(); }

  /** Events that are not stored: given out at once. */
  passOn(events: readonly LogEvent[]): void {
    this.dispatcher.dispatchEphemeral(events);
    this.company?.pass(events);
  }

  /**
   * Opens a cursor and says where it starts; events come after that.
   * @throws ValidationError if the filter is malformed.
   */
  async subscribe(reader: Reader, { id, topics, filter, from, durable }: { id: number; topics: readonly string[]; filter: Filter | undefined; from: From; durable: string | undefined }): Promise<{ cursor: Cursor; gap?: Gap }> {
    const interest = this.interested(topics, filter);
    let start: { after: number; gap?: Gap };
    try {
      start = await this.#start(from);
    } catch (error) {
      this.disinterested(interest);
      throw error;
    }
    const window = new Window(this.limits.windowEvents, this.limits.windowSize);
    return { cursor: new Cursor({ id, interest, reader, window, after: start.after, durable }), ...(start.gap && { gap: start.gap }) };
  }

  /** A cursor as it was before the router slept; `head`: up to where the log was given out then. */
  resume(reader: Reader, { id, topics, filter, after, window: runs, durable, finished }: SavedCursor, head: number): Cursor {
    const window = new Window(this.limits.windowEvents, this.limits.windowSize);
    if (runs !== undefined) window.restore(runs);
    const cursor = new Cursor({ id, interest: this.interested(topics, filter), reader, window, after: Math.min(after ?? head, this.dispatcher.head), durable });
    if (finished !== undefined) cursor.finished = finished;
    return cursor;
  }

  /** Somebody asks for this; to be given back. @throws ValidationError if the filter is malformed. */
  interested(topics: readonly string[], filter: Filter | undefined): Interest { return this.#interests.acquire(topics, filter); }
  disinterested(interest: Interest): void { this.#interests.release(interest); }

  /** Its filter cannot be carried out: who asked for it alone is told, and asks for something else; a group skips the event, with a `gap`. */
  #endAll(interest: Interest, error: ValidationError): void {
    for (const reader of this.readers) {
      for (const [id, cursor] of reader.cursors) {
        if (cursor.interest !== interest) continue;
        reader.cursors.delete(id);
        this.unsubscribe(cursor);
        reader.tell(JSON.stringify(["end", id, toWire(error)]));
      }
    }
  }

  /** The seq a cursor has had everything up to. */
  placeOf({ place }: Cursor): number {
    return place.state === "behind" ? place.after : this.dispatcher.head;
  }

  /** Events may come: at once if the cursor is at the head, else from the log. */
  begin(cursor: Cursor): void {
    if (this.placeOf(cursor) === this.dispatcher.head) this.dispatcher.goLive(cursor);
    else this.catchUp.wake(cursor);
  }

  unsubscribe(cursor: Cursor): void {
    if (cursor.place.state === "closed") return;
    if (cursor.durable !== undefined) this.work.durables.release(cursor.durable, cursor);
    this.dispatcher.remove(cursor);
    this.#interests.release(cursor.interest);
  }

  async #start(from: From): Promise<{ after: number; gap?: Gap }> {
    const { log } = this;
    const { head } = this.dispatcher;
    if (from === "now") return { after: head };
    if (from === "start") return { after: log.first - 1 };
    // A log that others write too may have more than was reported here.
    if ("time" in from) return { after: Math.min(await log.seqBefore(from.time), this.dispatcher.head) };
    if ("seq" in from) return { after: Math.min(Math.max(from.seq, 1) - 1, head) };
    const [epoch, seq] = from;
    if (epoch === log.epoch) return { after: Math.min(seq, head) };
    // Another life of the log: what the reader missed of the old one cannot be known, and all of this one is new to it.
    return { after: log.first - 1, gap: { from: seq + 1, to: null, epoch, reason: "epoch" } };
  }

  /** Removes the events up to and with a seq; readers that have not had them are told by a gap. What is held back stays. */
  async purge(upTo: number): Promise<void> {
    const { work, lead } = this.#offices.now;
    await work.purge(upTo);
    this.#purged = Math.max(this.#purged, upTo);
    await this.log.trim(upTo, lead);
    this.company?.purge(upTo);
  }

  /** What is due; returns when to come again, null if nothing is planned. */
  tick(now: number): number | null {
    const due = [this.company?.tick(now) ?? null, this.leads ? this.#offices.now.tick(now) : null, this.catchUp.tick(now)].filter((time) => time !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Finishes what was accepted, and lets go of what others can go on with. Its sessions are there still, and may publish. */
  async settle(): Promise<void> {
    await this.appender.drained();
    // Those that come next to whoever leads then find what these have finished.
    if (this.company?.holds() === true) this.#host?.bound(this)();
    this.company?.dismiss();
    await this.work.close();
    await this.company?.close();
  }

  /**
   * When its sessions have ended: what they did meanwhile is written too. The log is watched to the last event: one that is held back and was not seen would
   * be trimmed as if it were done.
   */
  async close(): Promise<void> {
    await this.appender.drained();
    if (this.company === undefined) await this.work.close();
    this.#unwatch();
  }

  #home(host: NamespaceHost): CompanyHome {
    return {
      begin: (lead) => this.#offices.begin(lead),
      lost: () => this.#lost(),
      vouch: (port, facts) => host.vouch(this, port, facts),
      passed: (events) => this.dispatcher.dispatchEphemeral(events),
      purged: (upTo) => {
        this.#purgedElsewhere = Math.max(this.#purgedElsewhere, upTo);
        this.#purged = Math.max(this.#purged, upTo);
      },
      tells: (what) => host.tells(this, what),
      seeks: (subscription) => host.seeks(this, subscription),
    };
  }

  #lost(): void {
    const endBound = this.#host?.bound(this);
    const before = this.#offices.end();
    before.leave();
    endBound?.();
  }
}

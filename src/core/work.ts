import type { Appender } from "./appender.ts";
import type { Measures } from "./measures.ts";
import { Bookmarks } from "./bookmarks.ts";
import type { Found } from "./company/seeking.ts";
import type { Surroundings } from "./clock.ts";
import { DeadLetters, deadLetterOf, eventOf, type DeadNote } from "./dead-letters.ts";
import { Delayed, readDelayed, stampOf } from "./delayed.ts";
import { Durables } from "./durables.ts";
import { EventRouterError, SubscriptionError } from "./errors.ts";
import { randomText } from "./event-id.ts";
import type { From, Gap } from "./frames.ts";
import { Groups } from "./groups.ts";
import type { Interest } from "./interest.ts";
import { Jobs, type Settlement } from "./jobs.ts";
import { Ledger } from "./ledger.ts";
import type { LogEvent } from "./log-event.ts";
import type { Limits } from "./limits.ts";
import { draftOf, readLine } from "./publish.ts";
import type { Cursor, Reader } from "./reader.ts";
import type { Log } from "./store.ts";
import type { Tail } from "./tail.ts";

/** Milliseconds that a subscription without a group has for a dead letter that is tried again. */
const REVIVAL = 60_000;

export interface WorkOptions {
  readonly log: Log;
  readonly tail: Tail;
  readonly appender: Pick<Appender, "submit">;
  /** Tokens and numbers of this leader begin behind this one. */
  readonly base: number;
  /** Where among other routers' clients a subscription is. */
  seek(subscription: string, letter: string): Promise<Found | undefined>;
  /** Whether it is still this router's to give out. */
  mayGive(): boolean;
  readonly readers: ReadonlySet<Reader>;
  readonly limits: Limits;
  readonly measures: Measures;
  readonly surroundings: Surroundings;
  readonly bookmarkDelay: number;
  stampTime(): number;
  placeOf(cursor: Cursor): number;
  start(from: From): Promise<{ after: number; gap?: Gap }>;
  /** Why events up to this seq are gone. */
  goneBy(seq: number): Gap["reason"];
  disinterested(interest: Interest): void;
  wakeBy(time: number): void;
  failed(error: unknown): void;
}

/** What of a namespace outlives its sessions besides the log's events: named cursors, groups, dead letters, and events that are held back. */
export class Work {
  readonly bookmarks: Bookmarks;
  readonly jobs: Jobs;
  readonly durables: Durables;
  readonly groups: Groups;
  readonly deadLetters: DeadLetters;
  readonly delayed: Delayed;
  readonly #ledgers: readonly Ledger<unknown>[];
  readonly #options: WorkOptions;

  constructor(options: WorkOptions) {
    const { log, tail, appender, limits, surroundings, wakeBy, failed } = options;
    const { now, defer } = surroundings;
    const randomId = (): string => randomText(16, surroundings.randomBytes);
    this.#options = options;
    this.bookmarks = new Bookmarks({ log, delay: options.bookmarkDelay, defer, now, wakeBy, failed });
    this.jobs = new Jobs({ now, deadlineSet: wakeBy, took: options.measures.handler, mayGive: () => options.mayGive() });
    this.jobs.resume(options.base);
    this.durables = new Durables({ bookmarks: this.bookmarks, epoch: log.epoch, placeOf: options.placeOf });

    const ledger = <T>(name: string, read: (record: LogEvent) => { key: string; value: T }, opened?: (key: string, value: T) => void): Ledger<T> => new Ledger<T>({
      name, log, appender, randomId, read, stampTime: options.stampTime, ...(opened && { opened }),
      start: { read: () => this.bookmarks.read(`ledger:${name}`), changed: (value) => this.bookmarks.changed(`ledger:${name}`, value) },
    });
    const dead = ledger<DeadNote>("$dead", (record) => {
      const letter = deadLetterOf(record);
      const event = eventOf(letter);
      return { key: letter.id, value: { subscription: letter.subscription, seq: event.seq, event: event.id } };
    });
    this.deadLetters = new DeadLetters({ ledger: dead, randomId, now });
    const delayed = ledger<number>("$delayed", (record) => {
      const { key, at } = readDelayed(record);
      return { key, value: at };
    }, (key, at) => this.delayed.opened(key, at));
    this.delayed = new Delayed({
      ledger: delayed, now, wakeBy, failed,
      draft: (line, record) => {
        const [subject, name] = stampOf(record);
        return draftOf(readLine(line, limits), options.stampTime(), JSON.stringify(name === 0 ? subject : [subject, name]));
      },
    });
    this.#ledgers = [dead, delayed];

    this.groups = new Groups({
      start: options.start,
      release: options.disinterested,
      home: {
        log, tail, jobs: this.jobs, bookmarks: this.bookmarks, now, defer, wakeBy, failed,
        goneBy: options.goneBy,
        bury: async (letter) => void await this.deadLetters.add(letter),
        revived: (id) => void this.deadLetters.close([id], "retried").catch(failed),
      },
    });
  }

  /** Reads what is open; before the first session. */
  async load(): Promise<void> {
    for (const ledger of this.#ledgers) await ledger.load();
  }

  /** The log has grown, as its watch reports. */
  appended(events: readonly LogEvent[]): void {
    for (const ledger of this.#ledgers) ledger.observe(events);
    this.groups.appended();
  }

  tick(now: number): number | null {
    this.jobs.expire(now);
    const due = [this.jobs.due, this.groups.tick(now), this.delayed.tick(now), this.bookmarks.tick(now)].filter((time) => time !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** The log is about to lose its events up to a seq: what is open among them is written anew, as far as that leaves room for anything else. */
  async carry(upTo: number): Promise<void> {
    const { log, failed } = this.#options;
    const most = Math.max(16, Math.floor((log.head - upTo) / 4));
    const letters = await this.deadLetters.carry(upTo, most);
    const delayed = await this.delayed.carry(upTo, most);
    if (letters + delayed > 0) failed(new EventRouterError("ERR_RETENTION", `the log keeps too little: with its oldest events went ${letters} dead letters and ${delayed} delayed events; raise the retention, or see to the dead letters`));
  }

  /** Somebody purges the log: dead letters go with their events, what is held back stays. */
  async purge(upTo: number): Promise<void> {
    await this.deadLetters.purge(upTo);
    await this.delayed.carry(upTo, Infinity);
  }

  /**
   * Gives a dead letter to the subscription that failed, and to no other. It stays a dead letter until that has handled it.
   * @throws SubscriptionError `ERR_SUBSCRIPTION_GONE` if the subscription is not there, `ERR_DEAD_LETTER` if the dead letter is not.
   */
  async revive(id: string): Promise<void> {
    const letter = await this.deadLetters.read(id);
    if (letter === undefined) throw new SubscriptionError("ERR_DEAD_LETTER", `there is no dead letter ${id}; it was retried or discarded`);
    const { subscription } = letter;
    const event = eventOf(letter);
    if (subscription.startsWith("group:")) {
      const group = await this.groups.get(subscription.slice("group:".length));
      if (group !== undefined) {
        this.deadLetters.reviving.add(id);
        return group.revive(id, event, letter.attempts);
      }
    }
    const cursor = this.#cursorOf(subscription) ?? await this.#options.seek(subscription, id);
    if (cursor === undefined || !this.#options.readers.has(cursor.reader)) throw new SubscriptionError("ERR_SUBSCRIPTION_GONE", `the subscription "${subscription}" that failed is not there; start its client, then retry, or discard the dead letter`, { details: { subscription }, retryable: true });
    if (this.deadLetters.reviving.has(id)) return;
    this.deadLetters.reviving.add(id);
    const attempts = letter.attempts + 1;
    const settled = (settlement: Settlement): void => {
      this.deadLetters.reviving.delete(id);
      if (settlement.state === "done") void this.deadLetters.close([id], "retried").catch(this.#options.failed);
      else if (settlement.state === "failed") void this.deadLetters.add({ ...letter, event, attempts, error: settlement.error }).catch(this.#options.failed);
    };
    this.jobs.give({ reader: cursor.reader, sub: cursor.id, settled, released: () => {} }, event, attempts, REVIVAL);
  }

  /** Another router does it now: nothing is written any more. */
  leave(): void { this.groups.leave(); }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    await this.bookmarks.flush();
  }

  #cursorOf(label: string): Cursor | undefined {
    for (const { cursors } of this.#options.readers) for (const cursor of cursors.values()) if (cursor.label === label) return cursor;
    return undefined;
  }
}

import { AuthenticationError, asError, PublishError, type EventRouterError } from "../../core/errors.ts";
import type { Log } from "../../core/store.ts";
import type { Connection } from "../connection.ts";
import type { Outbox, Publication } from "../outbox.ts";
import type { Receipt } from "../receipt.ts";
import { entriesOf, ownLine, type Entry } from "./entry.ts";

export interface FlusherOptions {
  log(): Log;
  readonly connection: Connection;
  /** Where publishes wait for their answer. */
  readonly direct: Outbox;
  readonly order: "published" | "priority";
  /** Events that may be on their way at once. */
  readonly window: number;
  /** Whether it is no longer to be sent. */
  skipped(entry: Entry): boolean;
  /** The router has it. */
  stored(entry: Entry, receipts: Receipt[]): void;
  /** The router has refused it: resolves when that is noted, durably. */
  refused(entry: Entry, error: EventRouterError): Promise<void>;
  report(error: unknown): void;
}

const NO_TEXT = { head: "", payload: "", tail: "" };
/** What is read at once: the second if the first would cut a batch. */
const PAGES = [{ events: 512, size: 512 * 1024 }, { events: Infinity, size: 16 * 1024 * 1024 }] as const;
/** With few on their way, what is urgent need not wait for many. */
const PRIORITY_WINDOW = 64;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** Sends what waits in an outbox's log, from its front, and trims what the router has. Whatever ends a connection ends nothing here: it starts at the front again. */
export class Flusher {
  readonly #options: FlusherOptions;
  #running = false;
  /** Counts the starts: what an older one is told is void. */
  #run = 0;
  #next = 0;
  #pumping = false;
  /** Read and not done, in the order of the log; those that are on their way have a publication. */
  readonly #open = new Map<number, { readonly entry: Entry; sent: Publication | undefined }>();
  #onWay = 0;
  /** Done behind what is not. */
  readonly #finished = new Set<number>();
  #trimming = false;
  #pause = FIRST_PAUSE;
  #resume = (): void => {};

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#next = this.#options.log().first - 1;
    void this.#pump();
  }

  stop(): void {
    this.#running = false;
    this.#run++;
    this.#resume();
    const stopped = new PublishError("ERR_PAUSED", "sending stopped", { retryable: true });
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#onWay = 0;
    for (const { sent } of open) if (sent !== undefined) this.#options.direct.abandon(sent, stopped);
  }

  /** There may be more to send. */
  wake(): void {
    if (this.#running) void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    const { order, window } = this.#options;
    const most = order === "priority" ? Math.min(PRIORITY_WINDOW, window) : window;
    try {
      while (this.#running && (this.#onWay < most || order === "priority")) {
        if (!(await this.#read())) break;
        if (order === "published") for (const one of this.#open.values()) this.#send(one);
      }
      if (order === "priority") this.#sendUrgent(most);
    } catch (error) {
      this.#options.report(error);
      this.#rest();
    } finally {
      this.#pumping = false;
    }
  }

  /** Takes the next page in; says whether there was one. */
  async #read(): Promise<boolean> {
    const run = this.#run;
    const log = this.#options.log();
    if (this.#next >= log.head) return false;
    for (const page of PAGES) {
      const entries = entriesOf(await log.read(this.#next, page));
      if (run !== this.#run) return this.#running;
      for (const entry of entries) {
        this.#next = entry.to;
        this.#open.set(entry.from, { entry, sent: undefined });
        if (this.#finished.has(entry.from) || this.#options.skipped(entry)) this.#done(entry);
      }
      if (entries.length > 0) return true;
    }
    // Trimmed meanwhile by another.
    return this.#next < log.first - 1 && (this.#next = log.first - 1) < log.head;
  }

  #sendUrgent(most: number): void {
    const waiting = [...this.#open.values()].filter(({ sent }) => sent === undefined);
    const urgency = ({ entry }: { readonly entry: Entry }) => Math.max(...entry.events.map(({ priority }) => priority));
    waiting.sort((a, b) => urgency(b) - urgency(a) || a.entry.from - b.entry.from);
    for (const one of waiting) if (this.#onWay < most) this.#send(one);
  }

  #send(one: { readonly entry: Entry; sent: Publication | undefined }): void {
    if (one.sent !== undefined) return;
    const { entry } = one;
    const { direct, connection, stored } = this.#options;
    const current = this.#run;
    this.#onWay += entry.events.length;
    one.sent = this.publicationOf(entry, {
      deadline: Infinity,
      resolve: (receipts) => {
        if (current !== this.#run) return;
        this.#pause = FIRST_PAUSE;
        this.#onWay -= entry.events.length;
        stored(entry, receipts);
        this.#done(entry);
        this.wake();
      },
      reject: (thrown) => {
        const error = asError(thrown, (cause) => new PublishError("ERR_SEND", "sending failed", { retryable: true, cause }));
        // What comes with the end of a connection is no word on the event.
        if (current !== this.#run || connection.welcome === undefined) return;
        if (error.retryable || error instanceof AuthenticationError) return this.#rest(error);
        this.#onWay -= entry.events.length;
        this.#options.refused(entry, error).then(() => {
          if (current !== this.#run) return;
          this.#done(entry);
          this.wake();
        }, (failure: unknown) => this.#rest(failure));
      },
    });
    direct.add(one.sent);
  }

  /** An entry as it is sent: its lines are made, and encrypted if they are to be. */
  publicationOf({ events, mode: { as = "each", run, own, ...terms } }: Entry, caller: Pick<Publication, "deadline" | "resolve" | "reject">): Publication {
    return {
      events: events.map((event) => ({ id: event.id, type: event.type, line: ownLine(event), own: own === 1, text: NO_TEXT })),
      as, terms,
      // Out of order, running numbers would leave more holes than a store remembers.
      run: run === 1 && this.#options.order === "published",
      release: undefined, last: false, sent: false, settled: false, sealed: true, ...caller,
    };
  }

  /** Something is in the way that time may move: begins at the front again after a while, so that order is kept. */
  #rest(error?: unknown): void {
    if (!this.#running) return;
    if (error !== undefined) this.#options.report(error);
    this.stop();
    const cancel = this.#options.connection.clock.after(this.#pause, () => {
      this.#resume = () => {};
      this.start();
    });
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#resume = cancel;
  }

  #done({ from }: Entry): void {
    this.#open.delete(from);
    this.#finished.add(from);
    if (!this.#trimming) void this.#trim();
  }

  async #trim(): Promise<void> {
    this.#trimming = true;
    try {
      const run = this.#run;
      while (run === this.#run) {
        // All that is done in this turn is trimmed at once.
        await Promise.resolve();
        const [first] = this.#open.keys();
        const log = this.#options.log();
        const to = first === undefined ? this.#next : first - 1;
        if (run !== this.#run || to < log.first) break;
        await log.trim(to);
        for (const from of this.#finished) if (from <= to) this.#finished.delete(from);
      }
    } catch (error) {
      // It is sent again, and found to be there already.
      this.#options.report(error);
    } finally {
      this.#trimming = false;
    }
  }
}

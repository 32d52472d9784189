import type { Dispatcher } from "./dispatcher.ts";
import type { Gap } from "./frames.ts";
import type { LogEvent } from "./log-event.ts";
import { parcel, type Parcel } from "./parcel.ts";
import { mayRead, type Cursor } from "./reader.ts";
import type { Log } from "./store.ts";
import type { Tail } from "./tail.ts";

/** Events looked at in one go for one cursor, and what a page read from the store may hold. */
const PAGE = { events: 256, size: 512 * 1024 };
const FEWEST = 64;
/** Pages read from the store at the same time in one namespace: bounds memory when everybody comes back at once. */
const READS = 4;
/** Milliseconds until a page that could not be read is asked for again. */
const RETRY = 1_000;

/** What was made in one turn. Readers that fell behind together are at the same place and ask for the same: what they get is made once. */
type MadeParcels = Map<string, Parcel>;

/** Serves the cursors that are behind, page by page as their windows open, until they are where new events are given out. */
export class CatchUp {
  readonly #log: Log;
  readonly #tail: Tail;
  readonly #dispatcher: Dispatcher;
  readonly #defer: (callback: () => void) => void;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #failed: (error: unknown) => void;
  readonly #goneBy: (seq: number) => Gap["reason"];
  readonly #first: () => number;
  readonly #ready = new Set<Cursor>();
  /** Cursors that wait for a page, and the first of them whose read is under way. */
  readonly #reading = new Set<Cursor>();
  readonly #toRead: Cursor[] = [];
  #reads = 0;
  /** Cursors whose page could not be read, and when they try again. */
  readonly #stalled = new Set<Cursor>();
  #retryAt: number | null = null;
  #scheduled = false;

  constructor(options: { log: Log; tail: Tail; dispatcher: Dispatcher; defer(callback: () => void): void; now(): number; wakeBy(time: number): void; failed(error: unknown): void; goneBy(seq: number): Gap["reason"]; first(): number }) {
    this.#log = options.log;
    this.#tail = options.tail;
    this.#dispatcher = options.dispatcher;
    this.#defer = options.defer;
    this.#now = options.now;
    this.#wakeBy = options.wakeBy;
    this.#failed = options.failed;
    this.#goneBy = options.goneBy;
    this.#first = options.first;
  }

  /** The cursor is behind and may have room: looked at once the present turn is over. */
  wake(cursor: Cursor): void {
    if (cursor.place.state !== "behind" || this.#reading.has(cursor)) return;
    this.#ready.add(cursor);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => {
      this.#scheduled = false;
      const ready = [...this.#ready];
      this.#ready.clear();
      const made: MadeParcels = new Map();
      for (const one of ready) this.#serve(one, made);
    });
  }

  /** Tries again what could not be read; returns when to come again. */
  tick(now: number): number | null {
    if (this.#retryAt !== null && now >= this.#retryAt) {
      this.#retryAt = null;
      for (const cursor of this.#stalled) this.wake(cursor);
      this.#stalled.clear();
    }
    return this.#retryAt;
  }

  #serve(cursor: Cursor, made: MadeParcels): void {
    if (cursor.place.state !== "behind") return;
    let { after } = cursor.place;
    after = this.#skipTo(cursor, after, this.#first());
    if (after >= this.#dispatcher.head) return this.#dispatcher.goLive(cursor);
    if (!cursor.window.open || cursor.reader.room <= 0) return;
    const page = this.#tail.after(after, PAGE.events);
    if (page !== undefined) return this.#give(cursor, after, page, made);
    this.#reading.add(cursor);
    this.#toRead.push(cursor);
    this.#readNext();
  }

  #readNext(): void {
    while (this.#reads < READS) {
      const cursor = this.#toRead.shift();
      if (cursor === undefined) return;
      if (cursor.place.state !== "behind") {
        this.#reading.delete(cursor);
        continue;
      }
      this.#reads++;
      void this.#read(cursor, cursor.place.after);
    }
  }

  async #read(cursor: Cursor, after: number): Promise<void> {
    try {
      // What has no room would be read again; who takes one in many of them needs more than there is room for.
      const page = await this.#log.read(after, { ...PAGE, events: Math.min(PAGE.events, Math.max(FEWEST, cursor.window.roomEvents)) });
      this.#reading.delete(cursor);
      if (cursor.place.state === "behind") this.#give(cursor, after, page, new Map());
    } catch (error) {
      // The cursor stays where it is. Perhaps nothing is in flight whose ack would wake it, so time does.
      this.#reading.delete(cursor);
      this.#stalled.add(cursor);
      this.#wakeBy((this.#retryAt ??= this.#now() + RETRY));
      this.#failed(error);
    } finally {
      this.#reads--;
      this.#readNext();
    }
  }

  #give(cursor: Cursor, after: number, page: readonly LogEvent[], made: MadeParcels): void {
    if (page[0] !== undefined) after = this.#skipTo(cursor, after, page[0].seq);
    const { interest, reader, window } = cursor;
    const wanted: LogEvent[] = [];
    let size = 0;
    let full = false;
    for (const event of page) {
      if (event.seq > this.#dispatcher.head) break;
      if (interest.matches(event) && mayRead(reader, event) && !event.expired(this.#now())) {
        // The frame's own brackets and commas count too.
        const frameSize = size + event.size + wanted.length + 32;
        full = !window.fits(wanted.length + 1, size + event.size) || !(reader.fits(frameSize) && (wanted.length === 0 || frameSize <= PAGE.size));
        if (full) break;
        wanted.push(event);
        size += event.size;
      }
      after = event.seq;
    }
    cursor.place = { state: "behind", after };
    if (wanted.length > 0) {
      const sent = parcelFor(cursor.id, wanted, made);
      reader.deliver(sent.messages[0]);
      window.sent(sent.shares[0]!.slip);
      this.#dispatcher.delivered += wanted.length;
    }
    // Full with nothing sent: an ack wakes it. Otherwise it goes on after the other sessions have had their turn.
    if (!full || wanted.length > 0) this.wake(cursor);
  }

  /**
   * Goes on at the first event that the log still holds; what is gone before it is told, never silently skipped (P2). A log that others write too may
   * be ahead of what was given out here: what lies beyond that is not told of twice.
   */
  #skipTo(cursor: Cursor, after: number, first: number): number {
    const to = Math.min(first - 1, this.#dispatcher.head);
    if (to <= after) return after;
    const gap: Gap = { from: after + 1, to, epoch: this.#log.epoch, reason: this.#goneBy(to) };
    cursor.reader.tell(JSON.stringify(["gap", cursor.id, gap]));
    cursor.place = { state: "behind", after: to };
    cursor.skipped = to;
    return to;
  }
}

function parcelFor(id: number, events: readonly LogEvent[], made: MadeParcels): Parcel {
  const key = `${id} ${events[0]!.seq} ${events.length}`;
  const before = made.get(key);
  if (before !== undefined && events.every((event, i) => event === before.events[i])) return before;
  const ids = [id];
  const sent = parcel(events, events.map(() => ids));
  made.set(key, sent);
  return sent;
}

import { Cohort } from "./cohort.ts";
import type { Interest } from "./interest.ts";
import type { Outgoing } from "./link.ts";
import type { LogEvent } from "./log-event.ts";
import { parcel, type Parcel } from "./parcel.ts";
import type { Rights } from "./policy.ts";
import type { Cursor, Place, Reader } from "./reader.ts";
import { mayReadEvent } from "./secrecy.ts";

/** Events of one frame at most: well below a window, so that readers who keep up stay live through a burst. */
const SLICE = 64;

const LIVE: Place = { state: "live" };
const CLOSED: Place = { state: "closed" };

/** Gives new events to live cursors. A cursor without room falls behind, and `CatchUp` serves it from the log. */
export class Dispatcher {
  readonly #match: (type: string) => readonly Interest[];
  readonly #fellBehind: (cursor: Cursor) => void;
  readonly #pass: (reader: Reader, messages: readonly [Outgoing]) => void;
  readonly #cohorts = new Map<string, Cohort>();
  readonly #cohortOf = new Map<Reader, Cohort>();
  readonly #routes = new Map<Interest, Map<Cohort, readonly number[]>>();
  /** Readers whose live cursors changed: they are grouped anew before the next event. */
  readonly #changed = new Set<Reader>();
  readonly #rightsIds = new WeakMap<Rights, number>();
  #lastRightsId = 0;
  /** Last seq given out: where a live cursor is. */
  #head: number;
  /** Events sent to sessions since the start. */
  delivered = 0;
  /** Times a subscription was held up for want of credit. */
  stalls = 0;

  /** @param options.pass sends at once, if nothing is queued before it */
  constructor(options: { head: number; match(type: string): readonly Interest[]; fellBehind(cursor: Cursor): void; pass(reader: Reader, messages: readonly [Outgoing]): void }) {
    this.#head = options.head;
    this.#match = options.match;
    this.#fellBehind = options.fellBehind;
    this.#pass = options.pass;
  }

  get head(): number { return this.#head; }

  /** The cursor has had everything up to the head. */
  goLive(cursor: Cursor): void {
    cursor.place = LIVE;
    this.#changed.add(cursor.reader);
  }

  /** The cursor has ended, or its reader has. */
  remove(cursor: Cursor): void {
    if (cursor.place.state === "live") this.#changed.add(cursor.reader);
    cursor.place = CLOSED;
  }

  /** The reader has ended: it is not kept until the next event. */
  forget(reader: Reader): void {
    this.#leave(reader);
    this.#changed.delete(reader);
  }

  /** The reader's rights are others now. */
  regroup(reader: Reader): void {
    this.#changed.add(reader);
  }

  /** Appended events, in order, as the log's watch reports them. */
  dispatch(events: readonly LogEvent[]): void {
    for (let start = 0; start < events.length; ) {
      const end = endOfRun(events, start);
      const alone = end - start === events.length;
      this.#give(alone ? events : events.slice(start, end), events[start]!.seq - 1, alone);
      this.#head = events[end - 1]!.seq;
      start = end;
    }
  }

  /** Events that are not in the log: to whoever is live and has room, at most once. */
  dispatchEphemeral(events: readonly LogEvent[]): void {
    for (let start = 0; start < events.length; ) {
      const end = endOfRun(events, start);
      this.#give(events.slice(start, end), this.#head, false);
      start = end;
    }
  }

  /** Sends a parcel to a reader; those of its cursors that lack room fall behind to `after`, the others get theirs. */
  #send(reader: Reader, sent: Parcel, after: number, alone: boolean): void {
    const fits = reader.fits(sent.messages[0].text.length);
    const full = fits ? withoutRoom(reader, sent) : sent.shares.map(({ id }) => id);
    if (full !== undefined && full.length > 0) {
      this.#fallBehind(reader, full, after);
      const rest = without(sent, new Set(full));
      if (rest === undefined) return;
      sent = rest;
    } else if (!fits) return;
    // First, as a session that cannot be sent to ends, and its cursors with it.
    for (const { id, slip } of sent.shares) reader.cursors.get(id)!.window.sent(slip);
    this.delivered += sent.events.length;
    if (alone) this.#pass(reader, sent.messages);
    else reader.deliver(sent.messages[0]);
  }

  /** @param alone nothing else comes of this commit, so that what readers get of it need not be gathered */
  #give(events: readonly LogEvent[], after: number, alone: boolean): void {
    this.#regroup();
    const touched = new Set<Cohort>();
    for (const event of events) {
      for (const interest of this.#match(event.type)) {
        const routes = this.#routes.get(interest);
        if (routes === undefined || (interest.accepts !== undefined && !interest.accepts(event))) continue;
        for (const [cohort, subs] of routes) {
          if (!cohortMayRead(cohort, event)) continue;
          cohort.add(event, subs);
          touched.add(cohort);
        }
      }
    }
    const target = events[0]!.target;
    for (const cohort of touched) {
      const taken = cohort.take();
      for (const reader of cohort.readers) if (target === undefined || target === reader.name) this.#send(reader, taken, after, alone);
    }
  }

  #fallBehind(reader: Reader, ids: readonly number[], after: number): void {
    this.stalls += ids.length;
    for (const id of ids) {
      const cursor = reader.cursors.get(id)!;
      cursor.place = { state: "behind", after };
      this.#fellBehind(cursor);
    }
    this.#changed.add(reader);
  }

  #regroup(): void {
    for (const reader of this.#changed) {
      this.#leave(reader);
      this.#join(reader);
    }
    this.#changed.clear();
  }

  #join(reader: Reader): void {
    const routes = new Map<Interest, number[]>();
    let key = String(this.#rightsId(reader.rights));
    for (const cursor of reader.cursors.values()) {
      if (cursor.place.state !== "live") continue;
      key += `,${cursor.interest.id}:${cursor.id}`;
      const ids = routes.get(cursor.interest);
      if (ids === undefined) routes.set(cursor.interest, [cursor.id]);
      else ids.push(cursor.id);
    }
    if (routes.size === 0) return;
    let cohort = this.#cohorts.get(key);
    if (cohort === undefined) {
      cohort = new Cohort(key, routes);
      this.#cohorts.set(key, cohort);
      for (const [interest, ids] of routes) {
        const others = this.#routes.get(interest);
        if (others === undefined) this.#routes.set(interest, new Map([[cohort, ids]]));
        else others.set(cohort, ids);
      }
    }
    cohort.readers.add(reader);
    this.#cohortOf.set(reader, cohort);
  }

  #leave(reader: Reader): void {
    const cohort = this.#cohortOf.get(reader);
    if (cohort === undefined) return;
    this.#cohortOf.delete(reader);
    cohort.readers.delete(reader);
    if (cohort.readers.size > 0) return;
    this.#cohorts.delete(cohort.key);
    for (const interest of cohort.routes.keys()) {
      const others = this.#routes.get(interest)!;
      others.delete(cohort);
      if (others.size === 0) this.#routes.delete(interest);
    }
  }

  #rightsId(rights: Rights): number {
    let id = this.#rightsIds.get(rights);
    if (id === undefined) this.#rightsIds.set(rights, (id = ++this.#lastRightsId));
    return id;
  }
}

/** Permission is asked for each event at the time it leaves (P2): all of a cohort have the same rights. */
function cohortMayRead(cohort: Cohort, event: LogEvent): boolean {
  for (const reader of cohort.readers) return mayReadEvent(reader.rights, event);
  return false;
}

/** The reader's subscriptions that lack room for their part of a parcel; undefined if none does. */
function withoutRoom(reader: Reader, { shares }: Parcel): number[] | undefined {
  let full: number[] | undefined;
  for (const { id, slip } of shares) if (!reader.cursors.get(id)!.window.fits(slip.seqs.length, slip.sizes.at(-1)!)) (full ??= []).push(id);
  return full;
}

/** Where a run of events ends that can share frames: a targeted event stands alone. */
function endOfRun(events: readonly LogEvent[], start: number): number {
  let end = start + 1;
  if (events[start]!.target !== undefined) return end;
  while (end < events.length && end - start < SLICE && events[end]!.target === undefined) end++;
  return end;
}

/** What is left of a parcel for the other subscriptions. */
function without({ events, subs }: Parcel, full: ReadonlySet<number>): Parcel | undefined {
  const kept: LogEvent[] = [];
  const ids: number[][] = [];
  events.forEach((event, i) => {
    const others = subs[i]!.filter((id) => !full.has(id));
    if (others.length === 0) return;
    kept.push(event);
    ids.push(others);
  });
  return kept.length === 0 ? undefined : parcel(kept, ids);
}

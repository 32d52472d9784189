import type { Gap } from "../../src/core/frames.ts";

/** An event as somebody saw it. Its payload says who published it, and as which of their events. */
export interface Sighting {
  readonly epoch: string;
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly publisher: string;
  /** From 1, in the order of the publisher's calls. */
  readonly number: number;
}

/** What a publisher knows of a publish: `failed` says that it is not in the log and never will be, `unknown` says nothing. */
export type Fate =
  | { readonly state: "acked"; readonly id: string; readonly epoch: string | null; readonly seq: number | null }
  | { readonly state: "failed" }
  | { readonly state: "unknown" };

export interface Attempt {
  readonly publisher: string;
  readonly number: number;
  /** Those of one transaction have this in common. */
  readonly transaction?: string;
  readonly fate: Fate;
}

/** What one subscription saw, in order. */
export interface Reading {
  readonly name: string;
  /** Whether the subscription asked for such an event. */
  wants(event: Sighting): boolean;
  /** It had asked when the log was here: everything behind is owed. */
  readonly after: number;
  /** It left by itself: nothing is owed behind the last event it saw. */
  readonly left?: boolean;
  /** No event may come twice: its client drops repeats, and has lived all the time. */
  readonly once?: boolean;
  readonly seen: readonly (Sighting | Gap)[];
}

export interface History {
  readonly attempts: readonly Attempt[];
  readonly readings: readonly Reading[];
  /** The log at the end: its epoch, its first seq and what is in it. */
  readonly log: { readonly epoch: string; readonly first: number; readonly events: readonly Sighting[] };
}

/** Lines of one rule that are told; the rest is counted. */
const MOST = 10;

/** The invariants of `guarantees.md` that a history does not keep, a line each; none if all is well. */
export function violations(history: History): string[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const lines = [...rule(history)].map((what) => `${name} ${what}`);
    return lines.length <= MOST ? lines : [...lines.slice(0, MOST), `${name} … and ${lines.length - MOST} more`];
  });
}

const rules: Readonly<Record<string, (history: History) => Iterable<string>>> = { I1, I2, I3, I4, I5, I6, I7, I8, I9, I19 };

const isGap = (seen: Sighting | Gap): seen is Gap => "reason" in seen;
const eventsOf = ({ seen }: Reading): Sighting[] => seen.filter((one): one is Sighting => !isGap(one));
const nameOf = ({ publisher, number }: { readonly publisher: string; readonly number: number }): string => `${publisher} #${number}`;
const placed = (event: Sighting): string => `${nameOf(event)} (${event.id}, seq ${event.seq})`;

/** No acked event lost. */
function* I1({ attempts, log }: History): Iterable<string> {
  const there = new Map(log.events.map((event) => [event.id, event]));
  for (const attempt of attempts) {
    const { fate } = attempt;
    if (fate.state !== "acked" || (fate.seq !== null && fate.seq < log.first)) continue;
    const found = there.get(fate.id);
    if (found === undefined) yield `${nameOf(attempt)} was acked as ${fate.id}, seq ${fate.seq}, and is not in the log`;
    else if (nameOf(found) !== nameOf(attempt)) yield `${nameOf(attempt)} was acked as ${fate.id}, which in the log is ${nameOf(found)}`;
    else if (fate.seq !== null && fate.seq !== found.seq) yield `${nameOf(attempt)} was acked with seq ${fate.seq} and has ${found.seq} in the log`;
  }
}

/** Nothing is in the log that was not published, nothing was delivered that is not in the log. */
function* I2({ attempts, readings, log }: History): Iterable<string> {
  const tried = new Set(attempts.map(nameOf));
  for (const event of log.events) if (!tried.has(nameOf(event))) yield `${placed(event)} is in the log and was not published`;
  const there = new Set(log.events.map(placed));
  for (const reading of readings) {
    for (const event of eventsOf(reading)) {
      if (event.epoch === log.epoch && event.seq >= log.first && !there.has(placed(event))) yield `${reading.name} got ${placed(event)}, which is not in the log`;
      if (!reading.wants(event)) yield `${reading.name} got ${placed(event)}, for which it had not asked`;
    }
  }
}

/** A definitely failed publish never appears. */
function* I3({ attempts, readings, log }: History): Iterable<string> {
  const failed = new Set(attempts.filter(({ fate }) => fate.state === "failed").map(nameOf));
  for (const event of log.events) if (failed.has(nameOf(event))) yield `${placed(event)} had failed and is in the log`;
  for (const reading of readings) for (const event of eventsOf(reading)) if (failed.has(nameOf(event))) yield `${placed(event)} had failed and was delivered to ${reading.name}`;
}

/** The id at a position, and the position of an id, are the same for all: in the log, in acks, in deliveries. */
function* I4({ attempts, readings, log }: History): Iterable<string> {
  const ids = new Map<string, { readonly id: string; readonly by: string }>();
  const places = new Map<string, { readonly place: string; readonly by: string }>();
  const conflict = (epoch: string, seq: number, id: string, by: string): string | undefined => {
    const place = `${epoch}:${seq}`;
    const known = ids.get(place);
    if (known === undefined) ids.set(place, { id, by });
    else if (known.id !== id) return `${place} is ${known.id} for ${known.by} and ${id} for ${by}`;
    const before = places.get(id);
    if (before === undefined) places.set(id, { place, by });
    else if (before.place !== place) return `${id} is at ${before.place} for ${before.by} and at ${place} for ${by}`;
    return undefined;
  };
  const all = function* (): Iterable<string | undefined> {
    for (const { epoch, seq, id } of log.events) yield conflict(epoch, seq, id, "the log");
    for (const { fate, publisher } of attempts) if (fate.state === "acked" && fate.epoch !== null && fate.seq !== null) yield conflict(fate.epoch, fate.seq, fate.id, `the ack to ${publisher}`);
    for (const reading of readings) for (const { epoch, seq, id } of eventsOf(reading)) yield conflict(epoch, seq, id, reading.name);
  };
  for (const found of all()) if (found !== undefined) yield found;
}

/** First deliveries strictly increase; where a client has lived all the time, there are no others. */
function* I5({ readings, log }: History): Iterable<string> {
  for (const { name, once, seen } of readings) {
    const before = new Set<number>();
    let epoch = log.epoch;
    let last = 0;
    for (const one of seen) {
      if (isGap(one)) continue;
      if (one.epoch !== epoch) {
        epoch = one.epoch;
        last = 0;
        before.clear();
      }
      if (before.has(one.seq)) {
        if (once === true) yield `${name} got ${placed(one)} twice`;
      } else if (one.seq < last) yield `${name} got ${placed(one)} after seq ${last}`;
      before.add(one.seq);
      last = Math.max(last, one.seq);
    }
  }
}

/** No skip without a reason, neither in the log nor in what a subscription got. */
function* I6({ readings, log }: History): Iterable<string> {
  let expected = log.first;
  for (const event of log.events) {
    if (event.seq !== expected) yield `the log goes from seq ${expected - 1} to ${event.seq}`;
    expected = event.seq + 1;
  }
  for (const reading of readings) {
    const got = new Set(eventsOf(reading).map(({ epoch, seq }) => `${epoch}:${seq}`));
    const gaps = reading.seen.filter(isGap);
    const last = reading.left === true ? Math.max(0, ...eventsOf(reading).map(({ seq }) => seq)) : Infinity;
    for (const event of log.events) {
      const { epoch, seq } = event;
      if (seq <= reading.after || seq > last || !reading.wants(event) || got.has(`${epoch}:${seq}`)) continue;
      if (!gaps.some((gap) => gap.epoch === epoch && gap.from <= seq && seq <= (gap.to ?? Infinity))) yield `${reading.name} never got ${placed(event)}`;
    }
  }
}

/** The events of one publisher keep their order, in the log and in its acks. */
function* I7({ attempts, log }: History): Iterable<string> {
  const last = new Map<string, Sighting>();
  for (const event of log.events) {
    const before = last.get(event.publisher);
    if (before !== undefined && before.number > event.number) yield `${placed(event)} comes after ${placed(before)}`;
    if (before === undefined || before.number < event.number) last.set(event.publisher, event);
  }
  const acked = new Map<string, { readonly number: number; readonly seq: number }>();
  for (const { publisher, number, fate } of attempts.toSorted((a, b) => a.number - b.number)) {
    if (fate.state !== "acked" || fate.seq === null || fate.epoch !== log.epoch) continue;
    const before = acked.get(publisher);
    if (before !== undefined && before.seq >= fate.seq) yield `${publisher} #${number} was acked with seq ${fate.seq}, #${before.number} before it with ${before.seq}`;
    acked.set(publisher, { number, seq: fate.seq });
  }
}

/** One log entry per id, and one per publish. */
function* I8({ log }: History): Iterable<string> {
  const ids = new Map<string, number>();
  const names = new Map<string, number>();
  for (const event of log.events) {
    const { id, seq } = event;
    const name = nameOf(event);
    if (ids.has(id)) yield `${id} is in the log twice, at seq ${ids.get(id)} and ${seq}`;
    else if (names.has(name)) yield `${name} is in the log twice, at seq ${names.get(name)} and ${seq}`;
    ids.set(id, seq);
    names.set(name, seq);
  }
}

/** Transactions are whole, consecutive and in the order of their events. */
function* I9({ attempts, log }: History): Iterable<string> {
  const members = Map.groupBy(attempts.filter(({ transaction }) => transaction !== undefined), ({ transaction }) => transaction!);
  const seqs = new Map(log.events.map((event) => [nameOf(event), event.seq]));
  for (const [transaction, events] of members) {
    const found = events.toSorted((a, b) => a.number - b.number).map((event) => seqs.get(nameOf(event)));
    const there = found.filter((seq) => seq !== undefined);
    if (there.length === 0) continue;
    if (there.length < found.length && log.first === 1) yield `of transaction ${transaction} ${there.length} of ${found.length} events are in the log`;
    else if (there.some((seq, i) => seq !== there[0]! + i)) yield `transaction ${transaction} is at seqs ${there.join(", ")}`;
  }
}

/** The epoch changes only when a log was lost; a reader of another one was told. */
function* I19({ attempts, readings, log }: History): Iterable<string> {
  for (const event of log.events) if (event.epoch !== log.epoch) yield `${placed(event)} has epoch ${event.epoch} in a log of epoch ${log.epoch}`;
  for (const attempt of attempts) {
    const { fate } = attempt;
    if (fate.state === "acked" && fate.epoch !== null && fate.epoch !== log.epoch) yield `${nameOf(attempt)} was acked in epoch ${fate.epoch}, the log's is ${log.epoch}`;
  }
  for (const { name, seen } of readings) {
    let epoch: string | undefined;
    let told = false;
    for (const one of seen) {
      if (isGap(one)) told ||= one.reason === "epoch";
      else {
        if (epoch !== undefined && one.epoch !== epoch && !told) yield `${name} was moved from epoch ${epoch} to ${one.epoch} without a word`;
        if (one.epoch !== epoch) told = false;
        epoch = one.epoch;
      }
    }
    if (epoch !== undefined && epoch !== log.epoch) yield `${name} ended in epoch ${epoch}, the log's is ${log.epoch}`;
  }
}

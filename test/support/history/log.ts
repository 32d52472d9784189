import type { History, Sighting } from "../history.ts";
import { isRecord, livesOf, nameOf, placed, storedOf, storingOf } from "./parts.ts";

/** No acked event lost. */
export function* I1(history: History): Iterable<string> {
  const lives = livesOf(history);
  const there = new Map(lives.map(({ epoch, events }) => [epoch, new Map(events.map((event) => [event.id, event]))]));
  for (const attempt of storingOf(history)) {
    const { fate } = attempt;
    if (fate.state !== "acked") continue;
    const life = lives.find(({ epoch }) => epoch === fate.epoch) ?? history.log;
    if (fate.seq !== null && fate.seq < life.first) continue;
    // What was to come later was lost with that life.
    if (attempt.later === true && life !== history.log) continue;
    const found = there.get(life.epoch)!.get(fate.id);
    if (found === undefined) yield `${nameOf(attempt)} was acked as ${fate.id}, seq ${fate.seq}, and is not in the log`;
    else if (nameOf(found) !== nameOf(attempt)) yield `${nameOf(attempt)} was acked as ${fate.id}, which in the log is ${nameOf(found)}`;
    else if (fate.seq !== null && fate.seq !== found.seq) yield `${nameOf(attempt)} was acked with seq ${fate.seq} and has ${found.seq} in the log`;
  }
}

/** The id at a position, and the position of an id, are the same for all: in the log, in acks, in deliveries. */
export function* I4(history: History): Iterable<string> {
  const ids = new Map<string, { readonly id: string; readonly by: string }>();
  const places = new Map<string, { readonly seq: number; readonly by: string }>();
  const conflict = (epoch: string, seq: number, id: string, by: string): string | undefined => {
    const known = ids.get(`${epoch}:${seq}`);
    if (known === undefined) ids.set(`${epoch}:${seq}`, { id, by });
    else if (known.id !== id) return `${epoch}:${seq} is ${known.id} for ${known.by} and ${id} for ${by}`;
    // In another life of the log an event that is published again has another place.
    const before = places.get(`${epoch} ${id}`);
    if (before === undefined) places.set(`${epoch} ${id}`, { seq, by });
    else if (before.seq !== seq) return `${id} is at ${epoch}:${before.seq} for ${before.by} and at ${epoch}:${seq} for ${by}`;
    return undefined;
  };
  const all = function* (): Iterable<string | undefined> {
    for (const { events } of livesOf(history)) for (const { epoch, seq, id } of events) yield conflict(epoch, seq, id, "the log");
    for (const { fate, publisher } of storingOf(history)) if (fate.state === "acked" && fate.epoch !== null && fate.seq !== null) yield conflict(fate.epoch, fate.seq, fate.id, `the ack to ${publisher}`);
    for (const reading of history.readings) for (const { epoch, seq, id } of storedOf(reading)) yield conflict(epoch, seq, id, reading.name);
  };
  for (const found of all()) if (found !== undefined) yield found;
}

/** The events of one publisher keep their order, in the log and in its acks. */
export function* I7(history: History): Iterable<string> {
  const { unordered = new Set(), rivals = false } = history;
  const givenUp = new Set(rivals ? history.attempts.filter(({ fate }) => fate.state === "unknown").map(nameOf) : []);
  for (const { events } of livesOf(history)) {
    const last = new Map<string, Sighting>();
    for (const event of events) {
      if (unordered.has(event.publisher)) continue;
      const before = last.get(event.publisher);
      if (before !== undefined && before.number > event.number && !givenUp.has(nameOf(event))) yield `${placed(event)} comes after ${placed(before)}`;
      if (before === undefined || before.number < event.number) last.set(event.publisher, event);
    }
  }
  const acked = new Map<string, { readonly number: number; readonly seq: number }>();
  for (const { publisher, number, fate } of storingOf(history).toSorted((a, b) => a.number - b.number)) {
    if (fate.state !== "acked" || fate.seq === null || fate.epoch === null || unordered.has(publisher)) continue;
    const before = acked.get(`${fate.epoch} ${publisher}`);
    if (before !== undefined && before.seq >= fate.seq) yield `${publisher} #${number} was acked with seq ${fate.seq}, #${before.number} before it with ${before.seq}`;
    acked.set(`${fate.epoch} ${publisher}`, { number, seq: fate.seq });
  }
}

/** One log entry per id, and one per publish. */
export function* I8(history: History): Iterable<string> {
  for (const { events } of livesOf(history)) {
    const ids = new Map<string, number>();
    const names = new Map<string, number>();
    for (const event of events) {
      const { id, seq } = event;
      const name = nameOf(event);
      if (ids.has(id)) yield `${id} is in the log twice, at seq ${ids.get(id)} and ${seq}`;
      else if (names.has(name)) yield `${name} is in the log twice, at seq ${names.get(name)} and ${seq}`;
      ids.set(id, seq);
      names.set(name, seq);
    }
  }
}

/** Transactions are whole, consecutive and in the order of their events. */
export function* I9(history: History): Iterable<string> {
  const members = Map.groupBy(history.attempts.filter(({ transaction }) => transaction !== undefined), ({ transaction }) => transaction!);
  for (const { events, first } of livesOf(history)) {
    const seqs = new Map(events.map((event) => [nameOf(event), event.seq]));
    for (const [transaction, parts] of members) {
      const found = parts.toSorted((a, b) => a.number - b.number).map((event) => seqs.get(nameOf(event)));
      const there = found.filter((seq) => seq !== undefined);
      if (there.length === 0) continue;
      if (there.length < found.length && first === 1) yield `of transaction ${transaction} ${there.length} of ${found.length} events are in the log`;
      else if (there.some((seq, i) => seq !== there[0]! + i)) yield `transaction ${transaction} is at seqs ${there.join(", ")}`;
    }
  }
}

/** No byte crosses namespaces. */
export function* I16(history: History): Iterable<string> {
  const { namespace, readings } = history;
  if (namespace === undefined) return;
  for (const { events } of livesOf(history)) for (const event of events) if (!isRecord(event) && event.namespace !== namespace) yield `${placed(event)} of ${event.namespace} is in the log of ${namespace}`;
  for (const { name, seen } of readings) for (const one of seen) if ("id" in one && one.namespace !== namespace) yield `${name} of ${namespace} got ${placed(one)} of ${one.namespace}`;
}

/** The epoch changes if and only if the log was lost; a reader of another one was told. */
export function* I19(history: History): Iterable<string> {
  const { log, readings } = history;
  const lives = livesOf(history);
  const epochs = lives.map(({ epoch }) => epoch);
  for (const { epoch, events } of lives) for (const event of events) if (event.epoch !== epoch) yield `${placed(event)} has epoch ${event.epoch} in a log of epoch ${epoch}`;
  for (const attempt of storingOf(history)) {
    const { fate } = attempt;
    if (fate.state === "acked" && fate.epoch !== null && !epochs.includes(fate.epoch)) yield `${nameOf(attempt)} was acked in epoch ${fate.epoch}, the log's is ${log.epoch}`;
  }
  for (const reading of readings) {
    let { epoch } = reading;
    let told = false;
    for (const one of reading.seen) {
      if ("reason" in one) told ||= one.reason === "epoch";
      else {
        if (epoch !== undefined && one.epoch !== epoch && !told) yield `${reading.name} was moved from epoch ${epoch} to ${one.epoch} without a word`;
        if (one.epoch !== epoch) told = false;
        if (epoch !== undefined && epochs.indexOf(one.epoch) < epochs.indexOf(epoch)) yield `${reading.name} went back from epoch ${epoch} to ${one.epoch}`;
        epoch = one.epoch;
      }
    }
    if (epoch !== undefined && epoch !== log.epoch && !epochs.includes(epoch)) yield `${reading.name} ended in epoch ${epoch}, the log's is ${log.epoch}`;
    if (reading.seen.some((one) => "reason" in one && one.reason === "epoch") && lives.length === 1 && epoch === log.epoch && reading.epoch === log.epoch) yield `${reading.name} was told of another epoch, and there was none`;
  }
}


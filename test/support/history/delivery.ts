import type { Sighting, History } from "../history.ts";
import { gapsOf, isRecord, livesOf, nameOf, passingOf, placed, storedOf, trimmedOf } from "./parts.ts";

/** Nothing is in the log that was not published, nothing was delivered that is not in the log, or that was not asked for. */
export function* I2(history: History): Iterable<string> {
  const { attempts, readings } = history;
  const tried = new Set(attempts.map(nameOf));
  const lives = livesOf(history);
  for (const { events } of lives) for (const event of events) if (!isRecord(event) && !tried.has(nameOf(event))) yield `${placed(event)} is in the log and was not published`;
  const there = new Map(lives.map(({ epoch, events }) => [epoch, new Set(events.map(placed))]));
  const first = new Map(lives.map((life) => [life.epoch, life.first]));
  const ephemeral = new Set(attempts.filter((one) => one.ephemeral === true).map(nameOf));
  for (const { events } of lives) for (const event of events) if (ephemeral.has(nameOf(event))) yield `${placed(event)} was not to be stored and is in the log`;
  for (const reading of readings) {
    for (const event of storedOf(reading)) {
      if (event.seq >= (first.get(event.epoch) ?? Infinity) && !there.get(event.epoch)!.has(placed(event))) yield `${reading.name} got ${placed(event)}, which is not in the log`;
      if (!reading.wants(event)) yield `${reading.name} got ${placed(event)}, for which it had not asked`;
    }
    for (const event of passingOf(reading)) {
      if (!ephemeral.has(nameOf(event))) yield `${reading.name} got ${placed(event)}, which nobody published so`;
      if (!reading.wants(event)) yield `${reading.name} got ${placed(event)}, for which it had not asked`;
    }
  }
}

/** A definitely failed publish never appears. */
export function* I3(history: History): Iterable<string> {
  const failed = new Set(history.attempts.filter(({ fate }) => fate.state === "failed").map(nameOf));
  // The same event may be tried again.
  for (const { fate, ...attempt } of history.attempts) if (fate.state !== "failed") failed.delete(nameOf(attempt));
  // It may have been in a log that was lost, and was refused when it was sent again: another event had taken its id meanwhile.
  const now = new Map(history.log.events.map((event) => [event.id, nameOf(event)]));
  const displaced = (event: Sighting): boolean => event.epoch !== history.log.epoch && now.has(event.id) && now.get(event.id) !== nameOf(event);
  for (const { events } of livesOf(history)) for (const event of events) if (failed.has(nameOf(event)) && !displaced(event)) yield `${placed(event)} had failed and is in the log`;
  for (const reading of history.readings) for (const event of [...storedOf(reading), ...passingOf(reading)]) if (failed.has(nameOf(event)) && !displaced(event)) yield `${placed(event)} had failed and was delivered to ${reading.name}`;
}

/** First deliveries strictly increase; where a client has lived all the time, there are no others. What is not stored comes once or never. */
export function* I5({ readings, log, rivals = false }: History): Iterable<string> {
  for (const reading of readings) {
    const before = new Set<number>();
    let epoch = log.epoch;
    let last = 0;
    for (const one of storedOf(reading)) {
      if (one.epoch !== epoch) {
        epoch = one.epoch;
        last = 0;
        before.clear();
      }
      if (before.has(one.seq)) {
        if (reading.once === true) yield `${reading.name} got ${placed(one)} twice`;
      } else if (one.seq < last && reading.spares?.(one) !== true) yield `${reading.name} got ${placed(one)} after seq ${last}`;
      before.add(one.seq);
      last = Math.max(last, one.seq);
    }
    const passed = new Set<string>();
    for (const one of passingOf(reading)) {
      // Routers pass on what is not stored: one that hears it late gives it to a client that had it elsewhere and has come over.
      if (passed.has(one.id) && !rivals) yield `${reading.name} got ${placed(one)} twice`;
      passed.add(one.id);
    }
  }
}

/** No skip without a reason, neither in the log nor in what a subscription got; and no reason without a loss. */
export function* I6(history: History): Iterable<string> {
  const lives = livesOf(history);
  for (const { first, events } of lives) {
    let expected = first;
    for (const event of events) {
      if (event.seq !== expected) yield `the log goes from seq ${expected - 1} to ${event.seq}`;
      expected = event.seq + 1;
    }
  }
  for (const reading of history.readings) {
    const got = new Set(storedOf(reading).map(({ epoch, seq }) => `${epoch}:${seq}`));
    const gaps = gapsOf(reading);
    const began = reading.epoch === undefined ? lives.length - 1 : lives.findIndex(({ epoch }) => epoch === reading.epoch);
    const lastSeen = storedOf(reading).at(-1);
    const leftIn = reading.left === true ? (lastSeen === undefined ? began : lives.findIndex(({ epoch }) => epoch === lastSeen.epoch)) : Infinity;
    // A reader that lost one life of the log is told so; of others that came and went before it was back, nothing can be said.
    const lost = Math.min(Infinity, ...gaps.filter(({ reason }) => reason === "epoch").map((gap) => lives.findIndex(({ epoch }) => epoch === gap.epoch)));
    for (const [i, life] of lives.entries()) {
      if (i < began || i > leftIn) continue;
      const last = i === leftIn ? Math.max(0, ...storedOf(reading).filter(({ epoch }) => epoch === life.epoch).map(({ seq }) => seq)) : Infinity;
      for (const event of life.events) {
        const { epoch, seq } = event;
        if ((i === began && seq <= reading.after) || seq > last || !reading.wants(event) || reading.may?.(event) === false || reading.spares?.(event) === true || got.has(`${epoch}:${seq}`)) continue;
        if (gaps.some((gap) => gap.epoch === epoch && gap.from <= seq && seq <= (gap.to ?? Infinity))) continue;
        if (i < lives.length - 1 && i >= lost) continue;
        // Where it begins anew is behind what is gone by then.
        if (i > began && seq <= trimmedOf(life)) continue;
        yield `${reading.name} never got ${placed(event)}`;
      }
    }
    for (const gap of gaps) {
      const life = lives.find(({ epoch }) => epoch === gap.epoch);
      if (gap.reason === "retention" && life !== undefined && (gap.to ?? Infinity) > trimmedOf(life)) yield `${reading.name} was told that ${gap.from} to ${gap.to} are gone, and the log was trimmed to ${trimmedOf(life)}`;
    }
  }
}

/** No delivery against the permissions in force. */
export function* I15({ readings }: History): Iterable<string> {
  for (const reading of readings) {
    if (reading.may === undefined) continue;
    for (const event of [...storedOf(reading), ...passingOf(reading)]) if (!reading.may(event)) yield `${reading.name} got ${placed(event)}, which it might not read`;
  }
}

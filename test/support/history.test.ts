import { describe, expect, test } from "vitest";
import type { Gap } from "../../src/core/frames.ts";
import { violations, type Attempt, type Crew, type Fate, type History, type Reading, type Sighting } from "./history.ts";

const epoch = "E";
const event = (seq: number, publisher: string, number: number, change: Partial<Sighting> = {}): Sighting => ({ epoch, seq, id: `${publisher}${number}`, type: "t", publisher, number, ...change });
const acked = (seq: number, publisher: string, number: number, change: Partial<Attempt> = {}): Attempt => ({ publisher, number, fate: { state: "acked", id: `${publisher}${number}`, epoch, seq }, ...change });
const reading = (seen: readonly (Sighting | Gap)[], change: Partial<Reading> = {}): Reading => ({ name: "reader", wants: () => true, after: 0, once: true, seen, ...change });

const crew = (change: Partial<Crew>): Crew => ({ name: "group", wants: () => true, after: () => 0, given: events, done: events, gaps: [{ from: 1, to: 3, epoch, reason: "retention" }], dead: new Set(), ...change });

const events = [event(1, "a", 1), event(2, "b", 1), event(3, "b", 2), event(4, "a", 2), event(5, "a", 4)];
const attempts: Attempt[] = [
  acked(1, "a", 1), acked(4, "a", 2), { publisher: "a", number: 3, fate: { state: "failed" } }, { publisher: "a", number: 4, fate: { state: "unknown" } },
  acked(2, "b", 1, { transaction: "tx" }), acked(3, "b", 2, { transaction: "tx" }), { publisher: "b", number: 3, fate: { state: "unknown" } },
];
const good: History = {
  attempts,
  log: { epoch, first: 1, trimmed: 3, events },
  readings: [
    reading(events),
    reading([events[2]!, events[4]!], { name: "late", after: 2, wants: ({ seq }) => seq % 2 === 1 }),
    reading(events.slice(0, 2), { name: "gone", left: true }),
    reading([{ from: 1, to: 3, epoch, reason: "retention" }, events[3]!, events[4]!], { name: "told" }),
    reading([events[0]!, events[1]!, events[0]!, events[1]!, ...events.slice(2)], { name: "again", once: false }),
  ],
};

const withLog = (...list: readonly Sighting[]): History => ({ ...good, log: { ...good.log, events: list }, readings: [] });
const withFate = (publisher: string, number: number, fate: Fate): History => ({ ...good, attempts: attempts.map((one) => (one.publisher === publisher && one.number === number ? { ...one, fate } : one)) });
const withSeen = (seen: readonly (Sighting | Gap)[], change?: Partial<Reading>): History => ({ ...good, readings: [reading(seen, change)] });

test("a history that keeps all promises has no violations", () => {
  expect(violations(good)).toEqual([]);
});

/** Histories each with one thing wrong, and the rules that must say so. */
const bad: readonly (readonly [what: string, rules: readonly string[], history: History])[] = [
  ["an acked event is not in the log", ["I1"], { ...withLog(...events.slice(0, 4)), attempts: [...attempts.filter(({ number }) => number < 4), acked(5, "a", 4)] }],
  ["an acked event is in the log with another seq", ["I1", "I4"], withFate("a", 4, { state: "acked", id: "a4", epoch, seq: 7 })],
  ["an ack names another event's id", ["I1", "I4"], withFate("a", 4, { state: "acked", id: "b2", epoch, seq: 5 })],
  ["the log has what nobody published", ["I2"], withLog(...events, event(6, "c", 1))],
  ["a subscriber got what is not in the log", ["I2"], withSeen([...events, event(6, "b", 3)])],
  ["a subscriber got what it had not asked for", ["I2"], withSeen(events, { wants: ({ seq }) => seq !== 2 })],
  ["a failed publish is in the log", ["I3"], withLog(...events.slice(0, 4), event(5, "a", 3), event(6, "a", 4))],
  ["a failed publish was delivered", ["I2", "I3"], withSeen([...events, event(6, "a", 3)])],
  ["two subscribers got different events at one place", ["I2", "I4"], { ...good, readings: [reading(events), reading([...events.slice(0, 4), event(5, "b", 3)], { name: "other" })] }],
  ["deliveries go back", ["I5"], withSeen([events[0]!, events[2]!, events[1]!, events[3]!, events[4]!])],
  ["an event came twice to a client that drops repeats", ["I5"], withSeen([...events.slice(0, 3), events[2]!, ...events.slice(3)])],
  ["an event was skipped", ["I6"], withSeen([events[0]!, events[1]!, events[3]!, events[4]!])],
  ["the first event was skipped", ["I6"], withSeen(events.slice(1))],
  ["the last event never came", ["I6"], withSeen(events.slice(0, 4))],
  ["a gap does not cover all that was skipped", ["I6"], withSeen([{ from: 1, to: 2, epoch, reason: "retention" }, events[3]!, events[4]!])],
  ["one who left was skipped before", ["I6"], withSeen([events[0]!, events[2]!], { left: true })],
  ["the log has a hole", ["I6"], withLog(...events.slice(0, 4), event(6, "a", 4))],
  ["a publisher's events changed places in the log", ["I7"], { ...withLog(event(1, "a", 1), event(2, "a", 4), event(3, "a", 2)), attempts: [acked(1, "a", 1), acked(3, "a", 2), { publisher: "a", number: 4, fate: { state: "unknown" } }] }],
  ["acks are out of order", ["I1", "I4", "I7"], withFate("a", 2, { state: "acked", id: "a2", epoch, seq: 1 })],
  ["an id is in the log twice", ["I4", "I8"], withLog(...events, event(6, "a", 4))],
  ["a publish is in the log twice under two ids", ["I8"], withLog(...events, event(6, "a", 4, { id: "other" }))],
  ["half of a transaction is in the log", ["I9"], { ...withLog(events[0]!, events[1]!, event(3, "a", 2)), attempts: [acked(1, "a", 1), acked(3, "a", 2), acked(2, "b", 1, { transaction: "tx" }), { publisher: "b", number: 2, transaction: "tx", fate: { state: "unknown" } }] }],
  ["something came between the events of a transaction", ["I9"], { ...withLog(event(1, "b", 1), event(2, "a", 1), event(3, "b", 2)), attempts: [acked(2, "a", 1), acked(1, "b", 1, { transaction: "tx" }), acked(3, "b", 2, { transaction: "tx" })] }],
  ["an event was acked in another epoch", ["I19"], withFate("b", 3, { state: "acked", id: "b3", epoch: "F", seq: 0 })],
  ["a reader was told that something is gone that was not trimmed", ["I6"], withSeen([...events.slice(0, 3), { from: 4, to: 4, epoch, reason: "retention" }, events[4]!])],
  ["what was not to be stored is in the log", ["I2"], { ...good, attempts: attempts.map((one) => (one.publisher === "a" && one.number === 4 ? { ...one, ephemeral: true } : one)), readings: [] }],
  ["an event without a seq came twice", ["I5"], { ...good, attempts: [...attempts, { publisher: "c", number: 1, ephemeral: true, fate: { state: "unknown" } }], readings: [reading([event(0, "c", 1), event(0, "c", 1)], { left: true })] }],
  ["a group has not finished an event", ["I11"], { ...good, crews: [crew({ done: events.slice(0, 4) })] }],
  ["a group was given what it had not asked for", ["I11"], { ...good, crews: [crew({ wants: ({ seq }) => seq !== 2, given: events })] }],
  ["a counter is wrong", ["I12"], { ...good, counters: [{ name: "head", value: 4, should: 5 }] }],
  ["something still waits at the end", ["I13"], { ...good, backlog: [{ name: "queueDepth", value: 1, should: 0 }] }],
  ["too much was in memory", ["I14"], { ...good, peaks: [{ name: "in flight", value: 9, should: 8 }] }],
  ["a reader got what it might not read", ["I15"], withSeen(events, { may: ({ seq }) => seq !== 3 })],
  ["an event is in another namespace's log", ["I16"], { ...good, namespace: "one", readings: [], log: { ...good.log, events: events.map((one) => ({ ...one, namespace: one.seq === 2 ? "two" : "one" })) } }],
  ["a request got another's answer", ["P7"], { ...good, questions: [{ key: "q1", answers: ["q2"], carriedOut: 1 }] }],
  ["a request was carried out twice", ["P7"], { ...good, questions: [{ key: "q1", answers: [], carriedOut: 2 }] }],
  ["what was lost with an earlier life of the log was not told", ["I6", "I19"], { ...good, earlier: [{ epoch: "D", first: 1, events: [event(1, "a", 1, { epoch: "D" })] }], readings: [reading([event(1, "a", 1)], { epoch: "D", left: true })] }],
  ["a subscriber came into another epoch without being told", ["I19", "I6"], withSeen([event(1, "a", 1, { epoch: "F" }), ...events.slice(1)])],
];

describe("each rule can fail", () => {
  test.each(bad)("%s", (_what, expected, history) => {
    const found = violations(history);
    expect(new Set(found.map((line) => line.split(" ")[0]))).toEqual(new Set(expected));
    expect(found[0]).toMatch(/^[IP]\d+ \S.{10,}/);
  });

  test("all of them", () => {
    expect(new Set(bad.flatMap(([, rules]) => rules))).toEqual(new Set(["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I11", "I12", "I13", "I14", "I15", "I16", "I19", "P7"]));
  });
});

test("a rule that fails often says so in few lines", () => {
  const many = Array.from({ length: 500 }, (_, i) => event(i + 1, "z", i + 1));
  const found = violations({ attempts: [], readings: [], log: { epoch, first: 1, events: many } });
  expect(found).toHaveLength(11);
  expect(found.at(-1)).toBe("I2 … and 490 more");
});

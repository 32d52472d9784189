import { expect, test } from "vitest";
import { Retention, type RetentionPolicy } from "../../src/core/retention.ts";
import type { Log } from "../../src/core/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { allMicrotasks, FakeSurroundings } from "../support/fake-surroundings.ts";

async function logWith(count: number, timeOf: (n: number) => number = () => 0): Promise<Log> {
  const log = await memoryStore({ randomBytes: new FakeSurroundings().randomBytes }).open("default");
  for (let i = 1; i <= count; i++) await add(log, i, timeOf(i));
  return log;
}

async function add(log: Log, n: number, time = 0): Promise<void> {
  const head = `,${time},0,`;
  await log.append([{ publisher: "", run: false, drafts: [{ id: `e${n}`, type: "t", time, body: `${head}"e${n}","t",${1_000 + n}]`, own: head.length }] }]);
}

const failures: unknown[] = [];
const retention = (log: Log, policy: RetentionPolicy) => new Retention(log, policy, (error) => failures.push(error));

test("nothing named: everything is kept, and it never asks to be called", async () => {
  const log = await logWith(50);
  const one = retention(log, {});
  one.appended();
  expect(one.tick(1e15)).toBeNull();
  await allMicrotasks();
  expect(log.first).toBe(1);
});

test("a number of events: trimmed to it once it is a sixteenth over, not at each event", async () => {
  const log = await logWith(34);
  const one = retention(log, { maxEvents: 32 });
  one.appended();
  await allMicrotasks();
  expect(log.first).toBe(1);
  await add(log, 35);
  one.appended();
  await allMicrotasks();
  expect([log.first, log.extent.events]).toEqual([4, 32]);
});

test("a size: the newest events within it stay", async () => {
  const log = await logWith(100);
  const maxBytes = Math.floor(log.extent.size / 3);
  retention(log, { maxBytes }).appended();
  await allMicrotasks();
  expect(log.extent.size).toBeLessThanOrEqual(maxBytes);
  const [oldestGone] = await (await logWith(100)).read(log.first - 2, { events: 1, size: 1 });
  expect(log.extent.size + oldestGone!.size).toBeGreaterThan(maxBytes);
});

test("a size that not even the newest event is within empties the log and does not hang", async () => {
  const log = await logWith(20);
  retention(log, { maxBytes: 1 }).appended();
  await allMicrotasks();
  expect([log.first, log.head, log.extent.events]).toEqual([21, 20, 0]);
});

test("an age: what is older goes at the tick, what is exactly as old stays; it asks for the next", async () => {
  const log = await logWith(10, (i) => i * 1_000);
  const one = retention(log, { maxAge: 40_000 });
  expect(one.tick(45_000)).toBe(47_000); // a twentieth of the age
  await allMicrotasks();
  expect(log.first).toBe(5);
  expect(one.tick(46_999)).toBe(47_000);
  await allMicrotasks();
  expect(log.first).toBe(5);
  expect(one.tick(47_000)).toBe(49_000);
  await allMicrotasks();
  expect(log.first).toBe(7);
});

test("one event that is too old goes, too", async () => {
  const log = await logWith(10, (i) => i * 1_000);
  retention(log, { maxAge: 40_000 }).tick(41_001);
  await allMicrotasks();
  expect(log.first).toBe(2);
});

test("the next look at ages is a second to a minute away", () => {
  const log = { seqBefore: async () => 0, head: 0, first: 1, extent: { events: 0, size: 0 } } as unknown as Log;
  expect(retention(log, { maxAge: 10 }).tick(0)).toBe(1_000);
  expect(retention(log, { maxAge: 30 * 24 * 3_600_000 }).tick(0)).toBe(60_000);
});

test("whichever limit is reached first decides", async () => {
  const log = await logWith(40, (i) => i * 1_000);
  const one = retention(log, { maxAge: 35_000, maxEvents: 10 });
  one.tick(41_000);
  await allMicrotasks();
  expect(log.first).toBe(31);
});

test("a store that cannot trim is told of once per try, and tried again", async () => {
  const log = await logWith(40);
  let fails = true;
  const flaky: Log = { ...Object.fromEntries(Object.entries(log)), read: log.read, get head() { return log.head; }, get first() { return log.first; }, get extent() { return log.extent; }, trim: (seq: number) => fails ? Promise.reject(new Error("disk")) : log.trim(seq) } as unknown as Log;
  const one = retention(flaky, { maxEvents: 10 });
  failures.length = 0;
  one.appended();
  one.appended(); // while the first is under way: not twice
  await allMicrotasks();
  expect(failures).toHaveLength(1);
  fails = false;
  one.appended();
  await allMicrotasks();
  expect(log.first).toBe(31);
});

test("[P1] what was not reported yet is not trimmed: records of delayed events among it could not be carried on", async () => {
  const log = await logWith(7, (n) => n);
  const carried: number[] = [];
  // Another router has appended 6 and 7; all are old by now.
  const lagging: Log = { ...log, epoch: log.epoch, get first() { return log.first; }, get extent() { return log.extent; }, head: 5 };
  new Retention(lagging, { maxAge: 10 }, (error) => failures.push(error), async (upTo) => void carried.push(upTo)).tick(1_000);
  for (let i = 0; i < 5; i++) await allMicrotasks();
  expect([carried, log.first]).toEqual([[5], 6]);
});

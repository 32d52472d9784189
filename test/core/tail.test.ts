import fc from "fast-check";
import { expect, test } from "vitest";
import { LogEvent } from "../../src/core/log-event.ts";
import { Tail } from "../../src/core/tail.ts";

const event = (seq: number, size = 10): LogEvent => new LogEvent(seq, 0, "t", "x".repeat(size));
const seqs = (events: readonly LogEvent[] | undefined) => events?.map(({ seq }) => seq);

test("holds exactly the newest events that fit its number and size", () => {
  const pushes = fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), { maxLength: 60 });
  fc.assert(fc.property(pushes, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 150 }), (groups, maxEvents, maxSize) => {
    const tail = new Tail({ events: maxEvents, size: maxSize });
    let kept: LogEvent[] = [];
    let seq = 0;
    for (const group of groups) {
      const events = group.map((size) => event(++seq, size));
      tail.push(events);
      kept.push(...events);
      while (kept.length > maxEvents || kept.reduce((sum, { size }) => sum + size, 0) > maxSize) kept = kept.slice(1);
      for (const after of [0, seq - maxEvents - 1, seq - maxEvents, seq - 2, seq - 1, seq]) {
        const reaches = kept.length > 0 && after >= kept[0]!.seq - 1;
        expect(seqs(tail.after(after, 5))).toEqual(reaches ? seqs(kept.filter((one) => one.seq > after).slice(0, 5)) : undefined);
      }
    }
  }), { numRuns: 200 });
});

test("stays right when its array is cut, over many events", () => {
  const tail = new Tail({ events: 100, size: 1_000_000 });
  for (let seq = 1; seq <= 5_000; seq++) tail.push([event(seq)]);
  expect(seqs(tail.after(4_900, 200))).toEqual(Array.from({ length: 100 }, (_, i) => 4_901 + i));
  expect(tail.after(4_899, 1)).toBeUndefined();
});

test("[P11] an event that has left the tail is soon free: large events do not pile up behind it", () => {
  const tail = new Tail({ events: 8_192, size: 1_000 });
  const held: WeakRef<LogEvent>[] = [];
  for (let seq = 1; seq <= 400; seq++) {
    const one = event(seq, 400);
    held.push(new WeakRef(one));
    tail.push([one]);
  }
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    (globalThis as { gc?: () => void }).gc?.();
    if ("gc" in globalThis) expect(held.filter((one) => one.deref() !== undefined).length).toBeLessThan(20);
    expect(seqs(tail.after(398, 10))).toEqual([399, 400]);
  });
});

test("forgets all when seqs do not follow: a hole must never be served as if it were whole", () => {
  const tail = new Tail({ events: 100, size: 10_000 });
  tail.push([event(1), event(2)]);
  tail.push([event(5), event(6)]);
  expect(tail.after(0, 10)).toBeUndefined();
  expect(tail.after(2, 10)).toBeUndefined();
  expect(seqs(tail.after(4, 10))).toEqual([5, 6]);
});

test("an event larger than the whole tail is not kept", () => {
  const tail = new Tail({ events: 100, size: 50 });
  tail.push([event(1), event(2, 51)]);
  expect(tail.after(0, 10)).toBeUndefined();
  expect(tail.after(1, 10)).toBeUndefined();
  tail.push([event(3)]);
  expect(seqs(tail.after(2, 10))).toEqual([3]);
});

test("clear empties it", () => {
  const tail = new Tail({ events: 100, size: 100 });
  tail.push([event(1, 90)]);
  tail.clear();
  expect(tail.after(0, 10)).toBeUndefined();
  tail.push([event(2, 90)]);
  expect(seqs(tail.after(1, 10))).toEqual([2]);
});

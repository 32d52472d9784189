import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "../../src/core/deadlines.ts";

test("gives what is due, soonest first, and nothing before its time", () => {
  const commands = fc.array(fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 50 }) }), fc.record({ take: fc.integer({ min: 0, max: 60 }) })), { maxLength: 200 });
  fc.assert(fc.property(commands, (list) => {
    const deadlines = new Deadlines<{ at: number }>();
    const naive: { at: number }[] = [];
    for (const one of list) {
      if ("add" in one) {
        const item = { at: one.add };
        deadlines.add(one.add, item);
        naive.push(item);
      } else {
        const soonest = Math.min(...naive.map(({ at }) => at));
        const taken = deadlines.take(one.take);
        if (soonest > one.take) expect(taken).toBeUndefined();
        else {
          expect(taken?.at).toBe(soonest);
          naive.splice(naive.indexOf(taken!), 1);
        }
      }
      expect(deadlines.next).toBe(naive.length === 0 ? null : Math.min(...naive.map(({ at }) => at)));
    }
  }), { numRuns: 300 });
});

test("is empty at first", () => {
  const deadlines = new Deadlines<string>();
  expect(deadlines.next).toBeNull();
  expect(deadlines.take(Infinity)).toBeUndefined();
});

test("what is due at this very moment is due", () => {
  const deadlines = new Deadlines<string>();
  deadlines.add(100, "a");
  expect(deadlines.take(99)).toBeUndefined();
  expect(deadlines.take(100)).toBe("a");
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { Meter } from "../../src/core/meter.ts";

test("the rate is that of the ten whole seconds before this one, whenever it is looked at", () => {
  const step = fc.record({ ms: fc.oneof(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 30_000 })), count: fc.integer({ min: 0, max: 9 }), look: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    let now = 1_000_000;
    const meter = new Meter(() => now);
    const all: { second: number; count: number }[] = [];
    for (const { ms, count, look } of steps) {
      now += ms;
      const second = Math.floor(now / 1_000);
      meter.add(count);
      all.push({ second, count });
      const sum = all.filter((one) => one.second < second && one.second >= second - 10).reduce((total, one) => total + one.count, 0);
      if (look) expect(meter.rate()).toBeCloseTo(sum / 10, 9);
    }
  }), { numRuns: 300 });
});

test("a clock that is set back neither loses nor invents events", () => {
  let now = 100_000;
  const meter = new Meter(() => now);
  meter.add(10);
  now = 40_000;
  meter.add(10);
  expect(meter.rate()).toBe(0);
  now = 101_000;
  expect(meter.rate()).toBe(2);
  now = 111_500;
  expect(meter.rate()).toBe(0);
});

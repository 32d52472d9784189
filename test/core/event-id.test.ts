import fc from "fast-check";
import { expect, test } from "vitest";
import { eventIds, INSTANCE_LENGTH, parseEventId, randomText } from "../../src/core/event-id.ts";
import { seeded } from "../support/fake-surroundings.ts";

const instance = "Ab0zZ9xyQ12";

test("ids are as long as they must be, all different, and sort as they were made", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -5_000, max: 100_000 }), { minLength: 2, maxLength: 100 }), (steps) => {
    let now = Date.UTC(2026, 0, 1);
    const next = eventIds(instance, () => now);
    const ids = steps.map((step) => {
      now += step; // set back, too
      return next();
    });
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^evt_[0-9A-Za-z]{25}$/);
  }), { numRuns: 200 });
});

test("an id tells its instance and its running number, also where a digit carries", () => {
  const next = eventIds(instance, () => 0);
  for (let number = 1; number <= 62 * 62 + 5; number++) expect(parseEventId(next())).toEqual({ instance, number });
});

test("ids of later times sort after those of earlier ones, whatever the instance and number", () => {
  let now = 1_000;
  const one = eventIds("zzzzzzzzzzz", () => now);
  const other = eventIds("00000000000", () => now);
  for (let i = 0; i < 100; i++) one();
  const early = one();
  now++;
  expect(other() > early).toBe(true);
});

test.each(["", "evt_", "order-1", `evt_${"a".repeat(24)}`, `evt_${"a".repeat(26)}`, `evt_${"a".repeat(24)}-`, `EVT_${"a".repeat(25)}`, `evt_${"a".repeat(24)}\n`, `evt_${"a".repeat(24)}é`])("%j was made by other means", (id) => {
  expect(parseEventId(id)).toBeUndefined();
});

test("random text has no digit that is likelier than another", () => {
  const random = seeded(7);
  const count = 62 * 4_000;
  const text = randomText(count, (bytes) => Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)));
  expect(text).toHaveLength(count);
  const seen = new Map<string, number>();
  for (const digit of text) seen.set(digit, (seen.get(digit) ?? 0) + 1);
  expect(seen.size).toBe(62);
  // With the 8 highest bytes let in, the first 8 digits would come a quarter more often: 5,000 for 4,000.
  for (const times of seen.values()) expect(Math.abs(times - 4_000)).toBeLessThan(400);
});

test("random text asks for more until it has enough, and uses each good byte in its place", () => {
  const given = [[248, 255, 0, 250], [61, 62, 247, 1]];
  expect(randomText(4, () => Uint8Array.from(given.shift()!))).toBe("0z0z");
  expect(INSTANCE_LENGTH).toBe(instance.length);
});

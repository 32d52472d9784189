import { expect, test } from "vitest";
import { GROUPS, planOf } from "./plan.ts";
import { runSeeds } from "./seeds.ts";
import { simulate } from "./simulation.ts";

/** A few that no run had before, besides the fixed ones: `npm run simulate` runs thousands. */
const FRESH = Math.floor(Date.now() / 1_000) * 1_000;
const COUNT = 60;

function* range(from: number, count: number): Iterable<number> {
  for (let seed = from; seed < from + count; seed++) yield seed;
}

test("[I20] the same seed gives the same trace", async () => {
  for (const seed of [3, 7, 11, 12]) {
    const first = await simulate(planOf(seed));
    const second = await simulate(planOf(seed));
    expect(second.hash).toBe(first.hash);
    expect(first.steps).toBeGreaterThan(100);
  }
  expect((await simulate(planOf(3))).hash).not.toBe((await simulate(planOf(4))).hash);
});

test(`[P1] [P2] [P3] [P4] [P5] [P7] [P9] [P11] ${COUNT} simulated worlds that go wrong, and ${COUNT} new ones, from seed ${FRESH}`, async () => {
  const failed: string[] = [];
  for (const from of [1, FRESH]) await runSeeds(range(from, COUNT), (seed, violations) => failed.push(`seed ${seed}: ${violations.join("\n")}`));
  expect(failed).toEqual([]);
});

test("a client that dies while its code is on its way does not connect any more", async () => {
  const plan = planOf(1);
  const clients = plan.clients.map((one) => ({ ...one, release: "this", groups: GROUPS.slice(0, 1) }) as const);
  // The first thing that happens: nothing has come to the client yet, and it is back in 200 ms.
  const { violations, trace } = await simulate({ ...plan, clients, ops: [{ at: 0, client: 0, do: "restart" }], faults: [] });
  expect(violations).toEqual([]);
  const opened = trace.filter((line) => / c0-\S+ opens$/.test(line)).map(parseFloat);
  expect(opened).not.toEqual([]);
  expect(Math.min(...opened)).toBeGreaterThanOrEqual(200);
});

test("a violation is found, told and shrunk to what it takes", async () => {
  const { shrink } = await import("./shrink.ts");
  // A plan that cannot be kept: nobody may ever see an event of this type.
  const plan = planOf(5);
  const result = await simulate(plan, { forbidden: "a.x" });
  expect(result.violations[0]).toMatch(/^X/);
  const small = await shrink(plan, result, (one) => simulate(one, { forbidden: "a.x" }));
  expect(small.ops.length).toBeLessThan(4);
  expect(small.faults).toEqual([]);
});

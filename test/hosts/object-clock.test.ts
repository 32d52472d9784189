import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ObjectClock } from "../../src/hosts/object-clock.ts";

let rested: number[] = [];

function clockWith(): ObjectClock {
  return new ObjectClock({
    storage: { getAlarm: async () => null, setAlarm: async () => {} },
    tick: () => null, settled: () => {}, rested: () => void rested.push(Date.now()), wrote: () => false, hold: () => {}, release: () => {},
    onError: (error) => { throw error; },
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  rested = [];
});
afterEach(() => void vi.useRealTimers());

test("what a turn changed is written 20 ms later, or up to 100 as long as there is a next turn", async () => {
  const clock = clockWith();
  clock.begin();
  await vi.advanceTimersByTimeAsync(200);
  expect(rested).toEqual([20]);
  rested = [];
  const load = setInterval(() => clock.begin(), 1);
  await vi.advanceTimersByTimeAsync(400);
  clearInterval(load);
  await vi.advanceTimersByTimeAsync(200);
  // The first turn ends after 2 ms.
  expect(rested.map((time) => time - 200)).toEqual([102, 202, 302, 402]);
});

test("a handler waits until what its turn changed is written, and for no turn that comes after: under load none piles up behind others", async () => {
  const clock = clockWith();
  const settled: number[] = [];
  for (let begun = 0; begun < 1_000; begun += 5) {
    clock.begin();
    const first = clock.settled()!;
    expect(clock.settled(), "one promise for all of a turn").toBe(first);
    void first.then(() => {
      expect(rested.some((time) => time >= begun), "it is written").toBe(true);
      settled.push(Date.now() - begun);
    });
    await vi.advanceTimersByTimeAsync(5);
  }
  await vi.advanceTimersByTimeAsync(200);
  expect(settled.length).toBe(200);
  expect(Math.max(...settled)).toBeLessThanOrEqual(130);
  expect(clock.settled(), "nothing is under way").toBeUndefined();
});

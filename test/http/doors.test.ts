import { expect, test } from "vitest";
import { AuthenticationError } from "../../src/core/errors.ts";
import { everything, type Policy } from "../../src/core/policy.ts";
import { Doors } from "../../src/http/doors.ts";
import { serverSurroundings } from "../../src/hosts/surroundings.ts";
import { memoryStore, Router } from "../../src/router.ts";

/** Doors whose time is moved by hand. */
function house(policy: Policy = { authenticate: () => ({ rights: everything }) }) {
  let time = 0;
  const timers: { at: number; callback: () => void }[] = [];
  const real = serverSurroundings(() => router.tick());
  let asked = 0;
  const router: Router = new Router({ store: memoryStore(real), surroundings: real, policy: { authenticate: (...who) => {
    asked++;
    return policy.authenticate(...who);
  } } });
  const doors = new Doors(router, { now: () => time, randomBytes: real.randomBytes, after(ms, callback) {
    timers.push({ at: time + ms, callback });
    return () => {};
  } });
  return {
    doors, router,
    get asked() { return asked; },
    connections: () => Number(router.stats().get("default")?.connections ?? 0),
    advance(ms: number) {
      time += ms;
      for (const { callback } of timers.splice(0).filter((timer) => timer.at <= time || !timers.push(timer))) callback();
    },
  };
}

const visitor = (key: string) => ({ namespace: "default", credential: { type: "api_key", key }, caller: {} }) as const;
const stats = (doors: Doors, key = "a") => doors.through(visitor(key), (door) => door.call("stats"));

test("the requests of a visitor share a session, those of another do not", async () => {
  const { doors, connections } = house();
  await Promise.all([stats(doors), stats(doors), stats(doors, "b"), stats(doors)]);
  expect(connections()).toBe(2);
});

test("a credential is asked for again after a while, and the session before is closed", async () => {
  const one = house();
  await stats(one.doors);
  one.advance(10_000);
  await stats(one.doors);
  expect(one.asked).toBe(1);
  one.advance(5_000);
  await expect.poll(one.connections).toBe(0);
  await stats(one.doors);
  expect(one.asked).toBe(2);
});

test("a session is not closed under a request", async () => {
  const one = house();
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const long = one.doors.through(visitor("a"), async (door) => {
    entered.resolve();
    await leave.promise;
    return door.call("stats");
  });
  await entered.promise;
  one.advance(20_000);
  expect(one.connections()).toBe(1);
  leave.resolve();
  await long;
  await expect.poll(one.connections).toBe(0);
});

test("who is refused is asked again each time", async () => {
  let known = false;
  const one = house({ authenticate: () => {
    if (!known) throw new AuthenticationError("ERR_UNAUTHENTICATED", "no");
    return { rights: everything };
  } });
  await expect(stats(one.doors)).rejects.toMatchObject({ code: "ERR_UNAUTHENTICATED" });
  known = true;
  await stats(one.doors);
  expect(one.connections()).toBe(1);
});

test("[P11] a crowd of visitors leaves a bounded number of sessions", async () => {
  const one = house();
  for (let i = 0; i < 300; i++) await stats(one.doors, `k${i}`);
  await expect.poll(one.connections).toBeLessThanOrEqual(256);
  await stats(one.doors, "k299");
  expect(one.asked).toBe(300);
});

test("a session that the router has ended is replaced, and what waited fails with its reason", async () => {
  const one = house();
  const waiting = one.doors.through(visitor("a"), async (door) => {
    const answer = door.request('["r","x",null]', 5_000, new AbortController().signal);
    await one.router.close();
    return answer;
  });
  await expect(waiting).rejects.toMatchObject({ code: expect.stringMatching(/ERR_ROUTER_STOPPING|ERR_NO_RESPONDERS/) });
  await expect(stats(one.doors)).rejects.toMatchObject({ code: "ERR_ROUTER_STOPPING" });
});

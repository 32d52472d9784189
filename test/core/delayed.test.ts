import { expect, test } from "vitest";
import { line } from "../support/raw-client.ts";
import { numbered, World, type WorldOptions } from "../support/world.ts";
import type { Log, Store } from "../../src/core/store.ts";

async function scene(options: WorldOptions = {}) {
  const world = new World(options);
  const client = await world.client({ name: "c" });
  client.subscribe(1, "**");
  await world.settle();
  const later = async (lines: readonly string[], due: { in?: number; at?: number }) => {
    const req = client.publish(lines, { as: "later", ...due });
    await world.settle();
    return client.resultsOf(req);
  };
  const cancel = async (id: string) => {
    const req = client.call("cancel", { id });
    await world.settle();
    return client.answerTo(req)![1];
  };
  return { world, client, later, cancel };
}

test("[P1] an event that is held back comes when it is due, with a place and a time of then", async () => {
  const { world, client, later } = await scene();
  expect(await later([line("e1", "t", { a: 1.50 }, { priority: 7 }), line("bad", "no type")], { in: 1_000 })).toEqual([0, "ERR_TYPE"]);
  expect(world.stats().delayedEvents).toBe(1);
  client.publish([line("now", "t")]);
  await world.pass(999);
  expect(client.idsOf(1)).toEqual(["now"]);
  expect(world.around.wake).toBe(world.around.time + 1);
  await world.pass(1);
  expect(client.eventsOf(1)[1]).toEqual([3, world.around.time, [0, "c"], "e1", "t", { a: 1.5 }, { priority: 7 }]);
  expect(world.stats().delayedEvents).toBe(0);
});

test("events come in the order of their times, not of their publishing", async () => {
  const { world, client, later } = await scene();
  const start = world.around.time;
  await later([line("c", "t")], { in: 300 });
  await later([line("a", "t")], { at: start + 100 });
  await later([line("past", "t")], { at: start - 100 });
  await later([line("b", "t")], { in: 200 });
  await world.pass(0);
  for (let i = 0; i < 3; i++) await world.pass(100);
  expect(client.idsOf(1)).toEqual(["past", "a", "b", "c"]);
});

test("[P2] what is held back survives a restart, and what was due meanwhile comes at once", async () => {
  const { world, later } = await scene();
  await later([line("e1", "t")], { in: 1_000 });
  await later([line("e2", "t")], { in: 60_000 });
  await world.router.close();
  const next = new World({ store: world.store });
  next.around.time = world.around.time + 5_000;
  const reader = await next.client();
  reader.subscribe(1, { topics: ["t"], from: "start" });
  await next.pass(0);
  expect(reader.idsOf(1)).toEqual(["e1"]);
  await next.pass(55_000);
  expect(reader.idsOf(1)).toEqual(["e1", "e2"]);
});

test("[P4] the same id again is a duplicate, while it waits and after it came; another body is a conflict", async () => {
  const { world, client, later } = await scene();
  expect(await later([line("e1", "t", 1)], { in: 1_000 })).toEqual([0]);
  await world.pass(10);
  expect(await later([line("e1", "t", 1)], { in: 1_000 })).toEqual([[null]]);
  expect(await later([line("e1", "t", 2)], { in: 1_000 })).toEqual(["ERR_ID_CONFLICT"]);
  await world.pass(1_000);
  expect(await later([line("e1", "t", 1)], { in: 1_000 })).toEqual([[null]]);
  await world.pass(2_000);
  expect(client.idsOf(1)).toEqual(["e1"]);
});

test("an event that is held back is called off by its id, once, by its publisher", async () => {
  const { world, client, later, cancel } = await scene({ policy: { authenticate: (credential) => ({ subject: (credential as { key?: string } | undefined)?.key ?? "me", rights: { allows: () => true, contains: () => true, has: () => false } }) } });
  await later([line("e1", "t"), line("e2", "t")], { in: 1_000 });
  const other = await world.client({ auth: { type: "api_key", key: "you" } });
  const req = other.call("cancel", { id: "e1" });
  const forced = other.call("cancel", { id: "e1", publisher: "me" });
  await world.settle();
  expect([other.answerTo(req)![1], other.codeOf(forced)]).toEqual([false, "ERR_PERMISSION"]);
  expect([await cancel("e1"), await cancel("e1"), await cancel("none")]).toEqual([true, false, false]);
  await world.pass(1_000);
  expect([client.idsOf(1), await cancel("e2")]).toEqual([["e2"], false]);
});

test("retention and purge carry what is held back", async () => {
  const { world, client, later } = await scene({ retention: { maxEvents: 50 } });
  await later([line("e1", "t")], { in: 10_000 });
  for (let n = 0; n < 4; n++) {
    client.publish(numbered(100 * n + 10, 100 * n + 109, "u"));
    await world.settle();
    client.ackAll();
    await world.settle();
  }
  client.call("purge", { upTo: (await world.log()).head });
  await world.settle();
  expect((await world.log()).first).toBeGreaterThan(300);
  await world.pass(10_000);
  expect(client.idsOf(1).at(-1)).toBe("e1");
});

test("[P1] what is held back while the router closes, and repeated to the next one, outlasts a trim in that moment", async () => {
  const kept = new World().store;
  const [bookmarks, appends] = [gate(), gate()];
  const slow: Store = { ...kept, open: async (name) => {
    const log = await kept.open(name);
    return Object.assign(Object.create(log) as Log, {
      writeBookmarks: (...args: Parameters<Log["writeBookmarks"]>) => bookmarks.passed.then(() => log.writeBookmarks(...args)),
      append: (...args: Parameters<Log["append"]>) => appends.passed.then(() => log.append(...args)),
    });
  } };
  const { world, client, later, cancel } = await scene({ store: slow, retention: { maxEvents: 50 } });
  appends.open();
  // So that there is a bookmark to write.
  await later([line("gone", "t")], { in: 10_000 });
  expect(await cancel("gone")).toBeTruthy();
  appends.shut();
  const over = world.router.close();
  await world.settle();
  await later([line("held", "t")], { in: 10_000 });
  client.publish(numbered(1, 100, "u"));
  bookmarks.open();
  await world.settle();
  appends.open();
  await world.settle();
  await over;
  await world.settle();
  expect((await world.log()).first).toBeGreaterThan(40);

  const next = new World({ store: kept });
  // Ids of its own, as a router that starts anew has them.
  next.around.randomBytes(64);
  next.around.time = world.around.time;
  const reader = await next.client({ name: "c" });
  reader.subscribe(1, { topics: ["t"], from: "start" });
  reader.publish([line("held", "t")], { as: "later", in: 10_000 });
  await next.settle();
  await next.pass(10_000);
  expect(reader.idsOf(1)).toEqual(["held"]);
});

test("[P1] an event whose record another router of the log writes anew and trims, unheard of here yet, is not closed unpublished when it is due", async () => {
  const kept = new World().store;
  const heard = gate();
  heard.open();
  const hardOfHearing: Store = { ...kept, open: async (name) => {
    const log = await kept.open(name);
    const watch: Log["watch"] = (listener) => log.watch((events) => void heard.passed.then(() => listener(events)));
    return Object.assign(Object.create(log) as Log, { watch });
  } };
  const { world, client, later } = await scene({ store: hardOfHearing });
  const other = new World({ store: kept });
  // Ids of its own.
  other.around.randomBytes(64);
  const operator = await other.client();
  await later([line("e1", "t")], { in: 1_000 });
  heard.shut();
  operator.call("purge", { upTo: (await other.log()).head });
  await other.settle();
  await world.pass(1_000);
  heard.open();
  await world.settle();
  await world.pass(1_000);
  expect(client.idsOf(1)).toEqual(["e1"]);
});

/** Lets nothing pass while it is shut, as it is at first. */
function gate() {
  let open = (): void => {};
  const one = {
    passed: Promise.resolve(),
    open: () => open(),
    shut: () => { one.passed = new Promise<void>((resolve) => { open = resolve; }); },
  };
  one.shut();
  return one;
}

test("an event with a stream gets its version when it comes", async () => {
  const { world, client, later } = await scene();
  await later([line("e1", "t", 1, { stream: "s" })], { in: 100 });
  client.publish([line("e2", "t", 1, { stream: "s" })]);
  await world.pass(100);
  expect(client.eventsOf(1).map((event) => [event[3], event[2]])).toEqual([["e2", [0, "c", 0]], ["e1", [0, "c", 1]]]);
});

test("nobody may hold back what he may not publish, and the terms are checked", async () => {
  const { world, client, later } = await scene({ policy: { authenticate: () => ({ rights: { allows: (action) => action !== "publish", contains: () => true, has: () => true } }) } });
  expect(await later([line("e1", "t")], { in: 100 })).toEqual(["ERR_PERMISSION"]);
  client.publish([line("e1", "t")], { as: "later" });
  await world.settle();
  expect(client.bye?.[1]).toBe("ERR_FRAME");
});

test("a ttl lapses for readers that were behind, and in groups; the log keeps the event", async () => {
  const world = new World();
  const client = await world.client();
  client.publish([line("short", "t", 1, { ttl: 1_000 }), line("long", "t", 1, { ttl: 10_000 }), line("plain", "t", '"ttl"')]);
  client.subscribe(1, { topics: ["t"], group: "g", from: "start", maxInFlight: 1 });
  client.subscribe(2, { topics: ["t"], from: "start" });
  await world.settle();
  await world.pass(5_000);
  client.subscribe(3, { topics: ["t"], from: "start" });
  await world.settle();
  for (let i = 0; i < 3; i++) {
    const job = client.named("job")[i];
    if (job !== undefined) client.say(["done", 1, job[2]]);
    await world.settle();
  }
  expect([client.idsOf(2), client.idsOf(3), client.named("job").map((job) => job[4][3])]).toEqual([["short", "long", "plain"], ["long", "plain"], ["short", "long", "plain"]]);
  await world.pass(10_000);
  client.subscribe(4, { topics: ["t"], group: "h", from: "start", maxInFlight: 9 });
  await world.settle();
  expect(client.named("job").filter((job) => job[1] === 4).map((job) => job[4][3])).toEqual(["plain"]);
  expect((await world.log()).extent.events).toBe(3);
});

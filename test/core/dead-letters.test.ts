import { expect, test } from "vitest";
import { PermissionError } from "../../src/core/errors.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { numbered, storeWith, World, type WorldOptions } from "../support/world.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";

interface Letter { readonly id: string; readonly subscription: string; readonly attempts: number; readonly error: { name: string; message: string }; readonly failedAt: number; readonly retrying: boolean; readonly event: readonly unknown[] }

async function scene(options: WorldOptions = {}) {
  const world = new World(options);
  const client = await world.client({ name: "c" });
  const call = async <T>(method: string, params: Record<string, unknown> = {}, who: RawClient = client): Promise<T> => {
    const req = who.call(method, params);
    await world.settle();
    const [name, value] = who.answerTo(req)!;
    if (name === "err") throw new PermissionError((value as string[])[1]!, (value as string[])[2]!);
    return value as T;
  };
  const letters = async (params = {}) => (await call<{ letters: Letter[]; total: number }>("dead.list", params)).letters;
  return { world, client, call, letters };
}

test("[P6] an event that failed for good becomes a record, written before the group lets go of it", async () => {
  let held: (() => void) | undefined;
  const around = new FakeSurroundings();
  let hold = false;
  const store = storeWith(around, (log) => ({
    async append(batches) {
      if (hold) await new Promise<void>((resolve) => (held = resolve));
      return log.append(batches);
    },
  }));
  const { world, client, letters } = await scene({ store });
  client.subscribe(1, { topics: ["t"], group: "g", retry: { maxRetries: 0 } });
  client.publish([line("e1", "t", { a: 1 })]);
  await world.settle();
  hold = true;
  const [, , token] = client.named("job")[0]!;
  client.say(["nack", 1, token, { error: { name: "TypeError", message: "boom" } }]);
  await world.pass(100);
  // The record is on its way: should the router die now, the event is still open.
  expect(JSON.parse((await (await world.log()).readBookmark("group:g"))!)).toMatchObject({ open: [[1, 1]] });
  hold = false;
  held!();
  await world.settle();
  await world.pass(100);
  expect(JSON.parse((await (await world.log()).readBookmark("group:g"))!)).toMatchObject({ open: [] });
  expect(await letters()).toEqual([{ id: expect.stringMatching(/^dead_/) as string, subscription: "group:g", attempts: 1, error: { name: "TypeError", message: "boom" }, failedAt: expect.any(Number) as number, retrying: false, event: [1, expect.any(Number), [0, "c"], "e1", "t", { a: 1 }] }]);
  expect(world.stats()).toMatchObject({ deadLetters: 1, eventsDead: 1, queueDepth: 0 });
});

test("[P6] a retry goes to the group that failed, and to nobody else; it stays a dead letter until it is done", async () => {
  const { world, client, call, letters } = await scene();
  client.subscribe(1, { topics: ["t"], group: "g", retry: { maxRetries: 0 } });
  client.subscribe(2, "t");
  client.subscribe(3, { topics: ["t"], group: "other" });
  client.publish([line("e1", "t")]);
  await world.settle();
  const jobOf = (sub: number) => client.named("job").filter((job) => job[1] === sub);
  client.say(["nack", 1, jobOf(1)[0]![2], { final: true }]);
  await world.settle();
  const [letter] = await letters();
  expect(await call("dead.retry", { ids: [letter!.id, "dead_none"] })).toMatchObject({ retrying: [letter!.id], failed: [["dead_none", expect.arrayContaining(["ERR_DEAD_LETTER"])]] });
  expect([(await letters())[0]!.retrying, jobOf(1).length, jobOf(1)[1]!.slice(3)[0], jobOf(3).length, client.seqsOf(2)]).toEqual([true, 2, 2, 1, [1]]);
  // It fails again: the same dead letter, with one try more.
  client.say(["nack", 1, jobOf(1)[1]![2], { error: { message: "again" } }]);
  await world.settle();
  expect(await letters()).toMatchObject([{ id: letter!.id, attempts: 2, error: { message: "again" }, retrying: false }]);
  await call("dead.retry", { all: true });
  client.say(["done", 1, jobOf(1)[2]![2]]);
  await world.settle();
  expect([await letters(), world.stats().deadLetters]).toEqual([[], 0]);
});

test("[P6] a client gives up on an event of a plain or durable subscription; a retry comes to that one as a job", async () => {
  const { world, client, call, letters } = await scene();
  client.subscribe(1, "t");
  client.subscribe(2, { topics: ["t"], durable: "d" });
  client.publish([line("e1", "t"), line("x", "u")]);
  await world.settle();
  for (const sub of [1, 2]) expect(await call("dead", { sub, seq: 1, attempts: 4, error: { name: "E", message: "no" } })).toEqual({ id: expect.stringMatching(/^dead_/) as string });
  expect((await letters()).map(({ subscription, attempts }) => [subscription, attempts])).toEqual([["client:c:t", 4], ["durable:d", 4]]);
  await expect(call("dead", { sub: 1, seq: 2, attempts: 1 })).rejects.toMatchObject({ code: "ERR_DEAD_LETTER" });
  // In another life of the log the seq was another event's.
  await expect(call("dead", { sub: 1, seq: 1, epoch: "before", attempts: 1 })).rejects.toMatchObject({ code: "ERR_DEAD_LETTER" });
  await expect(call("dead", { sub: 9, seq: 1, attempts: 1 })).rejects.toMatchObject({ code: "ERR_SUBSCRIPTION_GONE" });
  await call("dead.retry", { all: true, subscription: "durable:d" });
  expect(client.named("job").map(([, sub, , attempt, event]) => [sub, attempt, event[3]])).toEqual([[2, 5, "e1"]]);
  client.say(["done", 2, client.named("job")[0]![2]]);
  client.say(["unsub", 1]);
  await world.settle();
  const [left] = await letters();
  expect(await call("dead.retry", { ids: [left!.id] })).toMatchObject({ retrying: [], failed: [[left!.id, expect.arrayContaining(["ERR_SUBSCRIPTION_GONE"])]] });
  expect(await call("dead.discard", { ids: [left!.id, "none"] })).toEqual({ discarded: [left!.id] });
  expect(await letters()).toEqual([]);
});

test("dead letters are there after a restart; one that was being tried again is tried anew", async () => {
  const { world, client } = await scene();
  client.subscribe(1, { topics: ["t"], durable: "d" });
  client.publish(numbered(1, 3));
  await world.settle();
  for (const seq of [1, 2, 3]) client.call("dead", { sub: 1, seq, attempts: 1 });
  await world.settle();
  client.call("dead.discard", { ids: [] });
  await world.settle();
  await world.router.close();
  const next = await scene({ store: world.store });
  const letters = await next.letters();
  expect(letters.map(({ event }) => event[3])).toEqual(["e1", "e2", "e3"]);
  await next.call("dead.discard", { ids: [letters[0]!.id] });
  await next.world.pass(100);
  await next.world.router.close();
  const last = await scene({ store: world.store });
  expect((await last.letters()).map(({ event }) => event[3])).toEqual(["e2", "e3"]);
});

test("retention carries open dead letters over; a purge takes those of the events it takes", async () => {
  const { world, client, call, letters } = await scene({ retention: { maxEvents: 100 } });
  client.subscribe(1, { topics: ["t"], durable: "d" });
  client.publish(numbered(1, 2));
  await world.settle();
  for (const seq of [1, 2]) await call("dead", { sub: 1, seq, attempts: 1 });
  for (let n = 0; n < 5; n++) {
    client.publish(numbered(100 * n + 10, 100 * n + 109, "u"));
    await world.settle();
  }
  expect([(await letters()).map(({ event }) => event[3]), (await world.log()).first > 300]).toEqual([["e1", "e2"], true]);
  await call("dead.discard", { ids: [(await letters())[0]!.id] });
  expect(await call("purge", { upTo: 1, dryRun: true })).toMatchObject({ events: 0 });
  await call("purge", { upTo: (await world.log()).first });
  expect(await letters()).toEqual([]);
});

test("[I15] dead letters are for who manages, and as secret as their events", async () => {
  const rights = { allows: (_: string, type: string) => type !== "secret", contains: () => true, has: (duty: string) => duty === "manage" };
  const { world, client, call, letters } = await scene({ policy: { authenticate: (credential) => ({ rights: credential === undefined ? { allows: () => true, contains: () => true, has: () => true } : (credential as { key: string }).key === "m" ? rights : { ...rights, has: () => false } }) } });
  client.subscribe(1, { topics: ["*"], durable: "d" });
  client.publish([line("e1", "secret"), line("e2", "t")]);
  await world.settle();
  for (const seq of [1, 2]) await call("dead", { sub: 1, seq, attempts: 1 });
  const manager = await world.client({ auth: { type: "api_key", key: "m" } });
  const nobody = await world.client({ auth: { type: "api_key", key: "n" } });
  expect([(await letters()).length, (await call<{ letters: Letter[] }>("dead.list", {}, manager)).letters.map(({ event }) => event[3])]).toEqual([2, ["e2"]]);
  for (const method of ["dead.list", "dead.retry", "dead.discard", "purge", "subscriptions", "stats"]) await expect(call(method, { all: true, upTo: 1 }, nobody)).rejects.toMatchObject({ code: "ERR_PERMISSION" });
});

test("the records are the router's own: no wildcard reaches them", async () => {
  const { world, client, call } = await scene();
  client.subscribe(1, "**");
  client.subscribe(2, { topics: ["t"], durable: "d" });
  client.subscribe(3, "$dead.open");
  client.publish(numbered(1, 1));
  await world.settle();
  await call("dead", { sub: 2, seq: 1, attempts: 1 });
  expect([client.seqsOf(1), client.eventsOf(3).map(([, , , , type]) => type)]).toEqual([[1], ["$dead.open"]]);
});

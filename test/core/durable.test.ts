import { expect, test } from "vitest";
import type { Bookmarks } from "../../src/core/bookmarks.ts";
import { Durables } from "../../src/core/durables.ts";
import { PublishError } from "../../src/core/errors.ts";
import type { Principal } from "../../src/core/policy.ts";
import { everything } from "../../src/core/policy.ts";
import type { Cursor } from "../../src/core/reader.ts";
import type { Log, Store } from "../../src/core/store.ts";
import type { RawClient } from "../support/raw-client.ts";
import { numbered, World } from "../support/world.ts";

async function durable(world: World, spec = {}, hello = {}, id = 1): Promise<RawClient> {
  const client = await world.client(hello);
  client.subscribe(id, { topics: ["t"], durable: "d", ...spec });
  await world.settle();
  return client;
}

/** Whoever shows a key is that subject. */
const byKey = { authenticate: (credential?: { type: string; key?: string }): Principal => ({ ...(credential?.key !== undefined && { subject: credential.key }), rights: everything }) };
const as = (key: string) => ({ auth: { type: "api_key" as const, key } });

test("[P2] a new session goes on where the last one stopped, wherever it asks to start", async () => {
  const world = new World();
  const publisher = await world.client();
  const a = await durable(world);
  publisher.publish(numbered(1, 4));
  await world.settle();
  a.ack(1, 2);
  a.session.disconnected();
  publisher.publish(numbered(5, 5));
  await world.settle();
  const b = await durable(world, { from: "now" });
  expect([b.named("on")[0]!.slice(3), b.idsOf(1)]).toEqual([[2], ["e3", "e4", "e5"]]);
});

test("[P2] the place outlives the router, and what was finished a moment before at the latest", async () => {
  const world = new World();
  const publisher = await world.client();
  const a = await durable(world);
  publisher.publish(numbered(1, 4));
  await world.settle();
  a.ack(1, 3);
  await world.pass(50);
  const stored = JSON.parse((await (await world.log()).readBookmark("durable:d"))!) as object;
  expect(stored).toMatchObject({ owner: "", topics: ["t"], seq: 3 });
  await world.router.close();
  const next = new World({ store: world.store });
  const b = await durable(next);
  expect(b.idsOf(1)).toEqual(["e4"]);
});

test("[P2] of two sessions that ask for a name the later has it, also if what is found for the earlier comes late: no old place is written over a new one", async () => {
  const { store } = new World();
  let found = (): void => {};
  const late = new Promise<void>((resolve) => { found = resolve; });
  let reads = 0;
  const slow: Store = { ...store, open: async (name) => {
    const log = await store.open(name);
    return Object.assign(Object.create(log) as Log, { readBookmark: async (key: string) => {
      const value = await log.readBookmark(key);
      if (key === "durable:d" && ++reads === 1) await late;
      return value;
    } });
  } };
  const world = new World({ store: slow });
  const earlier = await durable(world);
  const later = await durable(world);
  found();
  await world.settle();
  expect([earlier.endsOf(1).map((error) => error?.[1]), later.named("on").length, later.endsOf(1)]).toEqual([["ERR_DURABLE_TAKEN"], 1, []]);
});

test("events that are not asked for move the place too, when all that was sent is finished", async () => {
  const world = new World();
  const publisher = await world.client();
  const a = await durable(world);
  publisher.publish([...numbered(1, 1), ...numbered(2, 9, "other")]);
  await world.settle();
  a.ack(1, 1);
  a.session.disconnected();
  await world.pass(50);
  expect(JSON.parse((await (await world.log()).readBookmark("durable:d"))!)).toMatchObject({ seq: 9 });
});

test("one session at a time has the name: the newest, and the other is told", async () => {
  const world = new World();
  const publisher = await world.client();
  const a = await durable(world);
  publisher.publish(numbered(1, 2));
  await world.settle();
  a.ack(1, 1);
  const b = await durable(world);
  expect([a.endsOf(1)[0]?.[1], b.idsOf(1)]).toEqual(["ERR_DURABLE_TAKEN", ["e2"]]);
  publisher.publish(numbered(3, 3));
  await world.settle();
  expect([a.idsOf(1), b.idsOf(1)]).toEqual([["e1", "e2"], ["e2", "e3"]]);
  // What the old one still says means nothing.
  a.ack(1, 2);
  await world.pass(50);
  expect(JSON.parse((await (await world.log()).readBookmark("durable:d"))!)).toMatchObject({ seq: 1 });
});

test("[I15] a name belongs to the principal that made it", async () => {
  const world = new World({ policy: byKey });
  await durable(world, {}, as("ann"));
  const b = await durable(world, {}, as("bob"));
  const c = await world.client(as("bob"));
  c.subscribe(1, { topics: ["t"], group: "d" });
  await world.settle();
  const d = await world.client(as("ann"));
  d.subscribe(1, { topics: ["t"], group: "d" });
  await world.settle();
  // Groups have names of their own.
  expect([b.endsOf(1)[0]?.[1], c.endsOf(1).length, d.endsOf(1)[0]?.[1]]).toEqual(["ERR_DURABLE_OWNER", 0, "ERR_DURABLE_OWNER"]);
});

test("[P9] another life of the log is a gap, and all of it is new", async () => {
  const world = new World();
  await durable(world);
  const bookmark = await (await world.log()).readBookmark("durable:d");
  const next = new World();
  await (await next.log()).writeBookmarks([["durable:d", bookmark!.replace((await world.log()).epoch, "anotherEpoch")]]);
  const publisher = await next.client();
  publisher.publish(numbered(1, 2));
  await next.settle();
  const b = await durable(next);
  expect([b.gapsOf(1)[0]?.reason, b.idsOf(1)]).toEqual(["epoch", ["e1", "e2"]]);
});

test("a name is forgotten when nobody has it, and begins anew", async () => {
  const world = new World();
  const publisher = await world.client();
  const a = await durable(world);
  const forget = async () => {
    const req = publisher.call("forget", { durable: "d" });
    await world.settle();
    return publisher.codeOf(req) ?? publisher.answerTo(req)![1];
  };
  expect(await forget()).toBe("ERR_DURABLE_IN_USE");
  a.say(["unsub", 1]);
  await world.settle();
  expect([await forget(), await forget()]).toEqual([true, false]);
  publisher.publish(numbered(1, 1));
  await world.settle();
  expect((await durable(world)).idsOf(1)).toEqual([]);
});

test("a name whose place could not be written is nobody's: nothing is noted of it later, and whoever asks next may have it", async () => {
  const noted: string[] = [];
  let fails = true;
  const bookmarks = {
    read: async () => undefined,
    write: async () => { if (fails) throw new PublishError("ERR_STORE", "it is away", { retryable: true }); },
    changed: (key: string) => void noted.push(key),
  } as unknown as Bookmarks;
  const durables = new Durables({ bookmarks, epoch: "e", placeOf: () => 0 });
  const holder = (): Parameters<Durables["hold"]>[1] => ({ cursor: { window: { events: 0 }, place: { state: "live" }, finished: 0, skipped: 0 } as unknown as Cursor, standing: { owner: "", topics: ["t"], filter: undefined }, taken: () => {} });
  const first = holder();
  await expect(durables.hold("d", first)).rejects.toMatchObject({ code: "ERR_STORE" });
  durables.release("d", first.cursor);
  expect(noted).toEqual([]);
  fails = false;
  const second = holder();
  await durables.hold("d", second);
  durables.release("d", second.cursor);
  expect(noted).toEqual(["durable:d"]);
});

import { expect, test } from "vitest";
import { anyPolicy } from "../../src/auth/any-policy.ts";
import { apiKeyPolicy, createApiKey, type ApiKey, type ApiKeyPolicy } from "../../src/auth/api-keys.ts";
import { Withdrawals } from "../../src/core/company/withdrawals.ts";
import { ConnectionError, PublishError, type EventRouterError } from "../../src/core/errors.ts";
import type { Withdrawal } from "../../src/core/policy.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { Cluster, type Node } from "../support/cluster.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";
import type { RawClient } from "../support/raw-client.ts";
import { World } from "../support/world.ts";

const hello = (key: string) => ({ auth: { type: "api_key", key } as const });

/** Routers, each with a policy of its own that has the same keys, as servers with one configuration have. */
async function routers(count: number): Promise<{ cluster: Cluster; nodes: Node[]; keys: Map<string, ApiKeyPolicy>; shop: string; desk: string; list: readonly ApiKey[] }> {
  const [shop, desk] = [await createApiKey({ id: "shop", permissions: ["subscribe:**", "publish:**"] }), await createApiKey({ id: "desk", permissions: ["admin"] })];
  const keys = new Map<string, ApiKeyPolicy>();
  for (const name of ["r0", "r1", "r2", "r3"]) keys.set(name, await apiKeyPolicy([shop.entry, desk.entry]));
  const cluster = await Cluster.of(count, { policy: (name) => anyPolicy({ apiKeys: keys.get(name)! }) });
  return { cluster, nodes: cluster.nodes, keys, shop: shop.key, desk: desk.key, list: [shop.entry, desk.entry] };
}

/** What becomes of a client. Its key is looked at outside of the turns that the world has. */
async function comesIn(cluster: Cluster, node: Node, key: string): Promise<string> {
  const client = await cluster.client(node, hello(key));
  while (fate(client) === "waits") await cluster.settle();
  return fate(client);
}

const fate = ({ bye, welcome }: RawClient): string => bye?.[1] ?? (welcome === undefined ? "waits" : "is in");

test("[I15] a key that is revoked at one router is revoked at all: who came with it is out at once, wherever, and comes in nowhere", async () => {
  const { cluster, nodes, keys, shop, desk } = await routers(3);
  const [a, b, c] = nodes as [Node, Node, Node];
  const holders = await Promise.all([a, b, c].map((node) => cluster.client(node, hello(shop))));
  const other = await cluster.client(c, hello(desk));
  // Keys are looked at outside of the turns that the world has.
  for (const one of [...holders, other]) while (fate(one) === "waits") await cluster.settle();
  // A group is the leader's: the session is one of its own there, on another router's word.
  holders[2]!.subscribe(1, { topics: ["t"], group: "g" });
  await cluster.settle();
  keys.get("r1")!.revoke("shop");
  await cluster.settle();
  expect(holders.map(fate)).toEqual(["ERR_REVOKED", "ERR_REVOKED", "ERR_REVOKED"]);
  expect(fate(other)).toBe("is in");
  for (const node of [a, b, c]) expect(await comesIn(cluster, node, shop)).toBe("ERR_UNAUTHENTICATED");
  expect(cluster.errors).toEqual([]);
});

test("[I15] a router that starts later knows of what was revoked before, and a key that comes again in a list stays revoked", async () => {
  const { cluster, nodes, keys, shop, desk, list } = await routers(1);
  keys.get("r0")!.revoke("shop");
  await cluster.settle();
  await cluster.kill(nodes[0]!);
  const later = await cluster.start();
  expect(await comesIn(cluster, later, shop)).toBe("ERR_UNAUTHENTICATED");
  expect(await comesIn(cluster, later, desk)).toBe("is in");
  await keys.get("r1")!.replace(list);
  expect(await comesIn(cluster, later, shop)).toBe("ERR_UNAUTHENTICATED");
  const renewed = await createApiKey({ id: "shop", permissions: ["subscribe:**"] });
  await keys.get("r1")!.replace([renewed.entry]);
  expect(await comesIn(cluster, later, renewed.key)).toBe("is in");
});

test("[I15] a key that is revoked is told to other routers as what lasts: it is not cleared away as old news", async () => {
  const { keys } = await routers(1);
  const told: Withdrawal[] = [];
  keys.get("r2")!.withdrawn((withdrawal) => told.push(withdrawal));
  keys.get("r2")!.revoke("shop");
  expect(told).toEqual([{ what: expect.any(String), lasts: true }]);
});

/** A policy that only notes, and a store whose log of withdrawals can fail and be lost. */
function scene() {
  const { store } = new World();
  const around = new FakeSurroundings(5);
  const trouble = { fails: false, name: "first", lose: (_error: EventRouterError): void => {} };
  const shared: Store = { ...store, shared: true, open: async () => {
    if (trouble.fails) throw new PublishError("ERR_STORE", "it is away", { retryable: true });
    const log = await store.open(trouble.name);
    return Object.assign(Object.create(log) as Log, {
      lost: new Promise<EventRouterError>((resolve) => { trouble.lose = resolve; }),
      append: (...args: Parameters<Log["append"]>) => (trouble.fails ? Promise.reject(new PublishError("ERR_STORE", "it is away", { retryable: true })) : log.append(...args)),
    });
  } };
  const open = () => {
    const taken: unknown[] = [];
    const errors: unknown[] = [];
    let tell = (_withdrawal: Withdrawal): void => {};
    const withdrawals = new Withdrawals({
      store: shared, now: around.now, randomId: () => Buffer.from(around.randomBytes(12)).toString("hex"), wakeBy: around.wakeAt, failed: (error) => errors.push(error),
      policy: { withdraw: (what) => void taken.push(what), withdrawn: (listener) => { tell = listener; return () => {}; } },
    });
    return { withdrawals, taken, errors, revoke: (what: unknown, lasts = true) => { tell({ what, lasts }); } };
  };
  const records = async (): Promise<number> => (await store.open(trouble.name)).extent.events;
  return { around, trouble, open, records, settle: () => new Promise<void>((resolve) => { setImmediate(resolve); }) };
}

test("what cannot be written is told, and written a second later", async () => {
  const { around, trouble, open, records, settle } = scene();
  const { withdrawals, revoke, errors } = open();
  await withdrawals.ready();
  trouble.fails = true;
  revoke("a");
  revoke("b");
  await settle();
  expect([errors.length, await records(), around.wake]).toEqual([1, 0, around.time + 1_000]);
  trouble.fails = false;
  expect(withdrawals.tick(around.time + 999)).toBe(around.time + 1_000);
  withdrawals.tick(around.time + 1_000);
  await settle();
  expect([await records(), withdrawals.tick(around.time + 9_000)]).toEqual([2, null]);
});

test("nobody is let in while the records cannot be read; then they are", async () => {
  const { trouble, open } = scene();
  const before = open();
  await before.withdrawals.ready();
  before.revoke("a");
  await new Promise((resolve) => { setImmediate(resolve); });
  const { withdrawals, taken } = open();
  trouble.fails = true;
  await expect(withdrawals.ready()).rejects.toMatchObject({ code: "ERR_STORE", retryable: true });
  trouble.fails = false;
  await withdrawals.ready();
  expect(taken).toEqual(["a"]);
});

test("[P9] who outlives a lost log writes what lasts into the next one, and no old news", async () => {
  const { trouble, open, records, settle } = scene();
  const one = open();
  await one.withdrawals.ready();
  one.revoke("a");
  one.revoke("news", false);
  await settle();
  const loses = trouble.lose;
  trouble.name = "second";
  loses(new ConnectionError("ERR_EPOCH", "the log was lost", { retryable: true }));
  await settle();
  expect(await records()).toBe(1);
  const later = open();
  await later.withdrawals.ready();
  expect(later.taken).toEqual(["a"]);
});

test("old news is cleared away when a router starts", async () => {
  const { open, records, settle } = scene();
  const one = open();
  await one.withdrawals.ready();
  for (let i = 0; i < 3; i++) one.revoke(`key ${i}`);
  for (let i = 0; i < 1_000; i++) one.revoke("look again", false);
  for (let i = 0; i < 10; i++) await settle();
  expect(await records()).toBe(1_003);
  const two = open();
  await two.withdrawals.ready();
  expect([two.taken.length >= 1_003, await records()]).toEqual([true, 3]);
  const three = open();
  await three.withdrawals.ready();
  expect(three.taken).toEqual(["key 0", "key 1", "key 2"]);
});

test("[I15] who closes waits for what was taken back a moment ago: the next router knows of it", async () => {
  const { open, records } = scene();
  const one = open();
  one.revoke("a");
  await one.withdrawals.close();
  expect(await records()).toBe(1);
});

test("[I15] a log that is lost while another withdrawal is written to it has a next one at once, with all that lasts", async () => {
  const { trouble, open, records, settle } = scene();
  const one = open();
  await one.withdrawals.ready();
  one.revoke("a");
  await settle();
  one.revoke("b");
  const loses = trouble.lose;
  trouble.name = "second";
  loses(new ConnectionError("ERR_EPOCH", "the log was lost", { retryable: true }));
  for (let i = 0; i < 3; i++) await settle();
  expect(await records()).toBe(2);
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OfflineOptions } from "../../src/client/client-outbox.ts";
import type { BaseOptions } from "../../src/client/options.ts";
import { AuthenticationError, PermissionError, PublishError, type EventRouterError } from "../../src/core/errors.ts";
import type { RouterEvent } from "../../src/core/event.ts";
import { openPolicy } from "../../src/core/policy.ts";
import { Router } from "../../src/core/router.ts";
import type { Link } from "../../src/core/link.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../src/hosts/surroundings.ts";
import { outboxHome } from "../../src/outbox-home.ts";
import { PatternClient } from "../../src/pattern-client.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { Network } from "../support/network.ts";
import { KEY } from "./encryption/kit.ts";

const folder = mkdtempSync(join(tmpdir(), "outbox-"));
let router: Router;
let network: Network;
let clients: PatternClient[];
let outboxes: Store;
/** What the router says of a token. */
let expired: boolean;
let refuses: (type: string) => boolean;

beforeEach(async () => {
  expired = false;
  refuses = () => false;
  clients = [];
  router = new Router({
    store: memoryStore({ randomBytes }), surroundings: serverSurroundings(() => router.tick()),
    policy: {
      async authenticate(...args) {
        if (expired) throw new AuthenticationError("ERR_TOKEN_EXPIRED", "the token has expired");
        const principal = await openPolicy.authenticate(...args);
        return { ...principal, rights: { ...principal.rights, allows: (what: string, type: string) => !(what === "publish" && refuses(type)) } as typeof principal.rights };
      },
    },
  });
  network = new Network(() => router, false);
  outboxes = memoryStore({ randomBytes });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await router.close();
});

function connect(offline: true | OfflineOptions = { store: outboxes }, options: BaseOptions = {}, makeLink = network.makeLink): PatternClient {
  const client = new PatternClient({
    makeLink, clock, random: Math.random, randomBytes,
    outboxHome: (given, report) => outboxHome(given, {}, report),
  }, { timeout: "1m", ...options, offline });
  clients.push(client);
  return client;
}

/** What the router's log holds. */
async function stored(): Promise<RouterEvent[]> {
  const reader = new PatternClient({ makeLink: new Network(() => router).makeLink, clock, random: Math.random, randomBytes });
  clients.push(reader);
  const { events } = (await reader.call("read", { after: 0, limit: 1_000 })) as { events: [seq: number, time: number, from: unknown, id: string, type: string, payload: unknown][] };
  return events.map(([seq, , , id, type, payload]) => ({ seq, id, type, payload }) as RouterEvent);
}

/** A router whose answers wait until the test lets them through. */
function slow() {
  const held: (() => void)[] = [];
  let answers = false;
  return {
    get held() { return held.length; },
    answers() {
      answers = true;
      for (const say of held.splice(0)) say();
    },
    makeLink: (): Link => {
      const link = network.makeLink();
      return { ...link, start: (on) => link.start({ ...on, message: (text) => (answers || text.includes('"welcome"') ? on.message(text) : void held.push(() => on.message(text))) }) };
    },
  };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const emptied = (client: PatternClient) => expect.poll(() => client.outbox.size).toBe(0);

describe("offline", () => {
  test("[P1] publish resolves queued once it is durable here, and settled when the router has it", async () => {
    const client = connect();
    const receipt = await client.publish("n", 1);
    expect(receipt).toMatchObject({ type: "n", status: "queued", seq: null, epoch: null, durability: "memory" });
    expect(client.outbox.size).toBe(1);
    network.online = true;
    expect(await receipt.settled).toMatchObject({ id: receipt.id, status: "published", seq: 1 });
    await emptied(client);
  });

  test("with a connection publish resolves as without an outbox, and leaves nothing behind", async () => {
    network.online = true;
    const client = connect();
    await client.connect();
    const receipts = await Promise.all(numbers(300).map((n) => client.publish("n", n)));
    expect(receipts.map(({ seq, status }) => [seq, status])).toEqual(numbers(300).map((n) => [n + 1, "published"]));
    await emptied(client);
  });

  test("[P3] [P4] [P5] over cuts at any time, with batches: all once, in order, whole", async () => {
    const client = connect();
    for (let n = 0; n < 60; n++) {
      if (n % 10 === 5) network.online = n % 20 === 5;
      if (n % 7 === 3) await client.publishBatch([["n", n], ["n", n + 0.5]]);
      else await client.publish("n", n);
    }
    network.online = true;
    await emptied(client);
    const expected = numbers(60).flatMap((n) => (n % 7 === 3 ? [n, n + 0.5] : [n]));
    expect((await stored()).map(({ payload }) => payload)).toEqual(expected);
  });

  test("[P4] the next client sends what an earlier one left, and what it left half sent, once", async () => {
    const first = connect();
    for (const n of numbers(50)) await first.publish("n", n);
    // Sent, and not heard: as if the page died before the answer.
    const copy = (await first.outbox.list()).map(({ id, payload }) => [id, payload]);
    await first.close();
    const second = connect();
    network.online = true;
    await (await second.publish("n", "last")).settled;
    expect((await stored()).map(({ id, payload }) => [id, payload])).toEqual([...copy, [expect.any(String), "last"]]);
  });

  test("two clients of one outbox: each event once, in each one's order", async () => {
    const [a, b] = [connect(), connect()];
    for (const n of numbers(40)) await Promise.all([a.publish("a", n), b.publish("b", n)]);
    network.online = true;
    await Promise.all([emptied(a), emptied(b)]);
    const all = await stored();
    for (const type of ["a", "b"]) expect(all.filter((event) => event.type === type).map(({ payload }) => payload)).toEqual(numbers(40));
  });

  test("a poisoned entry becomes a dead letter, and holds up nothing; it can be retried, or dropped", async () => {
    refuses = (type) => type === "bad";
    const client = connect();
    const told: unknown[] = [];
    client.onError((error, event) => told.push([(error as EventRouterError).code, event?.type]));
    for (const n of numbers(20)) await client.publish(n === 7 || n === 9 ? "bad" : "n", n);
    const watched = await client.publish("bad", 20);
    const { settled } = watched;
    network.online = true;
    await expect(settled).rejects.toBeInstanceOf(PermissionError);
    await emptied(client);
    expect((await stored()).map(({ payload }) => payload)).toEqual(numbers(20).filter((n) => n !== 7 && n !== 9));
    expect(told).toEqual([["ERR_PERMISSION", "bad"], ["ERR_PERMISSION", "bad"]]);
    const dead = await client.outbox.list();
    expect(dead.map(({ payload, state, error }) => [payload, state, error?.code])).toEqual([7, 9, 20].map((n) => [n, "dead", "ERR_PERMISSION"]));
    expect(await client.outbox.drop(dead[1]!.id)).toBe(1);
    await expect(client.outbox.retry(dead[0]!.id)).rejects.toMatchObject({ code: "ERR_PERMISSION" });
    refuses = () => false;
    expect(await client.outbox.retry()).toBe(2);
    expect(await client.outbox.list()).toEqual([]);
    expect((await stored()).slice(-2).map(({ payload, id }) => [payload, id]).sort()).toEqual([[20, dead[2]!.id], [7, dead[0]!.id]]);
  });

  test("an expired token pauses, and deletes nothing", async () => {
    const client = connect();
    client.onError(() => {});
    for (const n of numbers(10)) await client.publish("n", n);
    expired = true;
    network.online = true;
    await expect.poll(() => client.state).toBe("closed");
    expect(await client.publish("n", 10)).toMatchObject({ status: "queued" });
    expect([client.outbox.size, (await client.outbox.list()).every(({ state }) => state === "waiting")]).toEqual([11, true]);
    expired = false;
    await client.reconnect();
    await emptied(client);
    expect((await stored()).map(({ payload }) => payload)).toEqual(numbers(11));
  });

  test("one poisoned entry among 1,000, and the token expires while they leave: the others arrive once and in order, neither is deleted", async () => {
    const client = connect();
    client.onError(() => {});
    await Promise.all(numbers(1_000).map((n) => client.publish(n === 400 ? "bad" : "n", n)));
    // In the midst of it the connection goes, with the answers that were on their way; and the router takes the token no more.
    const midst = Promise.withResolvers<void>();
    let looked = 0;
    refuses = (type) => {
      if (++looked === 500) {
        expired = true;
        network.online = false;
        midst.resolve();
      }
      return type === "bad";
    };
    network.online = true;
    await midst.promise;
    network.online = true;
    await expect.poll(() => client.state).toBe("closed");
    const [left, there] = [await client.outbox.list(), await stored().catch(() => undefined)];
    // Who reads now has no token either.
    expect([there, left.length > 500, left.some(({ payload }) => payload === 400)]).toEqual([undefined, true, true]);
    expired = false;
    await client.reconnect();
    await emptied(client);
    expect((await stored()).map(({ payload }) => payload)).toEqual(numbers(1_000).filter((n) => n !== 400));
    expect((await client.outbox.list()).map(({ payload, state }) => [payload, state])).toEqual([[400, "dead"]]);
  });

  test("a full outbox is a typed error, never a silent drop", async () => {
    const client = connect({ store: outboxes, maxEvents: 3 });
    const receipts = await Promise.allSettled(numbers(5).map((n) => client.publish("n", n)));
    expect(receipts.map((one) => (one.status === "fulfilled" ? one.value.status : (one.reason as EventRouterError).code))).toEqual(["queued", "queued", "queued", "ERR_OUTBOX_FULL", "ERR_OUTBOX_FULL"]);
    await client.outbox.drop();
    expect(await client.publish("n", 5)).toMatchObject({ status: "queued" });
    const small = connect({ store: memoryStore({ randomBytes }), maxBytes: 1_000 });
    await expect(small.publish("n", "x".repeat(2_000))).rejects.toMatchObject({ name: "PublishError", code: "ERR_OUTBOX_FULL", retryable: true });
  });

  test("what no router would take is refused at once", async () => {
    const client = connect();
    await expect(client.publish("not a type", 1)).rejects.toMatchObject({ name: "ValidationError", code: "ERR_TYPE" });
    await client.publish("n", 1, { id: "mine" });
    await expect(client.publish("n", 2, { id: "mine" })).rejects.toMatchObject({ name: "ConflictError" });
    expect(client.outbox.size).toBe(1);
  });

  test("dropped while it waits: it is not sent, and who waits for it is told", async () => {
    const client = connect();
    const [, two] = [await client.publish("n", 1), await client.publish("n", 2), await client.publish("n", 3)];
    const { settled } = two;
    expect(await client.outbox.drop(two.id)).toBe(1);
    await expect(settled).rejects.toMatchObject({ code: "ERR_DROPPED" });
    expect(client.outbox.size).toBe(2);
    network.online = true;
    await emptied(client);
    expect((await stored()).map(({ payload }) => payload)).toEqual([1, 3]);
  });

  test("onChange tells the size as it changes", async () => {
    const client = connect();
    const sizes: number[] = [];
    const stop = client.outbox.onChange((size) => sizes.push(size));
    await client.publish("n", 1);
    await client.publishBatch([["n", 2], ["n", 3]]);
    network.online = true;
    await emptied(client);
    stop();
    expect([sizes.slice(0, 2), sizes.at(-1)]).toEqual([[1, 3], 0]);
  });

  test("priority decides what leaves first only when asked", async () => {
    for (const order of ["published", "priority"] as const) {
      const client = connect({ store: memoryStore({ randomBytes }), order });
      for (const n of numbers(200)) await client.publish(order, n, { priority: n % 10 });
      network.online = true;
      await emptied(client);
      const got = (await stored()).filter(({ type }) => type === order).map(({ payload }) => payload as number);
      expect(got).toEqual(order === "published" ? numbers(200) : numbers(200).sort((a, b) => (b % 10) - (a % 10) || a - b));
      network.online = false;
    }
  });

  test("a delay counts from the publish, ephemeral events are not kept", async () => {
    const client = connect({ store: outboxes }, { timeout: 50 });
    await expect(client.publish("n", 0, { ephemeral: true })).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await client.publish("n", 1, { delay: "1h" })).toMatchObject({ status: "queued" });
    expect(client.outbox.size).toBe(1);
  });

  test("optimistic: own waiting events at once, as pending, and each event once", async () => {
    const client = connect({ store: outboxes }, { name: "me" });
    const others = new PatternClient({ makeLink: new Network(() => router).makeLink, clock, random: Math.random, randomBytes });
    clients.push(others);
    await client.publish("n.before", 0);
    const got: unknown[] = [];
    client.on("n.*", { optimistic: true, filter: { payload: { $ne: 3 } } }, (event) => void got.push([event.payload, event.pending ?? false, event.seq > 0]));
    await client.publish("n.a", 1);
    await client.publish("m", 2);
    await client.publish("n.a", 3);
    await expect.poll(() => got).toEqual([[0, true, false], [1, true, false]]);
    network.online = true;
    await emptied(client);
    await others.publish("n.b", "other");
    await expect.poll(() => got.length).toBe(3);
    expect(got[2]).toEqual(["other", false, true]);
  });

  test("SQLite: it is there after a restart of the process", async () => {
    const file = join(folder, "outbox.db");
    let store = await sqliteStore(file);
    const first = connect({ store });
    expect(await first.publish("n", 1)).toMatchObject({ status: "queued", durability: "disk" });
    await first.close();
    await store.close();
    store = await sqliteStore(file);
    network.online = true;
    const second = connect({ store });
    await (await second.publish("n", 2)).settled;
    expect((await stored()).map(({ payload }) => payload)).toEqual([1, 2]);
    await second.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  test("[I17] encrypted: the file holds no plaintext, the next client sends it as it was kept, a subscriber with the key reads it", async () => {
    const canary = "canary-that-nobody-may-read";
    const files = mkdtempSync(join(tmpdir(), "outbox-encrypted-"));
    const file = join(files, "outbox.db");
    const encryption = { enabled: true, key: KEY } as const;
    let store = await sqliteStore(file);
    const first = connect({ store }, { encryption });
    expect(await first.publish("n", { canary })).toMatchObject({ status: "queued", durability: "disk" });
    for (const name of readdirSync(files)) expect(readFileSync(join(files, name)).includes(canary), name).toBe(false);
    await first.close();
    await store.close();
    for (const name of readdirSync(files)) expect(readFileSync(join(files, name)).includes(canary), name).toBe(false);
    store = await sqliteStore(file);
    network.online = true;
    const second = connect({ store }, { encryption });
    const seen: unknown[] = [];
    await second.subscribe("n", { from: "start" }, ({ payload }) => void seen.push(payload));
    await expect.poll(() => seen).toEqual([{ canary }]);
    await emptied(second);
    const kept = await stored();
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain(canary);
    await second.close();
    await store.close();
    rmSync(files, { recursive: true });
  });

  test("[P1] a publish that a cut surprises is queued at once: it is durable here", async () => {
    const router = slow();
    network.online = true;
    const client = connect({ store: outboxes }, { timeout: "1h" }, router.makeLink);
    await client.connect();
    let status: string | undefined;
    void client.publish("n", 1).then((receipt) => { ({ status } = receipt); });
    await expect.poll(() => router.held).toBe(1);
    expect(status).toBeUndefined();
    network.online = false;
    await expect.poll(() => status).toBe("queued");
  });

  test("[P1] what an earlier client has left is sent though nobody publishes", async () => {
    const first = connect();
    await first.publish("n", 1);
    await first.close();
    network.online = true;
    connect();
    await expect.poll(async () => (await stored()).length).toBe(1);
  });

  test("an event of another tab that has come already is not handled again when it is heard of as pending, late", async () => {
    const heard = Promise.withResolvers<void>();
    const late: Store = { ...outboxes, open: async (name) => {
      const log = await outboxes.open(name);
      return Object.assign(Object.create(log) as Log, { watch: (listener: Parameters<Log["watch"]>[0]) => log.watch((events) => void heard.promise.then(() => listener(events))) });
    } };
    network.online = true;
    const [tab, other] = [connect(), connect({ store: late })];
    const got: unknown[] = [];
    await other.subscribe({ topics: "n", optimistic: true, handler: ({ payload, pending = false }) => void got.push([payload, pending]) });
    await tab.publish("n", 1);
    await expect.poll(() => got).toEqual([[1, false]]);
    heard.resolve();
    await tab.publish("n", 2);
    await expect.poll(() => got.length).toBe(2);
    expect((got[1] as unknown[])[0]).toBe(2);
  });

  test("[P4] an event that is published again after it has left the outbox is a repeat, and its publisher is answered", async () => {
    network.online = true;
    const client = connect();
    await client.connect();
    const first = await client.publish("n", 1, { id: "one" });
    await emptied(client);
    expect(await client.publish("n", 1, { id: "one" })).toMatchObject({ status: "duplicate", seq: first.seq });
    expect(await stored()).toHaveLength(1);
  });

  test("[P1] storage that is lost while a publish waits for the router's answer: it is kept in the next log, sent again and answered", async () => {
    const lose = Promise.withResolvers<EventRouterError>();
    let lives = 0;
    const store: Store = { ...outboxes, open: async (name) => {
      const log = await outboxes.open(`${name} ${++lives}`);
      return Object.assign(Object.create(log) as Log, lives === 1 && { lost: lose.promise });
    } };
    const router = slow();
    network.online = true;
    const client = connect({ store }, {}, router.makeLink);
    await client.connect();
    const receipt = client.publish("n", 1);
    await expect.poll(() => router.held).toBe(1);
    lose.resolve(new PublishError("ERR_EPOCH", "the storage was cleared", { retryable: true }));
    await expect.poll(() => lives).toBe(2);
    router.answers();
    expect(await receipt).toMatchObject({ status: expect.stringMatching(/published|duplicate/), seq: 1 });
    await emptied(client);
    expect(await stored()).toHaveLength(1);
  });

  test("wrong options say what to do", async () => {
    expect(() => new PatternClient({ makeLink: network.makeLink, clock, random: Math.random, randomBytes }).outbox).toThrow(/offline/);
    for (const [offline, path] of [[{ store: "disk" }, "offline.store"], [{ maxEvents: 0 }, "offline.maxEvents"], [{ order: "x" }, "offline.order"], [{ size: 1 }, "size"], [true, "offline.store"]] as const) {
      const client = connect(offline as OfflineOptions);
      client.onError(() => {});
      await expect(client.publish("n", 1)).rejects.toMatchObject({ code: "ERR_OPTION", details: { path } });
    }
  });
});

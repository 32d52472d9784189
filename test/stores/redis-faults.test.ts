import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Batch, Log, Outcome, Store } from "../../src/core/store.ts";
import { checkRedis } from "../../src/stores/redis-checks.ts";
import { redisStore, type RedisStoreOptions, type RedisWarning } from "../../src/stores/redis.ts";
import { instance, singles, draft } from "../contract/store/drafts.ts";
import { appendOne, brief, everything } from "../contract/store/kit.ts";
import { RedisServer } from "../support/redis-server.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";

const failure = (promise: Promise<unknown>): Promise<{ code?: string; retryable?: boolean; message: string } | undefined> => promise.then(() => undefined, (error: Error) => error);

/** A store, and what it complained of. */
async function open(server: { readonly url: string }, options: RedisStoreOptions = {}): Promise<{ store: Store; log: Log; warnings: RedisWarning[]; errors: unknown[] } & AsyncDisposable> {
  const warnings: RedisWarning[] = [];
  const errors: unknown[] = [];
  const store = await redisStore(server.url, { onWarning: (warning) => warnings.push(warning), onError: (error) => errors.push(error), ...options });
  return { store, log: await store.open("default"), warnings, errors, [Symbol.asyncDispose]: () => store.close() };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => { setTimeout(resolve, 5); });
}

/** Again until it is answered, as a client does with a retryable error. */
async function insist(log: Log, batch: Batch): Promise<readonly Outcome[]> {
  for (;;) {
    try {
      return await appendOne(log, batch);
    } catch (error) {
      const { retryable, code } = error as { retryable?: boolean; code?: string };
      if (retryable !== true || code === "ERR_EPOCH") throw error;
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  }
}

const ids = async (log: Log): Promise<string[]> => (await log.read(0, everything)).map(({ id }) => id);

describe("one server", () => {
  test("[P1] [P9] killed and started again with its data: a delay, the same epoch, nothing lost, nothing twice", async () => {
    // With everysec a killed server may lose what it was told while its disk was busy: the case of the test after this.
    await using server = await RedisServer.start("--appendfsync", "always");
    await using one = await open(server);
    await using two = await open(server);
    const heard: number[] = [];
    two.log.watch((events) => heard.push(...events.map(({ seq }) => seq)));
    const a = instance("a");
    for (let number = 1; number <= 50; number++) await appendOne(one.log, a.batch(number));
    await server.kill();
    const during = insist(one.log, a.batch(51));
    await server.begin();
    expect((await during).map(({ state }) => state)).not.toContain("refused");
    expect(brief(await appendOne(one.log, a.batch(52)))).toEqual([52]);
    await until(() => two.log.head === 52);
    expect(heard).toEqual(Array.from({ length: 52 }, (_, index) => index + 1));
    expect([two.log.epoch, (await ids(two.log)).length]).toEqual([one.log.epoch, 52]);
  });

  test.each([["everysec", false], ["always", true]])("[P9] [I4] it and its only router are killed together, with appendfsync %s: nobody can say what readers had seen, unless all of it was on the disk", async (appendfsync, same) => {
    await using server = await RedisServer.start("--appendfsync", appendfsync);
    await using one = await open(server);
    await appendOne(one.log, instance("a").batch(1));
    while ((await server.command("ZCARD", "event-router:{default}:present")) !== ":1") await new Promise((resolve) => { setTimeout(resolve, 20); });
    await server.kill();
    // It has no time to take its leave.
    await one.store.close();
    await server.begin();
    await using two = await open(server);
    if (!same) {
      await failure(appendOne(two.log, instance("b").batch(1)));
      await two.log.lost;
    }
    const log = await two.store.open("default");
    expect([log.epoch === one.log.epoch, brief(await insist(log, instance("c").batch(1)))]).toEqual([same, [2]]);
  });

  test.each(["a restart without its data", "FLUSHALL"])("[P1] [P9] after %s: another epoch, readers are told though nobody writes, and what was acked of late is there again", async (what) => {
    await using server = await RedisServer.start();
    await using one = await open(server);
    await using two = await open(server);
    const [a, b] = [instance("a"), instance("b")];
    await one.log.append([a.batch(1, 2), singles(draft("x"))]);
    await two.log.append([b.batch(1)]);
    const before = one.log.epoch;
    if (what === "FLUSHALL") {
      await server.command("FLUSHALL");
    } else {
      await server.kill();
      server.forget();
      await server.begin();
    }
    expect((await Promise.all([one.log.lost, two.log.lost])).map((error) => [error!.code, error!.retryable])).toEqual([["ERR_EPOCH", true], ["ERR_EPOCH", true]]);
    expect((await failure(one.log.append([a.batch(3)])))?.code).toBe("ERR_EPOCH");
    const [again, other] = await Promise.all([one.store.open("default"), two.store.open("default")]);
    expect([again.epoch === before, again.epoch === other.epoch]).toEqual([false, true]);
    await until(() => again.head >= 4);
    expect((await ids(again)).sort()).toEqual([...a.ids.slice(0, 2), b.ids[0]!, "x"].sort());
    expect(brief((await again.append([a.batch(1, 2)]))[0]!).every((fate) => Array.isArray(fate))).toBe(true);
    expect([...one.warnings, ...two.warnings].map(({ about }) => about)).toEqual(["loss", "loss"]);
  });

  test("[P3] while what an earlier life had is written again, what is new waits, and comes behind it", async () => {
    await using server = await RedisServer.start();
    await using one = await open(server);
    await using two = await open(server);
    const a = instance("a");
    await appendOne(one.log, a.batch(1));
    await server.command("HSET", "event-router:{default}:meta", "restoring", String(Date.now() + 3_600_000));
    const later = appendOne(one.log, a.batch(3));
    await new Promise((resolve) => { setImmediate(resolve); });
    // Over the same connection, behind it.
    await one.log.peers!.claim(1_000);
    expect(brief((await (two.log as Log & { restore: Log["append"] }).restore([a.batch(2)]))[0]!)).toEqual([2]);
    await server.command("HDEL", "event-router:{default}:meta", "restoring");
    expect([brief(await later), await ids(one.log)]).toEqual([[3], a.ids.slice(0, 3)]);
  });

  test("[P1] what does not answer in time is unknown, and sending it again stores it once", async () => {
    await using server = await RedisServer.start();
    await using one = await open(server, { timeout: 1_000 });
    const a = instance("a");
    await appendOne(one.log, a.batch(1));
    server.stop();
    expect(await failure(appendOne(one.log, a.batch(2)))).toMatchObject({ code: "ERR_STORE_TIMEOUT", retryable: true });
    expect(await failure(one.log.read(0, everything))).toMatchObject({ code: expect.stringMatching(/^ERR_STORE_(TIMEOUT|UNREACHABLE)$/), retryable: true });
    server.go();
    await insist(one.log, a.batch(2));
    expect(brief(await insist(one.log, a.batch(3)))).toEqual([3]);
    expect(await ids(one.log)).toEqual(a.ids.slice(0, 3));
  });

  test("while it loads its data, appends wait", async () => {
    await using server = await RedisServer.start("--appendfsync", "always", "--loading-process-events-interval-bytes", "1024");
    await using one = await open(server);
    const a = instance("a");
    await appendOne(one.log, a.batch(1));
    for (let i = 0; i < 400; i++) await one.log.writeBookmarks([[`key${i}`, "x".repeat(200)]]);
    await server.command("EVAL", "for i = 1, 1500 do redis.call('SET', 'filler' .. i, string.rep('x', 100)) end", "0");
    await server.command("BGREWRITEAOF");
    while (!(await server.commandText("INFO", "persistence")).includes("aof_rewrite_in_progress:0")) continue;
    await server.kill();
    let loading = 0;
    const started = server.begin(["--key-load-delay", "400"], (answer) => { if (answer.startsWith("-LOADING")) loading++; });
    expect(brief(await insist(one.log, a.batch(2)))).toEqual([2]);
    await started;
    expect(loading).toBeGreaterThan(0);
  });

  test("[P5] out of memory: nothing of the append is kept, and it can be sent again when there is room", async () => {
    await using server = await RedisServer.start();
    await using one = await open(server);
    const a = instance("a");
    await appendOne(one.log, a.batch(1));
    await server.command("CONFIG", "SET", "maxmemory", "1mb");
    const batches = [a.batch(2), singles(draft("big", { payload: "x".repeat(100_000) }))];
    expect(await failure(one.log.append(batches))).toMatchObject({ name: "PublishError", code: "ERR_STORE_FULL", retryable: true, message: expect.stringMatching(/maxmemory.*retention/) });
    expect([await ids(one.log), one.log.head]).toEqual([[a.ids[0]], 1]);
    // What makes room, and what readers and the leader need, goes on.
    const { token } = await one.log.peers!.claim(60_000);
    await one.log.writeBookmarks([["place", "1"]], token);
    await one.log.trim(1, token);
    expect([await one.log.readBookmark("place"), one.log.first]).toEqual(["1", 2]);
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect((await one.log.append(batches)).map(brief)).toEqual([[2], [3]]);
  });

  test("scripts that Redis forgets are loaded again", async () => {
    await using server = await RedisServer.start();
    await using one = await open(server);
    const a = instance("a");
    for (let number = 1; number <= 5; number++) {
      expect(brief(await appendOne(one.log, a.batch(number)))).toEqual([number]);
      await server.command("SCRIPT", "FLUSH");
      await one.log.writeBookmarks([["a", String(number)]]);
      await server.command("SCRIPT", "FLUSH");
    }
    expect(await one.log.readBookmark("a")).toBe("5");
  });

  test("[P2] a server that dropped the log's key: never a silent skip, but another epoch", async () => {
    await using server = await RedisServer.start();
    await using one = await open(server);
    await one.log.append([instance("a").batch(1, 2, 3)]);
    await server.command("DEL", "event-router:{default}:log");
    expect(await failure(one.log.read(0, everything))).toMatchObject({ code: "ERR_EPOCH" });
    await one.log.lost;
    const again = await one.store.open("default");
    expect([again.epoch === one.log.epoch, again.first, again.head]).toEqual([false, 4, 3]);
    expect(brief(await appendOne(again, instance("b").batch(1)))).toEqual([4]);
  });
});

/** A primary and its replica, and a way to the one that is primary now. */
async function pair(): Promise<{ primary: RedisServer; replica: RedisServer; url: string; caughtUp(): Promise<void>; separate(): Promise<void>; promote(): Promise<void>; failOver(): Promise<void> } & AsyncDisposable> {
  const primary = await RedisServer.start();
  const replica = await RedisServer.start("--replicaof", `127.0.0.1 ${primary.port}`);
  let current = primary;
  const proxy = await tcpProxy(() => current.port);
  const offset = async (server: RedisServer): Promise<string> => /(?:slave_repl_offset|master_repl_offset):(\d+)/.exec(await server.commandText("INFO", "replication"))![1]!;
  const caughtUp = async (): Promise<void> => {
    while (!(await replica.commandText("INFO", "replication")).includes("master_link_status:up") || (await offset(primary)) !== (await offset(replica))) await new Promise((resolve) => { setTimeout(resolve, 5); });
  };
  /** The way leads to the replica, which is a primary now. */
  const promote = async (): Promise<void> => {
    await replica.command("REPLICAOF", "NO", "ONE");
    current = replica;
    proxy.cut();
  };
  await caughtUp();
  return {
    primary, replica, url: `redis://127.0.0.1:${proxy.port}`, caughtUp,
    /** The replica hears no more. */
    async separate() { await replica.command("REPLICAOF", "127.0.0.1", "1"); },
    promote,
    /** The primary dies, and the replica takes its place. */
    async failOver() {
      await primary.kill();
      await promote();
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await primary[Symbol.asyncDispose]();
      await replica[Symbol.asyncDispose]();
    },
  };
}

describe("a primary and a replica", () => {
  test("[P9] [I19] a failover that loses nothing is a delay: the same epoch, and positions go on", async () => {
    await using servers = await pair();
    await using one = await open(servers);
    await using two = await open(servers);
    const a = instance("a");
    await appendOne(one.log, a.batch(1, 2, 3));
    await until(() => two.log.head === 3);
    await servers.caughtUp();
    await servers.failOver();
    expect(brief(await insist(one.log, a.batch(4)))).toEqual([4]);
    await until(() => two.log.head === 4);
    expect([await ids(two.log), (await two.store.open("default")).epoch]).toEqual([a.ids.slice(0, 4), one.log.epoch]);
  });

  test("[P1] [P9] a failover to a replica that lacks the end: another epoch, readers are told, and what was acked is in it", async () => {
    await using servers = await pair();
    await using one = await open(servers);
    await using two = await open(servers);
    const [a, b] = [instance("a"), instance("b")];
    await one.log.append([a.batch(1, 2, 3)]);
    await two.log.append([b.batch(1)]);
    await servers.caughtUp();
    await servers.separate();
    await one.log.append([a.batch(4, 5), singles(draft("x"))]);
    await two.log.append([b.batch(2)]);
    await servers.failOver();
    await Promise.all([one.log.lost, two.log.lost]);
    const [again, other] = await Promise.all([one.store.open("default"), two.store.open("default")]);
    expect([again.epoch === one.log.epoch, other.epoch]).toEqual([false, again.epoch]);
    await until(() => again.head >= 8);
    const now = await ids(again);
    expect(now.slice(0, 4)).toEqual([...a.ids.slice(0, 3), b.ids[0]]);
    expect(now.slice(4).sort()).toEqual([...a.ids.slice(3, 5), "x", b.ids[1]!].sort());
    expect(brief(await appendOne(again, a.batch(6)))).toEqual([9]);
  });

  test("[I4] a failover while a router cannot be asked what it has seen: another epoch, as nobody knows", async () => {
    await using servers = await pair();
    await using one = await open(servers);
    await appendOne(one.log, instance("a").batch(1));
    const [seconds] = /\d{10}/.exec(await servers.primary.commandText("TIME"))!;
    // As one that gave its sign of life after all others, however long the failover takes.
    await servers.primary.command("ZADD", "event-router:{default}:present", String(Number(seconds) + 3_600), "killed");
    await servers.caughtUp();
    await servers.failOver();
    await one.log.lost;
    const again = await one.store.open("default");
    expect([again.epoch === one.log.epoch, again.head]).toEqual([false, 1]);
  });

  test("[P1] [P9] [I4] a router that stays with the old primary while the others go on with a new one: it comes into the new epoch with all it has acked", async () => {
    await using servers = await pair();
    let current = servers.primary;
    const way = await tcpProxy(() => current.port);
    await using _way = { [Symbol.asyncDispose]: () => way.close() };
    await using one = await open({ url: `redis://127.0.0.1:${way.port}` });
    await using two = await open(servers);
    const [a, b] = [instance("a"), instance("b")];
    await appendOne(one.log, a.batch(1));
    await until(() => two.log.head === 1);
    // Both have given their sign of life.
    while ((await servers.replica.command("ZCARD", "event-router:{default}:present")) !== ":2") await new Promise((resolve) => { setTimeout(resolve, 20); });
    await servers.promote();
    const epoch = one.log.epoch;
    expect(brief(await appendOne(one.log, a.batch(2, 3)))).toEqual([2, 3]);
    // Nobody can ask the router on the other side what it has shown.
    await two.log.lost;
    const next = await two.store.open("default");
    expect([next.epoch === epoch, brief(await appendOne(next, b.batch(1)))]).toEqual([false, [2]]);

    // The old primary returns, as a replica: what it alone had is gone there.
    await servers.primary.command("REPLICAOF", "127.0.0.1", String(servers.replica.port));
    current = servers.replica;
    way.cut();
    await one.log.lost;
    const joined = await one.store.open("default");
    await until(() => next.head === 4);
    expect([joined.epoch, await ids(next)]).toEqual([next.epoch, [a.ids[0], b.ids[0], a.ids[1], a.ids[2]]]);
  });

  test("[P9] [I4] a log that went on from an earlier place and is as long again is not taken for the one that was: another epoch, with what both have acked", async () => {
    await using servers = await pair();
    let current = servers.primary;
    const way = await tcpProxy(() => current.port);
    await using _way = { [Symbol.asyncDispose]: () => way.close() };
    await using one = await open({ url: `redis://127.0.0.1:${way.port}` });
    const [a, b] = [instance("a"), instance("b")];
    await appendOne(one.log, a.batch(1));
    await servers.caughtUp();
    await servers.separate();
    expect(brief(await appendOne(one.log, a.batch(2)))).toEqual([2]);
    await servers.promote();
    // As one that nobody has heard of for long, so that it is not waited for.
    await servers.replica.command("DEL", "event-router:{default}:present");
    await using two = await open(servers);
    expect([two.log.epoch === one.log.epoch, brief(await appendOne(two.log, b.batch(1)))]).toEqual([true, [2]]);
    current = servers.replica;
    way.cut();
    expect(await failure(insist(one.log, a.batch(3)))).toMatchObject({ code: "ERR_EPOCH" });
    const again = await one.store.open("default");
    await until(() => again.head >= 3);
    expect([again.epoch === one.log.epoch, await ids(again)]).toEqual([false, [a.ids[0], b.ids[0], a.ids[1]]]);
  });

  test.each([["", true], [", though the replica had not heard of it,", false]])("[P9] a lead that was given before a failover%s is worth nothing after it", async (_, heard) => {
    await using servers = await pair();
    await using one = await open(servers);
    await using two = await open(servers);
    await servers.caughtUp();
    if (!heard) await servers.separate();
    const { token } = await one.log.peers!.claim(60_000);
    if (heard) await servers.caughtUp();
    await servers.failOver();
    const next = await two.log.peers!.claim(60_000);
    expect([next.leader, next.token > token]).toEqual([two.log.peers!.self, true]);
    expect(await failure(one.log.writeBookmarks([["k", "v"]], token))).toMatchObject({ code: "ERR_LEAD_LOST" });
  });

  test("READONLY: while the server is a replica appends wait, and a server that stays one is told", async () => {
    await using servers = await pair();
    await using one = await open(servers, { timeout: 1_000 });
    const a = instance("a");
    await appendOne(one.log, a.batch(1));
    await servers.primary.command("REPLICAOF", "127.0.0.1", "1");
    expect(await failure(appendOne(one.log, a.batch(2)))).toMatchObject({ retryable: true, message: expect.stringMatching(/READONLY/) });
    const waiting = insist(one.log, a.batch(2));
    await servers.primary.command("REPLICAOF", "NO", "ONE");
    expect(brief(await waiting)).toEqual([2]);
    expect((await one.store.open("default")).epoch).toBe(one.log.epoch);
  });

  test("[P1] durability replicated: acked when the replica has it, else an error that says so, and a repeat is confirmed", async () => {
    await using servers = await pair();
    await using one = await open(servers, { durability: "replicated", timeout: 2_000 });
    const a = instance("a");
    expect([one.store.durability, one.warnings]).toEqual(["replicated", []]);
    expect(brief(await appendOne(one.log, a.batch(1)))).toEqual([1]);
    expect(await ids(one.log)).toEqual([a.ids[0]]);
    await servers.separate();
    expect(await failure(appendOne(one.log, a.batch(2)))).toMatchObject({ code: "ERR_STORE_REPLICAS", retryable: true });
    expect(await failure(appendOne(one.log, a.batch(2))), "a repeat is not taken for confirmed").toMatchObject({ code: "ERR_STORE_REPLICAS" });
    await servers.replica.command("REPLICAOF", "127.0.0.1", String(servers.primary.port));
    expect(brief(await insist(one.log, a.batch(2)))).toEqual([[2]]);
    await servers.caughtUp();
    await servers.failOver();
    await using after = await open(servers.replica);
    expect(await ids(after.log)).toEqual(a.ids.slice(0, 2));
  });
});

describe("when it starts", () => {
  test("nobody there is told, with the address", async () => {
    const port = await fixedPort();
    expect(await failure(redisStore({ host: "127.0.0.1", port }, { timeout: 200 }))).toMatchObject({ code: "ERR_STORE_UNREACHABLE", retryable: true, message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port} could not be reached within 200 ms.*ECONNREFUSED.*start it`)) });
  });

  test("a user with the rights of docs/redis.md can do everything that is needed, and one without is told", async () => {
    await using server = await RedisServer.start();
    const [, commands] = /The user needs `([^`]+)`/.exec(readFileSync(new URL("../../docs/redis.md", import.meta.url), "utf8"))!;
    expect(await server.command("ACL", "SETUSER", "router", "on", ">pw", "~event-router:*", ...commands!.split(" "))).toBe("+OK");
    await using one = await open({ url: `redis://router:pw@127.0.0.1:${server.port}` });
    const heard = new Promise<string>((resolve) => void one.log.peers!.listen({ message: (_, text) => resolve(text), gone() {} }));
    await one.log.append([instance("a").batch(1, 2, 3)]);
    const { token } = await one.log.peers!.claim(60_000);
    await one.log.writeBookmarks([["k", "v"]], token);
    await one.log.trim(1, token);
    expect([(await ids(one.log)).length, await one.log.listBookmarks("")]).toEqual([2, [["k", "v"]]]);
    one.log.peers!.send(one.log.peers!.self, "hello");
    expect(await heard).toBe("hello");
    expect(one.errors).toEqual([]);
    await server.command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+info", "+client|id");
    expect(await failure(redisStore(`redis://reader:pw@127.0.0.1:${server.port}`, { onWarning() {} }).then((store) => store.open("default")))).toMatchObject({ code: "ERR_STORE_AUTH", retryable: false });
  });

  test("what is not as a log needs it is told", async () => {
    await using server = await RedisServer.start("--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
    await using one = await open(server, { durability: "replicated", timeout: 1_000 });
    expect(one.warnings.map(({ about }) => about)).toEqual(["persistence", "eviction", "replicas"]);
    await using two = await open(server);
    expect(two.store.durability).toBe("memory");
  });

  test("an old version, a node of a cluster, a full disk and an append-only file that is not synced are told", async () => {
    const info = (lines: Record<string, string>): string => Object.entries({ redis_version: "7.0.15", aof_enabled: "1", maxmemory_policy: "noeviction", ...lines }).map(([key, value]) => `${key}:${value}`).join("\r\n");
    const about = async (lines: Record<string, string>, fsync = "everysec"): Promise<string[]> => (await checkRedis(async ([command, section]) => (command === "CONFIG" ? ["appendfsync", fsync] : section === "server" ? info(lines) : ""))).warnings.map((warning) => warning.about);
    expect(await about({})).toEqual([]);
    expect(await about({ redis_version: "6.2.14" })).toEqual(["version"]);
    expect(await about({ cluster_enabled: "1" })).toEqual(["cluster"]);
    expect(await about({ aof_last_write_status: "err" })).toEqual(["persistence"]);
    expect(await about({}, "no")).toEqual(["persistence"]);
  });

  test("a node of a Redis Cluster is refused", async () => {
    await using server = await RedisServer.start("--cluster-enabled", "yes");
    expect(await failure(redisStore(server.url))).toMatchObject({ code: "ERR_STORE_OPEN", message: expect.stringMatching(/Redis Cluster.*one primary/) });
  });
});

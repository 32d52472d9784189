import { setTimeout as passed } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventRouterClient, ManagementAgent, type RouterEvent } from "../../src/index.ts";
import { seeded } from "../support/fake-surroundings.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { violations } from "../support/history.ts";
import { logOf } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";
import { RedisServer } from "../support/redis-server.ts";
import { ServerChild } from "../support/server-child.ts";
import { tcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
/** `CYCLES=200`, as `npm run test:crash` has it: 50. */
const CYCLES = Math.round(Number(process.env.CYCLES ?? 20) / 4);
const ROUTERS = 3;

/** Routers in processes of their own, each with its own way to the Redis that is primary, and one address for clients, which leads to one that lives. */
class Fleet implements AsyncDisposable {
  readonly ways: TcpProxy[] = [];
  readonly #children: (ServerChild | undefined)[] = [];
  readonly #ports: number[] = [];
  readonly #clients = new Set<EventRouterClient>();
  #door!: TcpProxy;
  #next = 0;
  primary: RedisServer;

  private constructor(primary: RedisServer) {
    this.primary = primary;
  }

  static async of(primary: RedisServer): Promise<Fleet> {
    const fleet = new Fleet(primary);
    for (let i = 0; i < ROUTERS; i++) {
      fleet.ways.push(await tcpProxy(() => fleet.primary.port));
      fleet.#ports.push(await fixedPort());
    }
    await Promise.all(fleet.ways.map((_, i) => fleet.begin(i)));
    fleet.#door = await tcpProxy(() => {
      const living = fleet.#ports.filter((_, i) => fleet.#children[i] !== undefined);
      return living[fleet.#next++ % living.length]!;
    });
    return fleet;
  }

  connect(): EventRouterClient {
    const client = new EventRouterClient({ url: `http://127.0.0.1:${this.#door.port}`, timeout: "5m", reconnect: { minDelay: 5, maxDelay: 100 }, logger: { error: () => {} } });
    this.#clients.add(client);
    return client;
  }

  async begin(i: number): Promise<void> {
    const child = new ServerChild();
    await child.serve({ port: this.#ports[i]!, store: `redis://127.0.0.1:${this.ways[i]!.port}`, heartbeat: "5s" });
    this.#children[i] = child;
  }

  /** kill -9. */
  async kill(i: number): Promise<void> {
    const child = this.#children[i]!;
    this.#children[i] = undefined;
    await child.kill();
  }

  /** Stands still, as a process in a debugger does. */
  stop(i: number): void { process.kill(this.#children[i]!.pid, "SIGSTOP"); }
  go(i: number): void { process.kill(this.#children[i]!.pid, "SIGCONT"); }

  async leave(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    await Promise.all(this.#children.map(async (child) => child?.kill()));
    await Promise.all([this.#door, ...this.ways].map((proxy) => proxy.close()));
  }
}

/** Publishers that go on until they are told to stop, some of them with transactions. */
function publishing(fleet: Fleet, recorder: Recorder, random: () => number): { stop(): Promise<void> } {
  let over = false;
  const work = Array.from({ length: 3 }, (_, i) => {
    const client = fleet.connect();
    const one = async (worker: number): Promise<void> => {
      while (!over) await recorder.publish(client, `p${i}`, `redis.${worker % 2 === 0 ? "a" : "b"}`);
    };
    const together = async (): Promise<void> => {
      while (!over) await recorder.transaction(client, `t${i}`, Array.from({ length: 2 + Math.floor(random() * 6) }, () => "redis.tx"));
    };
    return [...Array.from({ length: 10 }, (__, worker) => one(worker)), together()];
  }).flat();
  return { stop: async () => { over = true; await Promise.all(work); } };
}

test(`[P1] [P2] [P3] [P4] [P5] [P9] ${ROUTERS} routers on one Redis: routers killed or standing still past their lease, Redis killed or full, partitions, scripts forgotten, ${CYCLES} times`, { timeout: 240_000 + CYCLES * 20_000 }, async () => {
  const random = seeded(SEED);
  // What it has answered is on the disk: so no fault here may cost an event, or an epoch.
  await using redis = await RedisServer.start("--appendfsync", "always");
  await using fleet = await Fleet.of(redis);
  const recorder = new Recorder({ pad: () => 60 });
  const all = recorder.reading("all", ["**"]);
  const some = recorder.reading("some", ["redis.a", "redis.tx", "end"]);
  for (const [reading, topics] of [[all, "**"], [some, some.topics]] as const) fleet.connect().on(topics as string, { from: "start" }, reading.handler).onGap(reading.gap);
  const publishers = publishing(fleet, recorder, random);

  const slowest: Record<string, number> = {};
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const acked = recorder.acked;
    await recorder.until(() => recorder.acked > acked);
    await passed(50 + random() * 200);
    const victim = Math.floor(random() * ROUTERS);
    const what = (["router", "redis", "partition", "flush", "full", "still"] as const)[cycle % 6]!;
    switch (what) {
      case "router":
        await fleet.kill(victim);
        void fleet.begin(victim);
        break;
      case "redis":
        await redis.kill();
        await redis.begin();
        break;
      case "partition":
        fleet.ways[victim]!.drop();
        await passed(200 + random() * 800);
        fleet.ways[victim]!.mend();
        break;
      case "flush":
        await redis.command("SCRIPT", "FLUSH");
        break;
      case "full":
        await redis.command("CONFIG", "SET", "maxmemory", "1mb");
        await passed(200 + random() * 300);
        await redis.command("CONFIG", "SET", "maxmemory", "0");
        break;
      case "still":
        fleet.stop(victim);
        await passed(7_000);
        fleet.go(victim);
    }
    const mended = performance.now();
    // All of them: what each publisher has in flight is answered.
    const numbers = new Map(recorder.attempts.map(({ publisher, number }) => [publisher, number]));
    const answered = new Set<string>();
    await recorder.until(() => {
      for (const { publisher, number, fate } of recorder.attempts.slice(-2_000)) if (number > numbers.get(publisher)! && fate.state === "acked") answered.add(publisher);
      return answered.size === numbers.size;
    });
    slowest[what] = Math.max(slowest[what] ?? 0, Math.round(performance.now() - mended));
  }
  await publishers.stop();
  const last = fleet.connect();
  await recorder.publish(last, "last", "end");
  for (const reading of [all, some]) await recorder.until(() => reading.seen.some((seen) => "type" in seen && seen.type === "end"));
  const log = await logOf(last);
  console.log(`redis: seed ${SEED}, ${CYCLES} faults, ${log.events.length} events, ${recorder.acked} acked, all publishers answered again after at most ${JSON.stringify(slowest)} ms`);
  expect(violations({ ...recorder.history(log), rivals: true }), `seed ${SEED}`).toEqual([]);
  // Those that a full Redis refused, and those that a router which stood still had in hand, ended with an error that says: try again.
  expect(recorder.attempts.filter(({ fate }) => fate.state === "failed")).toEqual([]);
  expect(log.events.length).toBeGreaterThanOrEqual(recorder.acked);
});

test(`[P1] [P9] [I19] ${ROUTERS} routers, a failover under load to a replica that lacks the end: another epoch, readers are told, and all that was acked is in the log`, async () => {
  const random = seeded(SEED);
  await using primary = await RedisServer.start();
  await using replica = await RedisServer.start("--replicaof", `127.0.0.1 ${primary.port}`);
  await using fleet = await Fleet.of(primary);
  const recorder = new Recorder();
  const all = recorder.reading("all", ["**"]);
  fleet.connect().on("**", { from: "start" }, all.handler).onGap(all.gap);
  const publishers = publishing(fleet, recorder, random);
  await recorder.until(() => recorder.acked > 300);
  while (!(await replica.commandText("INFO", "replication")).includes("master_link_status:up")) await passed(5);
  await replica.command("REPLICAOF", "127.0.0.1", "1");
  const since = recorder.acked;
  await recorder.until(() => recorder.acked > since + 100);
  await primary.kill();
  await replica.command("REPLICAOF", "NO", "ONE");
  fleet.primary = replica;
  for (const way of fleet.ways) way.cut();
  const begun = performance.now();
  const before = recorder.acked;
  await recorder.until(() => recorder.acked > before + 100);
  const took = Math.round(performance.now() - begun);
  // The old primary comes back, as the replica of the new one, to which it has nothing to say.
  await primary.begin(["--replicaof", `127.0.0.1 ${replica.port}`]);
  const back = recorder.acked;
  await recorder.until(() => recorder.acked > back + 100);
  await publishers.stop();
  const client = fleet.connect();
  await recorder.publish(client, "last", "end");
  const log = await logOf(client);
  await recorder.until(() => all.seen.some((seen) => "type" in seen && seen.type === "end"));
  const epochs = new Set(recorder.attempts.map(({ fate }) => (fate.state === "acked" ? fate.epoch : log.epoch)));
  console.log(`failover: ${recorder.acked} acked, publishing again after ${took} ms, epochs ${[...epochs].join(", ")}`);
  const there = new Set(log.events.map(({ id }) => id));
  expect(recorder.attempts.filter(({ fate }) => fate.state !== "acked" || !there.has(fate.id))).toEqual([]);
  expect([there.size, epochs.size, all.seen.some((seen) => "reason" in seen && seen.reason === "epoch")]).toEqual([log.events.length, 2, true]);
  // What the log was before is what its readers and publishers saw of it.
  const earlier = [...epochs].filter((epoch) => epoch !== null && epoch !== log.epoch).map((epoch) => {
    const events = new Map(all.seen.flatMap((seen) => ("type" in seen && seen.epoch === epoch ? [[seen.seq, seen] as const] : [])));
    for (const { fate, publisher, number } of recorder.attempts) if (fate.state === "acked" && fate.epoch === epoch && fate.seq !== null && !events.has(fate.seq)) events.set(fate.seq, { epoch: epoch!, seq: fate.seq, id: fate.id, type: "unread", publisher, number });
    return { epoch: epoch!, first: 1, events: [...events.values()].sort((a, b) => a.seq - b.seq) };
  });
  expect(violations({ ...recorder.history(log), earlier, rivals: true }).filter((line) => /^I(1|4|7|8) /.test(line))).toEqual([]);
});

test(`[P2] [I10] [I11] a group on ${ROUTERS} routers, each killed in its turn, also the one that leads: each event is finished, and once where nobody is killed`, async () => {
  await using redis = await RedisServer.start("--appendfsync", "always");
  await using fleet = await Fleet.of(redis);
  const finished = new Map<number, number>();
  const workers = Array.from({ length: 6 }, () => fleet.connect());
  await Promise.all(workers.map((worker) => worker.on("work", { group: "workers", ackTimeout: "5s" }, async (event: RouterEvent<number>) => {
    await new Promise(setImmediate);
    finished.set(event.payload, (finished.get(event.payload) ?? 0) + 1);
  }).ready));
  const publisher = fleet.connect();
  const [QUIET, EVENTS] = [200, 500];
  const publish = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) await publisher.publish("work", i);
  };
  await publish(0, QUIET);
  while (finished.size < QUIET) await passed(20);
  // What is finished is written down a moment later: then the group's bookmark is behind all of it, with nothing open.
  const written = async (): Promise<boolean> => {
    const [, after] = /"after":(\d+),"open":\[\]/.exec(await redis.commandText("HGET", "event-router:{default}:bookmarks", "group:workers")) ?? [];
    return Number(after) >= QUIET;
  };
  while (!(await written())) await passed(20);
  expect([...finished.values()].filter((times) => times !== 1)).toEqual([]);
  const publishing = publish(QUIET, EVENTS);
  for (let i = 0; i < ROUTERS; i++) {
    await passed(300);
    await fleet.kill(i);
    await fleet.begin(i);
  }
  await publishing;
  const manager = new ManagementAgent(fleet.connect());
  for (;;) {
    const group = (await manager.listSubscriptions()).find((one) => one.group === "workers");
    if (finished.size === EVENTS && group !== undefined && (group as { inFlight?: number }).inFlight === 0) break;
    await passed(20);
  }
  const again = [...finished].filter(([, times]) => times > 1);
  console.log(`group: ${EVENTS} events, ${again.length} of those that a kill met handled twice`);
  expect(again.filter(([event]) => event < QUIET)).toEqual([]);
  expect(await manager.getDeadLetterQueue()).toEqual([]);
});

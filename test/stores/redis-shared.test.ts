import { afterAll, beforeAll, expect, test } from "vitest";
import { ALL, isLeadLost } from "../../src/core/peers.ts";
import type { LogEvent } from "../../src/core/log-event.ts";
import type { Draft, Log, Store } from "../../src/core/store.ts";
import { redisStore } from "../../src/stores/redis.ts";
import { draft, instance, singles } from "../contract/store/drafts.ts";
import { appendOne, brief, everything, linesOf } from "../contract/store/kit.ts";
import { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
beforeAll(async () => { server = await RedisServer.start(); });
afterAll(() => server[Symbol.asyncDispose]());

let prefixes = 0;
/** Some stores that share their logs, as routers on several machines would. */
async function shared(count: number): Promise<{ logs: Log[]; stores: Store[] } & AsyncDisposable> {
  const prefix = `shared${++prefixes}:`;
  const stores = await Promise.all(Array.from({ length: count }, () => redisStore(server.url, { prefix })));
  return {
    stores, logs: await Promise.all(stores.map((store) => store.open("default"))),
    async [Symbol.asyncDispose]() { await Promise.all(stores.map((store) => store.close())); },
  };
}

/** Resolves when what a log tells has come so far. */
async function reached(log: Log, head: number): Promise<void> {
  while (log.head < head) await new Promise<void>((resolve) => { const stop = log.watch(() => { stop(); resolve(); }); });
}

/** Resolves when it is so; the event loop turns meanwhile. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => { setTimeout(resolve, 5); });
}

test("[P3] [P9] three stores that append at the same time make one log, and each hears all of it in order", async () => {
  await using group = await shared(3);
  const { logs } = group;
  const heard: string[][] = logs.map(() => []);
  logs.forEach((log, index) => log.watch((events) => heard[index]!.push(...events.map(({ line }) => line))));
  const outcomes = await Promise.all(logs.map(async (log, index) => {
    const own = instance(`w${index}`);
    const seqs: number[] = [];
    for (let number = 1; number <= 300; number += 3) seqs.push(...brief(await appendOne(log, own.batch(number, number + 1, number + 2))) as number[]);
    return seqs;
  }));
  await Promise.all(logs.map((log) => reached(log, 900)));
  expect(outcomes.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
  // What an append said is where the event is, and the three events of one stand together.
  for (const seqs of outcomes) seqs.forEach((seq, index) => { if (index % 3 > 0) expect(seq).toBe(seqs[index - 1]! + 1); });
  const lines = await linesOf(logs[0]!);
  expect(lines.map((line) => JSON.parse(line)[0])).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
  for (const seqs of outcomes) expect(seqs.map((seq) => JSON.parse(lines[seq - 1]!)[5].n)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  for (const told of heard) expect(told).toEqual(lines);
  for (const log of logs) expect([log.head, log.extent]).toEqual([900, { events: 900, size: lines.reduce((sum, { length }) => sum + length, 0) }]);
});

test("[P4] an event that is sent to two routers at the same time is stored once", async () => {
  await using group = await shared(2);
  const [one, two] = group.logs as [Log, Log];
  const run = instance("a");
  for (let number = 1; number <= 40; number++) {
    const twice = (await Promise.all([one, two].map((log) => log.append([run.batch(number), singles(draft(`s${number}`))])))).map((batches) => batches.map(brief));
    const seqs = twice.flat(2).map((fate) => (Array.isArray(fate) ? fate[0] : fate));
    expect(twice.flat(2).filter((fate) => typeof fate === "number")).toHaveLength(2);
    expect(new Set(seqs).size).toBe(2);
  }
  expect(await linesOf(two)).toHaveLength(80);
});

test("[P4] a client that sends all again to another router costs what is near, however long the log is", async () => {
  await using group = await shared(2);
  const [one, two] = group.logs as [Log, Log];
  const [a, b] = [instance("a"), instance("b")];
  let other = 0;
  const many = (): Promise<unknown> => one.append([b.batch(...Array.from({ length: 500 }, () => ++other))]);
  for (let i = 0; i < 10; i++) await many();
  for (let number = 1; number <= 100; number++) await one.append([a.batch(number), b.batch(++other)]);
  await many();
  await reached(two, 5_700);
  await server.command("CONFIG", "RESETSTAT");
  const again = (await two.append(Array.from({ length: 120 }, (_, index) => a.batch(index + 1)))).map(brief);
  expect(again).toEqual([...Array.from({ length: 100 }, (_, index) => [[5_001 + 2 * index]]), ...Array.from({ length: 20 }, (_, index) => [5_701 + index])]);
  const [, calls] = /cmdstat_xrange:calls=(\d+)/.exec(await server.commandText("INFO", "commandstats"))!;
  expect(Number(calls)).toBeLessThan(150);
});

test("two writers of an event stream cannot both have seen its last version", async () => {
  await using group = await shared(2);
  const streamed = (id: string): Draft => ({ id, type: "test.made", time: 1_000, body: `,1000,["ann",0],"${id}","test.made",1,{"stream":"s"}]`, own: 16, stream: { name: "s", versionAt: 14 } });
  let length = 0;
  for (let round = 0; round < 30; round++) {
    const version = length === 0 ? "no-stream" as const : length - 1;
    const fates = (await Promise.all(group.logs.map((log, index) => appendOne(log, { ...singles(streamed(`${round}-${index}`)), expect: { stream: "s", version } })))).flatMap(brief);
    expect(fates.filter((fate) => typeof fate === "number"), `round ${round}`).toHaveLength(1);
    expect(fates).toContain("ERR_STREAM_VERSION");
    length++;
  }
  const { events } = await group.logs[1]!.readStream("s", 0, everything, "forward");
  expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 30 }, (_, index) => index));
});

test("time along a log does not fall, though a router's clock is an hour behind", async () => {
  await using group = await shared(2);
  const [ahead, behind] = group.logs as [Log, Log];
  const told: LogEvent[] = [];
  behind.watch((events) => told.push(...events));
  await appendOne(ahead, singles(draft("a", { time: 3_600_000 })));
  await appendOne(behind, singles(draft("b", { time: 1_000_000 }), draft("c", { time: 3_700_000 })));
  await reached(ahead, 3);
  const events = await ahead.read(0, everything);
  expect(events.map(({ time, line }) => [time, JSON.parse(line)[1]])).toEqual([[3_600_000, 3_600_000], [3_600_000, 3_600_000], [3_700_000, 3_700_000]]);
  expect(told.map(({ line }) => line)).toEqual(events.map(({ line }) => line));
  expect(await ahead.seqBefore(3_600_000)).toBe(0);
});

test("a trim by one router is heard of by the others", async () => {
  await using group = await shared(2);
  const [one, two] = group.logs as [Log, Log];
  await one.append([instance("a").batch(1, 2, 3, 4)]);
  await one.trim(2);
  await until(() => two.first === 3);
  const lines = await linesOf(two);
  expect([lines.length, two.extent]).toEqual([2, { events: 2, size: lines.join("").length }]);
  await one.trim(4);
  expect(await two.read(0, everything)).toEqual([]);
  expect([two.first, two.head, two.extent]).toEqual([5, 4, { events: 0, size: 0 }]);
});

test("a lead has one holder, whose token the writes carry; an older one is refused, whoever has it", async () => {
  await using group = await shared(2);
  const [one, two] = group.logs as [Log, Log];
  const a = instance("a");
  await appendOne(one, a.batch(1));
  const first = await one.peers!.claim(60_000);
  expect(first).toEqual({ leader: one.peers!.self, token: 1, ms: 60_000, head: 1 });
  const asked = await two.peers!.claim(60_000);
  expect([asked.leader, asked.token, asked.ms <= 60_000 && asked.ms > 0]).toEqual([one.peers!.self, 1, true]);
  expect((await one.peers!.claim(60_000)).token).toBe(1);
  await one.writeBookmarks([["k", "old"]], 1);
  await one.peers!.release(1);
  expect((await two.peers!.claim(60_000)).token).toBe(2);

  await expect(one.writeBookmarks([["k", "late"]], 1)).rejects.toSatisfy(isLeadLost);
  await expect(one.trim(1, 1)).rejects.toSatisfy(isLeadLost);
  expect((await one.append([{ ...a.batch(2), lead: 1 }, a.batch(3)])).map(brief)).toEqual([["ERR_LEAD_LOST"], [2]]);
  expect([await two.readBookmark("k"), one.first]).toEqual(["old", 1]);
  expect((await two.append([{ ...instance("b").batch(1), lead: 2 }])).map(brief)).toEqual([[3]]);
  await two.writeBookmarks([["k", "new"]], 2);
  expect(await one.readBookmark("k")).toBe("new");
});

test("messages between routers come in order, to one and to all", async () => {
  await using group = await shared(3);
  const heard: string[][] = group.logs.map(() => []);
  group.logs.forEach(({ peers }, index) => peers!.listen({ message: (from, text) => heard[index]!.push(`${group.logs.findIndex((log) => log.peers!.self === from)}:${text}`), gone: (router) => heard[index]!.push(`gone ${group.logs.findIndex((log) => log.peers!.self === router)}`) }));
  const [one, two, three] = group.logs.map(({ peers }) => peers!);
  for (let i = 0; i < 100; i++) one!.send(two!.self, `${i} \ud800 😀`);
  two!.send(ALL, "to all");
  await until(() => heard[1]!.length === 100 && heard[0]!.length === 1 && heard[2]!.length === 1);
  expect(heard).toEqual([["1:to all"], Array.from({ length: 100 }, (_, i) => `0:${i} \ud800 😀`), ["1:to all"]]);
  one!.send(three!.self, "x".repeat(2 * 1024 * 1024));
  await until(() => heard[2]!.length === 2);
  expect(heard[2]![1]).toHaveLength(2 * 1024 * 1024 + 2);
  await group.stores[0]!.close();
  await until(() => heard[1]!.includes("gone 0"));
});

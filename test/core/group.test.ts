import { describe, expect, test } from "vitest";
import type { SubscribeSpec } from "../../src/core/frames.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { numbered, range, World } from "../support/world.ts";

interface GivenJob { readonly sub: number; readonly token: number; readonly attempt: number; readonly seq: number; readonly id: string }
const jobs = (client: RawClient): GivenJob[] => client.named("job").map(([, sub, token, attempt, event]) => ({ sub, token, attempt, seq: event[0], id: event[3] }));
const idsOf = (client: RawClient): string[] => jobs(client).map(({ id }) => id);

async function member(world: World, spec: Partial<SubscribeSpec> = {}, hello = {}): Promise<RawClient> {
  const client = await world.client(hello);
  client.subscribe(1, { topics: ["t"], group: "g", ...spec });
  await world.settle();
  return client;
}

async function publish(world: World, client: RawClient, lines: readonly string[]): Promise<void> {
  client.publish(lines);
  await world.settle();
}

/** Finishes the oldest jobs that were not finished, until no more come. */
async function work(world: World, client: RawClient, done = new Set<number>()): Promise<void> {
  for (let job; (job = jobs(client).find(({ token }) => !done.has(token))) !== undefined; ) {
    done.add(job.token);
    client.ack();
    client.say(["done", job.sub, job.token]);
    await world.settle();
  }
}

describe("sharing", () => {
  test("[P2] each event goes to one member, the least busy first, in the order of the log", async () => {
    const world = new World();
    const [a, b, publisher] = [await member(world, { maxInFlight: 2 }), await member(world, { maxInFlight: 2 }), await world.client()];
    await publish(world, publisher, numbered(1, 10));
    expect([idsOf(a), idsOf(b)]).toEqual([["e1", "e3"], ["e2", "e4"]]);
    await work(world, a);
    await work(world, b);
    expect([...jobs(a), ...jobs(b)].map(({ seq }) => seq).sort((x, y) => x - y)).toEqual(range(1, 10));
    expect([...jobs(a), ...jobs(b)].every(({ attempt }) => attempt === 1)).toBe(true);
  });

  test("[P3] the most urgent of what waits goes first; the log keeps its order", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world);
    await publish(world, publisher, [line("first", "t"), line("low", "t", 1, { priority: 1 }), line("normal", "t"), line("high", "t", 1, { priority: 9 }), line("high2", "t", 1, { priority: 9 })]);
    await work(world, a);
    // The first was taken before the others were there.
    expect(idsOf(a)).toEqual(["high", "high2", "first", "normal", "low"]);
    expect((await (await world.log()).read(0, { events: 9, size: 9_999 })).map(({ id }) => id)).toEqual(["first", "low", "normal", "high", "high2"]);
  });

  test("[P11] what waits is bounded: the rest stays in the log", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world);
    for (let n = 1; n <= 3_000; n += 500) await publish(world, publisher, numbered(n, n + 499));
    expect(jobs(a).length).toBe(1);
    const req = publisher.call("subscriptions");
    await world.settle();
    expect(publisher.answerTo(req)![1]).toMatchObject([{ group: "g", lag: 3_000, inFlight: 1 }]);
    await work(world, a);
    expect(idsOf(a)).toEqual(range(1, 3_000).map((n) => `e${n}`));
  });

  test("a filter, a second group and plain readers each have their own view", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world, { filter: { payload: { $gt: 1 } } });
    const b = await member(world, { group: "other" });
    const plain = await world.client();
    plain.subscribe(1, "t");
    await world.settle();
    await publish(world, publisher, [line("e1", "t", 1), line("e2", "t", 2), line("x", "u", 3)]);
    await work(world, a);
    await work(world, b);
    expect([idsOf(a), idsOf(b), plain.idsOf(1)]).toEqual([["e2"], ["e1", "e2"], ["e1", "e2"]]);
  });

  test("a targeted event is for the member of that name", async () => {
    const world = new World();
    const publisher = await world.client();
    const [a, b] = [await member(world, {}, { name: "ann" }), await member(world, {}, { name: "bob" })];
    await publish(world, publisher, [line("e1", "t", 1, { target: "bob" }), line("e2", "t", 1, { target: "zoe" }), line("e3", "t", 1, { target: "g" }), line("e4", "t")]);
    await work(world, a);
    await work(world, b);
    expect([idsOf(a), idsOf(b)]).toEqual([["e3", "e4"], ["e1"]]);
  });
});

describe("redelivery", () => {
  test("[P2] what a member had goes to another at once when it dies, marked as another attempt", async () => {
    const world = new World();
    const publisher = await world.client();
    const [a, b] = [await member(world, { maxInFlight: 3 }), await member(world)];
    await publish(world, publisher, numbered(1, 4));
    a.session.disconnected();
    await world.settle();
    await work(world, b);
    expect(jobs(b).map(({ id, attempt }) => [id, attempt])).toEqual([["e2", 1], ["e1", 2], ["e3", 2], ["e4", 2]]);
    expect(world.stats()).toMatchObject({ eventsRedelivered: 3, queueDepth: 0 });
  });

  test("[I10] a late ack never settles a newer attempt", async () => {
    const world = new World();
    const publisher = await world.client();
    const [a, b] = [await member(world, { ackTimeout: 1_000 }), await member(world, { ackTimeout: 1_000 })];
    await publish(world, publisher, [line("e1", "t")]);
    const [first] = jobs(a);
    await world.pass(1_001);
    const [second] = jobs(b);
    expect([second!.id, second!.attempt]).toEqual(["e1", 2]);
    a.say(["done", 1, first!.token]);
    // Nor does a token of another.
    a.say(["done", 1, second!.token]);
    await world.settle();
    expect(world.stats()).toMatchObject({ lateAcks: 2, queueDepth: 1 });
    b.session.disconnected();
    await world.settle();
    expect(jobs(a).map(({ id, attempt }) => [id, attempt])).toEqual([["e1", 1], ["e1", 3]]);
    a.say(["done", 1, jobs(a)[1]!.token]);
    await world.settle();
    expect(world.stats().queueDepth).toBe(0);
  });

  test("a member whose time is over gets nothing more until its handler is free", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world, { ackTimeout: 1_000 });
    await publish(world, publisher, numbered(1, 2));
    await world.pass(1_001);
    expect(jobs(a).length).toBe(1);
    a.say(["done", 1, jobs(a)[0]!.token]);
    await world.settle();
    expect(jobs(a).map(({ id, attempt }) => [id, attempt])).toEqual([["e1", 1], ["e1", 2]]);
  });

  test("a failed event waits with back-off while others go on, then comes again", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world, { retry: { maxRetries: 3, delay: 100, backoff: "exponential" } });
    await publish(world, publisher, numbered(1, 2));
    a.say(["nack", 1, jobs(a)[0]!.token, { error: { name: "TypeError", message: "boom" } }]);
    await world.settle();
    expect(idsOf(a)).toEqual(["e1", "e2"]);
    a.say(["done", 1, jobs(a)[1]!.token]);
    await world.pass(99);
    expect(jobs(a).length).toBe(2);
    await world.pass(1);
    expect(jobs(a)[2]).toMatchObject({ id: "e1", attempt: 2 });
    a.say(["nack", 1, jobs(a)[2]!.token, { delay: 5 }]);
    await world.pass(5);
    expect(jobs(a)[3]).toMatchObject({ id: "e1", attempt: 3 });
  });

  test("a member that leaves keeps what it says it will finish; the rest goes to others", async () => {
    const world = new World();
    const publisher = await world.client();
    const [a, b] = [await member(world, { maxInFlight: 2 }), await member(world, { maxInFlight: 5 })];
    await publish(world, publisher, numbered(1, 3));
    const [kept, given] = jobs(a);
    a.say(["unsub", 1, kept!.token]);
    await world.settle();
    expect([a.endsOf(1).length, idsOf(b).sort()]).toEqual([1, ["e2", given!.id].sort()]);
    a.say(["done", 1, kept!.token]);
    await work(world, b);
    expect([world.stats().queueDepth, jobs(b).some(({ id }) => id === kept!.id)]).toEqual([0, false]);
  });
});

describe("keeping", () => {
  test("[P2] a group goes on where it was after the router was restarted, with the attempts of what was open", async () => {
    const world = new World();
    const store = world.store;
    const publisher = await world.client();
    const a = await member(world, { maxInFlight: 3 });
    await publish(world, publisher, numbered(1, 6));
    a.say(["done", 1, jobs(a)[1]!.token]);
    await world.settle();
    await world.router.close();
    // What was appended while no router ran comes too.
    const next = new World({ store });
    const other = await next.client();
    await publish(next, other, numbered(7, 7));
    const b = await member(next, { from: "start", maxInFlight: 10 });
    expect(jobs(b).map(({ id, attempt }) => [id, attempt])).toEqual([["e1", 2], ["e3", 2], ["e4", 2], ["e5", 1], ["e6", 1], ["e7", 1]]);
  });

  test("[P2] what was trimmed while it was open is a gap, also what was not yet looked at", async () => {
    const world = new World();
    const { store } = world;
    const publisher = await world.client();
    const a = await member(world, { maxInFlight: 1 });
    await publish(world, publisher, numbered(1, 3));
    a.session.disconnected();
    await world.settle();
    await world.router.close();
    await (await world.log()).trim(2);
    const next = new World({ store });
    const b = await member(next, { maxInFlight: 5 });
    expect([b.gapsOf(1).map(({ from, to, reason }) => [from, to, reason]), idsOf(b)]).toEqual([[[1, 1, "retention"], [2, 2, "retention"]], ["e3"]]);
  });

  test("[P9] another life of the log: the members are told, and all of it is new to them", async () => {
    const world = new World();
    const a = await member(world);
    const bookmark = await (await world.log()).readBookmark("group:g");
    void a;
    const next = new World();
    await (await next.log()).writeBookmarks([["group:g", bookmark!.replace((await world.log()).epoch, "anotherEpoch")]]);
    const publisher = await next.client();
    await publish(next, publisher, numbered(1, 2));
    const b = await member(next, { maxInFlight: 5 });
    expect([b.gapsOf(1)[0]?.reason, idsOf(b)]).toEqual(["epoch", ["e1", "e2"]]);
  });

  test("members ask for the same; an empty group may be given something else", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world);
    const b = await member(world, { topics: ["u"] });
    expect(b.endsOf(1)[0]?.slice(0, 2)).toEqual(["ConflictError", "ERR_GROUP_DIFFERS"]);
    a.say(["unsub", 1]);
    await world.settle();
    const c = await member(world, { topics: ["u"] });
    await publish(world, publisher, [line("e1", "t"), line("e2", "u")]);
    expect([c.endsOf(1), idsOf(c)]).toEqual([[], ["e2"]]);
  });

  test("a group is forgotten when nobody is in it, and begins anew", async () => {
    const world = new World();
    const publisher = await world.client();
    const a = await member(world);
    const call = async (method: string, params: Record<string, unknown>) => {
      const req = publisher.call(method, params);
      await world.settle();
      return publisher.codeOf(req) ?? publisher.answerTo(req)![1];
    };
    expect(await call("forget", { group: "g" })).toBe("ERR_DURABLE_IN_USE");
    a.say(["unsub", 1]);
    await publish(world, publisher, numbered(1, 2));
    expect([await call("forget", { group: "g" }), await call("forget", { group: "g" })]).toEqual([true, false]);
    const b = await member(world);
    expect(jobs(b)).toEqual([]);
  });

  test("a store that cannot be read or written is tried again", async () => {
    let broken = false;
    const world = new World({ tail: { events: 0, size: 0 } });
    const inner = memoryStore({ randomBytes: world.around.randomBytes });
    const next = new World({
      tail: { events: 0, size: 0 },
      store: { ...inner, async open(name) {
        const log = await inner.open(name);
        return Object.assign(Object.create(log) as typeof log, { read: (...args: Parameters<typeof log.read>) => (broken ? Promise.reject(new Error("disk")) : log.read(...args)) });
      } },
    });
    const publisher = await next.client();
    const a = await member(next);
    broken = true;
    await publish(next, publisher, numbered(1, 1));
    expect([jobs(a).length, next.errors.length]).toEqual([0, 1]);
    broken = false;
    await next.pass(1_000);
    expect(idsOf(a)).toEqual(["e1"]);
  });
});

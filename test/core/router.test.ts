import { describe, expect, test } from "vitest";
import type { ClientFrame } from "../../src/core/frames.ts";
import type { Principal, Rights } from "../../src/core/policy.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { allMicrotasks, FakeSurroundings } from "../support/fake-surroundings.ts";
import { line, RawClient } from "../support/raw-client.ts";
import { numbered, range, storeWith, World, type WorldOptions } from "../support/world.ts";

describe("hello", () => {
  test("a welcome tells what the client must know", async () => {
    const world = new World({ heartbeat: 25_000 });
    const publisher = await world.client();
    publisher.publish(numbered(1, 3));
    await world.settle();
    const { welcome, frames } = await world.client({ namespace: "default", name: "n" });
    const log = await world.log();
    expect(welcome).toEqual({
      v: 1, caps: [], permissions: ["admin"], session: expect.stringMatching(/^ses_[0-9A-Za-z]{16}$/), namespace: "default", epoch: log.epoch, head: 3, name: "n", durability: "memory", heartbeat: 25_000,
      limits: { frame: 1_048_576, payload: 262_144, batch: 500, windowEvents: 256, windowSize: 1_048_576 },
    });
    expect(frames).toHaveLength(1);
  });

  test.each<[string, string, string, number]>([
    ["not JSON", "hello", "ERR_FRAME", 4400],
    ["nothing", "", "ERR_FRAME", 4400],
    ["another frame first", '["sub",1,{"topics":["t"]}]', "ERR_FRAME", 4400],
    ["two frames at once", '["hello",{"v":1}]\n["bye"]', "ERR_FRAME", 4400],
    ["no body", '["hello"]', "ERR_FRAME", 4400],
    ["another version", '["hello",{"v":2}]', "ERR_PROTOCOL_VERSION", 4400],
    ["no version", '["hello",{}]', "ERR_PROTOCOL_VERSION", 4400],
    ["a namespace that is no name", '["hello",{"v":1,"namespace":"a b"}]', "ERR_NAME", 4400],
    ["a namespace of a wrong type", '["hello",{"v":1,"namespace":5}]', "ERR_FRAME", 4400],
    ["an empty name", '["hello",{"v":1,"name":""}]', "ERR_NAME", 4400],
    ["a name too long", `["hello",{"v":1,"name":"${"x".repeat(129)}"}]`, "ERR_NAME", 4400],
    ["a credential that is none", '["hello",{"v":1,"auth":"secret"}]', "ERR_FRAME", 4400],
  ])("%s: refused with a reason, then closed", async (_, message, code, closeCode) => {
    const world = new World();
    const client = new RawClient(world.router);
    client.session.receive(message);
    await world.settle();
    expect(client.frames).toEqual([["bye", ["ValidationError", code, expect.any(String), 0, ...(code === "ERR_NAME" ? [expect.anything()] : [])]]]);
    expect(client.closed).toEqual({ code: closeCode, reason: code });
    client.hello();
    await world.settle();
    expect(client.frames).toHaveLength(1);
  });

  test("[Limits] before it is welcome a client may send 8 KiB, counted in bytes where the host knows them", async () => {
    const world = new World();
    const hello = (size: number) => {
      const head = '["hello",{"v":1,"caps":["';
      return `${head}${"x".repeat(size - head.length - 4)}"]}]`;
    };
    const [fits, over, heavy] = [new RawClient(world.router), new RawClient(world.router), new RawClient(world.router)];
    expect(hello(8_192)).toHaveLength(8_192);
    fits.session.receive(hello(8_192));
    over.session.receive(hello(8_193));
    heavy.session.receive(hello(8_192), 8_193);
    await world.settle();
    expect([fits.bye, over.bye?.[1], heavy.bye?.[1]]).toEqual([undefined, "ERR_FRAME_TOO_LARGE", "ERR_FRAME_TOO_LARGE"]);
    fits.session.receive(" ".repeat(8_193));
    expect(fits.bye?.[1]).not.toBe("ERR_FRAME_TOO_LARGE");
  });

  test("[Limits] who says nothing for 5 s is closed at the tick, who was welcomed is not", async () => {
    const world = new World();
    const silent = new RawClient(world.router);
    const welcomed = await world.client();
    expect(world.around.wake).toBe(world.around.time + 5_000);
    await world.pass(4_999);
    expect(silent.closed).toBeUndefined();
    await world.pass(1);
    expect(silent.bye?.[1]).toBe("ERR_HELLO_TIMEOUT");
    // Whoever was only slow, as a process that stood still, may come again.
    expect(silent.bye?.[3]).toBe(1);
    expect(silent.closed?.code).toBe(4408);
    expect(welcomed.closed).toBeUndefined();
  });

  test("[Limits] a second message before the welcome ends the session", async () => {
    const world = new World();
    const client = new RawClient(world.router);
    client.hello();
    client.subscribe(1, "t");
    await world.settle();
    expect(client.bye?.[1]).toBe("ERR_FRAME");
    expect(client.welcome).toBeUndefined();
    expect(world.stats().connections).toBe(0);
  });

  test("a link that goes while the credential is checked leaves nothing behind, and nothing is sent on it", async () => {
    let open: (principal: Principal) => void = () => {};
    const rights: Rights = { allows: () => true, contains: () => true, has: () => true };
    const world = new World({ policy: { authenticate: () => new Promise<Principal>((resolve) => { open = resolve; }) } });
    const client = new RawClient(world.router);
    client.hello();
    await world.settle();
    client.session.disconnected();
    open({ rights });
    await world.settle();
    expect(client.writes).toBe(0);
    expect(world.stats().connections).toBe(0);
  });

  test("[P3] a client that comes back ends what is left of its earlier session: what arrives late on that is not carried out", async () => {
    const world = new World();
    const [old, next, other] = [new RawClient(world.router), new RawClient(world.router), new RawClient(world.router)];
    old.hello({ instance: "a-secret-of-its-own" });
    other.hello({ instance: "another-secret" });
    await world.settle();
    next.hello({ instance: "a-secret-of-its-own" });
    await world.settle();
    expect([old.bye?.[1], other.bye, next.bye]).toEqual(["ERR_REPLACED", undefined, undefined]);
    old.publish([line("late", "t")]);
    next.publish([line("now", "t")]);
    await world.settle();
    expect(world.stats()).toMatchObject({ connections: 2, head: 1 });
    next.session.disconnected();
    old.session.disconnected();
    const again = new RawClient(world.router);
    again.hello({ instance: "a-secret-of-its-own" });
    await world.settle();
    expect(again.welcome).toBeDefined();
    expect(world.stats().connections).toBe(2);
  });

  test("[I16] the same secret in another namespace is another client", async () => {
    const world = new World();
    const [here, there] = [new RawClient(world.router), new RawClient(world.router)];
    here.hello({ instance: "one" });
    there.hello({ instance: "one", namespace: "other" });
    await world.settle();
    expect([here.bye, there.bye]).toEqual([undefined, undefined]);
  });

  test("ping is answered with pong at any time, and is not counted", async () => {
    const world = new World();
    const client = new RawClient(world.router);
    client.session.receive("ping");
    client.hello();
    await world.settle();
    client.session.receive("ping");
    expect(client.pongs).toHaveLength(2);
    expect(client.received).toBe(client.messages[0]!.text.length);
  });

  test("a router has so many namespaces and no more", async () => {
    const world = new World({ namespaces: 2 });
    const [a, b, again, c] = [await world.client({ namespace: "a" }), await world.client({ namespace: "b" }), await world.client({ namespace: "a" }), await world.client({ namespace: "c" })];
    expect([a, b, again].map(({ bye }) => bye)).toEqual([undefined, undefined, undefined]);
    expect(c.bye?.[1]).toBe("ERR_TOO_MANY_NAMESPACES");
  });

  test("a store that cannot open now may later; the router tells its host, the client may come again", async () => {
    const around = new FakeSurroundings();
    const inner = memoryStore({ randomBytes: around.randomBytes });
    let fails = true;
    const world = new World({ store: { ...inner, open: async (name) => { if (fails) throw new Error("locked"); return inner.open(name); } } });
    const first = await world.client();
    expect(first.bye).toEqual(["ConnectionError", "ERR_INTERNAL", expect.not.stringContaining("locked"), 1]);
    expect(world.errors).toEqual([new Error("locked")]);
    fails = false;
    expect((await world.client()).welcome).toBeDefined();
  });

  test("bye leaves: what was asked before is answered", async () => {
    const world = new World();
    const client = await world.client();
    client.say(["unsub", 7], ["bye"]);
    expect(client.frames.at(-1)).toEqual(["end", 7]);
    expect(client.closed?.code).toBe(1000);
    expect(world.stats().connections).toBe(0);
  });

  test.each<[string, string]>([
    ["not JSON", "x"], ["no array", "{}"], ["an empty array", "[]"], ["a name that is none", "[5]"], ["an unknown frame", '["nonsense"]'],
    ["a number that is none", '["unsub","1"]'], ["a negative number", '["unsub",-1]'], ["a fraction", '["unsub",1.5]'], ["infinity", '["unsub",1e999]'], ["a number too large", '["unsub",9007199254740992]'],
    ["lines that are not there", '["pub",1,2]\n["a","t",1]'], ["a mode that is none", '["pub",1,0,5]'], ["an unknown mode", '["pub",1,1,{"as":"some"}]\n["a","t",1]'],
    ["half an ack", '["ack",0,1]'], ["a subscription without what", '["sub",1]'], ["an empty line at the end", '["unsub",1]\n'],
  ])("a client that does not speak the protocol is closed: %s", async (_, message) => {
    const world = new World();
    const client = await world.client();
    client.session.receive(message);
    expect(client.bye?.slice(0, 2)).toEqual(["ValidationError", "ERR_FRAME"]);
    expect(client.closed?.code).toBe(4400);
    expect(world.errors).toEqual([]);
  });

  test("what was carried out before the fault is answered, and bye is the last word", async () => {
    const world = new World();
    const client = await world.client();
    client.say(["unsub", 7], ["unsub", 8], "nonsense", ["unsub", 9]);
    await world.settle();
    expect(client.frames.slice(1).map((frame) => frame.slice(0, 2))).toEqual([["end", 7], ["end", 8], ["bye", expect.anything()]]);
  });

  test("[Limits] a message over the limit closes", async () => {
    const world = new World({ limits: { frame: 100 } });
    const client = await world.client();
    client.session.receive('["unsub",1]', 100);
    expect(client.closed).toBeUndefined();
    client.session.receive('["unsub",1]', 101);
    expect(client.bye?.[1]).toBe("ERR_FRAME_TOO_LARGE");
  });
});

describe("publish", () => {
  test("each: what is right is stored, what is wrong is its own result, in its place", async () => {
    const world = new World();
    const client = await world.client();
    const req = client.publish([line("a", "t"), "not JSON", line("b c", "t"), line("c", "t.*"), line("d", "t", 1, { priority: 10 }), line("e", "t", 1, {}), '["f","t"]', ' ["g","t",1]', '["h","t",1]\r', '["i","t",1,{},0]']);
    await world.settle();
    expect(client.resultsOf(req)).toEqual([1, "ERR_FRAME", "ERR_EVENT_ID", "ERR_TYPE", "ERR_PRIORITY", 2, "ERR_FRAME", "ERR_FRAME", "ERR_FRAME", "ERR_FRAME"]);
    expect(client.answerTo(req)?.[1]).toBe(world.around.time);
    expect((await world.log()).head).toBe(2);
    expect(world.stats()).toMatchObject({ eventsPublished: 2, eventsRefused: 8, errorRate: 0.8 });
  });

  test("the text of an event is kept as its publisher wrote it", async () => {
    const world = new World();
    const client = await world.client({ name: "me" });
    client.publish(['["a", "t" ,{"n":1.0, "u":"\\u00e9"},{"priority":9}]']);
    await world.settle();
    expect((await (await world.log()).read(0, { events: 9, size: 9 }))[0]!.line).toBe(`[1,${world.around.time},[0,"me"],"a", "t" ,{"n":1.0, "u":"\\u00e9"},{"priority":9}]`);
  });

  test("[P1] nobody is told of an event, neither publisher nor reader, before the store has it", async () => {
    const around = new FakeSurroundings();
    let commit: () => void = () => {};
    const world = new World({ store: storeWith(around, (log) => ({ append: async (batches) => {
      await new Promise<void>((resolve) => { commit = resolve; });
      return log.append(batches);
    } })) });
    const client = await world.client();
    client.subscribe(1, "t");
    const req = client.publish([line("a", "t")]);
    await world.settle();
    expect([client.answerTo(req), client.seqsOf(1)]).toEqual([undefined, []]);
    commit();
    await world.settle();
    expect([client.resultsOf(req), client.seqsOf(1)]).toEqual([[1], [1]]);
  });

  test("[P5] all: whole or not at all, consecutive, also when others publish in the same turn", async () => {
    const world = new World();
    const [one, other] = [await world.client(), await world.client()];
    const first = one.publish(numbered(1, 3), { as: "all" });
    const between = other.publish([line("x1", "t"), line("x2", "t")]);
    const bad = one.publish([line("e4", "t"), line("e5", "t.*"), line("e6", "t")], { as: "all" });
    const twice = one.publish([line("e7", "t"), line("e7", "t")], { as: "all" });
    const last = one.publish(numbered(8, 9), { as: "all" });
    await world.settle();
    expect(one.resultsOf(first)).toEqual([1, 2, 3]);
    expect(other.resultsOf(between)).toEqual([4, 5]);
    expect(one.resultsOf(bad)).toBe("ERR_TYPE");
    expect(one.resultsOf(twice)).toBe("ERR_DUPLICATE_ID");
    expect(one.resultsOf(last)).toEqual([6, 7]);
    expect((await world.log()).head).toBe(7);
    expect(world.stats().eventsRefused).toBe(5);
  });

  test("[P5] a transaction is never seen in part: its events leave in one frame", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    await world.settle();
    const before = reader.messages.length;
    publisher.publish(numbered(1, 50), { as: "all" });
    await world.settle();
    expect(reader.messages).toHaveLength(before + 1);
    expect(reader.seqsOf(1)).toEqual(range(1, 50));
  });

  test("[P5][Limits] 500 events and a mebibyte, not one more", async () => {
    const world = new World({ limits: { batchSize: 1_000 } });
    const client = await world.client();
    const most = client.publish(numbered(1, 500));
    const more = client.publish(numbered(501, 1_001));
    const event = line("z1", "t", "x".repeat(481));
    expect(event).toHaveLength(494);
    const sized = client.publish([line("z0", "t", "x".repeat(493)), event], { as: "all" });
    const over = client.publish([line("y0", "t", "x".repeat(494)), line("y1", "t", "x".repeat(481))], { as: "all" });
    await world.settle();
    expect(client.resultsOf(most)).toEqual(range(1, 500));
    expect(client.resultsOf(more)).toBe("ERR_BATCH_TOO_LARGE");
    expect(client.resultsOf(sized)).toEqual([501, 502]);
    expect(client.resultsOf(over)).toBe("ERR_BATCH_TOO_LARGE");
  });

  test("[P4] the same id is stored once, whoever of the same publisher sends it and whenever; the same id with another body is a conflict", async () => {
    const world = new World();
    const [one, other] = [await world.client(), await world.client({ name: "renamed" })];
    const first = one.publish([line("a", "t", { x: 1, y: 2 })]);
    const inOneTurn = one.publish([line("a", "t", { x: 1, y: 2 })]);
    await world.settle();
    const later = other.publish(['["a","t",{"y":2,"x":1}]', line("a", "t", { x: 2 }), line("a", "u", { x: 1, y: 2 })]);
    await world.settle();
    expect(one.resultsOf(first)).toEqual([1]);
    expect(one.resultsOf(inOneTurn)).toEqual([[1]]);
    expect(other.resultsOf(later)).toEqual([[1], "ERR_ID_CONFLICT", "ERR_ID_CONFLICT"]);
    expect((await world.log()).head).toBe(1);
  });

  test("[P4] a transaction that is sent again is there already, whole", async () => {
    const world = new World();
    const client = await world.client();
    client.publish(numbered(1, 3), { as: "all" });
    const again = client.publish(numbered(1, 3), { as: "all" });
    await world.settle();
    expect(client.resultsOf(again)).toEqual([[1], [2], [3]]);
    expect((await world.log()).head).toBe(3);
  });

  test("[P4] running numbers: repeats are told from new ones; an id that is not of a run is refused", async () => {
    const world = new World();
    const client = await world.client();
    const id = (n: number) => `evt_00000000AAAAAAAAAAA00000${n}`;
    const first = client.publish([line(id(1), "t"), line(id(2), "t")], { run: 1 });
    const again = client.publish([line(id(2), "t"), line(id(3), "t"), line("other", "t")], { run: 1 });
    await world.settle();
    expect(client.resultsOf(first)).toEqual([1, 2]);
    expect(client.resultsOf(again)).toEqual([[2], 3, "ERR_EVENT_ID"]);
  });

  test("ephemeral: given to who is there, seq 0, never stored, answered at once, no ack needed", async () => {
    const world = new World({ limits: { windowEvents: 2 } });
    const client = await world.client();
    client.subscribe(1, "t");
    await world.settle();
    const reqs = range(1, 5).map((n) => client.publish([line(`e${n}`, "t", n), line("bad id", "t")], { as: "ephemeral" }));
    await world.settle();
    for (const req of reqs) expect(client.resultsOf(req)).toEqual([0, "ERR_EVENT_ID"]);
    expect(client.eventsOf(1).map((event) => [event[0], event[5]])).toEqual(range(1, 5).map((n) => [0, n]));
    expect((await world.log()).head).toBe(0);
    const later = await world.client();
    later.subscribe(1, { topics: ["t"], from: "start" });
    await world.settle();
    expect(later.seqsOf(1)).toEqual([]);
  });

  test("[P3] events keep the order in which they were published, across publishers and types, for every reader", async () => {
    const world = new World();
    const [a, b, reader] = [await world.client(), await world.client(), await world.client()];
    reader.subscribe(1, "**");
    reader.subscribe(2, "even.*");
    await world.settle();
    for (const n of range(1, 40)) (n % 3 === 0 ? a : b).publish([line(`e${n}`, n % 2 === 0 ? "even.x" : "odd.x")]);
    await world.settle();
    expect(reader.idsOf(1)).toEqual(range(1, 40).map((n) => `e${n}`));
    expect(reader.idsOf(2)).toEqual(range(1, 20).map((n) => `e${2 * n}`));
    expect(reader.seqsOf(1)).toEqual(range(1, 40));
  });

  test("time along the log never falls, whatever the clock does", async () => {
    const world = new World();
    const client = await world.client();
    const start = world.around.time;
    for (const ms of [0, -3_600_000, 10, 3_700_000]) {
      world.around.time += ms;
      client.publish([line(`e${world.around.time}`, "t")]);
      await world.settle();
    }
    const times = (await (await world.log()).read(0, { events: 9, size: 9_999 })).map(({ time }) => time - start);
    // Behind the clock it goes at half its speed.
    expect(times).toEqual([0, 0, 5, 100_010]);
  });

  test("time goes on after the log's last event, when a router is started anew on an old log with its clock set back", async () => {
    const world = new World();
    const start = world.around.time;
    (await world.client()).publish([line("a", "t")]);
    await world.settle();
    const next = new World({ store: world.store });
    next.around.time = start - 5_000;
    const client = await next.client();
    const req = client.publish([line("b", "t")]);
    await next.settle();
    expect(client.answerTo(req)?.[1]).toBe(start);
  });

  test("[P1][P3] a store that fails: the publish is refused as retryable, the session ends, the router goes on", async () => {
    const around = new FakeSurroundings();
    let fails = true;
    const world = new World({ store: storeWith(around, (log) => ({ append: (batches) => fails ? Promise.reject(new Error("disk full")) : log.append(batches) })) });
    const client = await world.client();
    const req = client.publish([line("a", "t")]);
    await world.settle();
    expect(client.resultsOf(req)).toEqual(["ERR_STORE"]);
    expect(client.bye?.[1]).toBe("ERR_STORE");
    fails = false;
    const again = await world.client();
    const next = again.publish([line("a", "t")]);
    await world.settle();
    expect(again.resultsOf(next)).toEqual([1]);
  });
});

describe("subscribe: where it starts", () => {
  async function withFive(options: WorldOptions = {}) {
    const world = new World(options);
    const publisher = await world.client();
    for (const n of range(1, 5)) {
      publisher.publish([line(`e${n}`, "t")]);
      await world.settle();
      world.around.time += 1_000;
    }
    return { world, publisher, reader: await world.client(), start: world.around.time - 5_000, epoch: (await world.log()).epoch };
  }

  test.each<[string, (facts: { start: number; epoch: string }) => unknown, number[], number]>([
    ["nothing said", () => undefined, [], 5],
    ["now", () => "now", [], 5],
    ["the start", () => "start", [1, 2, 3, 4, 5], 0],
    ["a seq", () => ({ seq: 3 }), [3, 4, 5], 2],
    ["the first seq", () => ({ seq: 1 }), [1, 2, 3, 4, 5], 0],
    ["seq 0", () => ({ seq: 0 }), [1, 2, 3, 4, 5], 0],
    ["a seq to come", () => ({ seq: 99 }), [], 5],
    ["a time", ({ start }) => ({ time: start + 2_000 }), [3, 4, 5], 2],
    ["a time between", ({ start }) => ({ time: start + 2_001 }), [4, 5], 3],
    ["before all time", () => ({ time: 0 }), [1, 2, 3, 4, 5], 0],
    ["the future", ({ start }) => ({ time: start + 99_000 }), [], 5],
    ["a position", ({ epoch }) => [epoch, 4], [5], 4],
    ["the head's position", ({ epoch }) => [epoch, 5], [], 5],
    ["a position at the start", ({ epoch }) => [epoch, 0], [1, 2, 3, 4, 5], 0],
  ])("[P2] %s", async (_, from, seqs, after) => {
    const { world, publisher, reader, start, epoch } = await withFive();
    const place = from({ start, epoch });
    reader.subscribe(1, { topics: ["t"], ...(place !== undefined && { from: place as "now" }) });
    await world.settle();
    expect(reader.named("on")).toEqual([["on", 1, epoch, after]]);
    expect(reader.seqsOf(1)).toEqual(seqs);
    publisher.publish([line("e6", "t")]);
    await world.settle();
    expect(reader.seqsOf(1)).toEqual([...seqs, 6]);
    expect(reader.gapsOf(1)).toEqual([]);
  });

  test("[P2] nothing slips between the end of the past and the present", async () => {
    const { world, publisher, reader } = await withFive();
    reader.subscribe(1, { topics: ["t"], from: "start" });
    for (const n of range(6, 60)) {
      publisher.publish([line(`e${n}`, "t")]);
      await allMicrotasks();
      if (n % 3 === 0) world.around.turn();
    }
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 60));
  });

  test("[P9] a position of another epoch: a gap says so, and all of this epoch follows", async () => {
    const { world, reader, epoch } = await withFive();
    reader.subscribe(1, { topics: ["t"], from: ["another", 77] });
    await world.settle();
    expect(reader.gapsOf(1)).toEqual([{ from: 78, to: null, epoch: "another", reason: "epoch" }]);
    expect(reader.named("on")).toEqual([["on", 1, epoch, 0]]);
    expect(reader.seqsOf(1)).toEqual(range(1, 5));
  });

  test("[P2] a place that retention has passed: a gap tells exactly what is missing, then the rest", async () => {
    const { world, reader, epoch } = await withFive();
    await (await world.log()).trim(3);
    reader.subscribe(1, { topics: ["t"], from: [epoch, 1] });
    reader.subscribe(2, { topics: ["t"], from: "start" });
    reader.subscribe(3, { topics: ["t"], from: { seq: 1 } });
    await world.settle();
    expect(reader.gapsOf(1)).toEqual([{ from: 2, to: 3, epoch, reason: "retention" }]);
    expect(reader.gapsOf(2)).toEqual([]);
    expect(reader.gapsOf(3)).toEqual([{ from: 1, to: 3, epoch, reason: "retention" }]);
    for (const id of [1, 2, 3]) expect(reader.seqsOf(id)).toEqual([4, 5]);
  });

  test("[P2] all of the log is gone: a gap up to the head, then what comes", async () => {
    const { world, publisher, reader, epoch } = await withFive();
    await (await world.log()).trim(5);
    reader.subscribe(1, { topics: ["t"], from: [epoch, 2] });
    await world.settle();
    publisher.publish([line("e6", "t")]);
    await world.settle();
    expect(reader.gapsOf(1)).toEqual([{ from: 3, to: 5, epoch, reason: "retention" }]);
    expect(reader.seqsOf(1)).toEqual([6]);
  });

  test("[P2] a reader that retention overtakes while it is behind is told", async () => {
    const { world, publisher, reader, epoch } = await withFive({ limits: { windowEvents: 2 }, tail: { events: 1, size: 1_000_000 } });
    reader.subscribe(1, { topics: ["t"], from: "start" });
    await world.settle();
    expect(reader.seqsOf(1)).toEqual([1, 2]);
    publisher.publish(numbered(6, 9));
    await world.settle();
    await (await world.log()).trim(7);
    for (let i = 0; i < 5; i++) {
      reader.ackAll();
      await world.settle();
    }
    expect(reader.seqsOf(1)).toEqual([1, 2, 8, 9]);
    expect(reader.gapsOf(1)).toEqual([{ from: 3, to: 7, epoch, reason: "retention" }]);
  });

  test.each<[string, unknown, string]>([
    ["no topics", {}, "ERR_PATTERN"],
    ["no list", { topics: "t" }, "ERR_PATTERN"],
    ["an empty list", { topics: [] }, "ERR_PATTERN"],
    ["101 patterns", { topics: Array.from({ length: 101 }, (_, i) => `t${i}`) }, "ERR_PATTERN"],
    ["a bad pattern", { topics: ["t", "a..b"] }, "ERR_PATTERN"],
    ["the router's own names by wildcard", { topics: ["$sys.**"] }, "ERR_PATTERN"],
    ["a filter with an unknown operator", { topics: ["t"], filter: { priority: { $above: 1 } } }, "ERR_FILTER"],
    ["a filter that runs code", { topics: ["t"], filter: { $where: "1" } }, "ERR_FILTER"],
    ["a filter of 33 nodes", { topics: ["t"], filter: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`payload.f${i}`, 1])) }, "ERR_FILTER_TOO_LARGE"],
    ["a filter that is a list", { topics: ["t"], filter: [] }, "ERR_FRAME"],
    ["a start that is none", { topics: ["t"], from: "yesterday" }, "ERR_FRAME"],
    ["a start before 0", { topics: ["t"], from: { seq: -1 } }, "ERR_FRAME"],
    ["a position without seq", { topics: ["t"], from: ["e"] }, "ERR_FRAME"],
  ])("[Limits] %s is refused, and the session goes on", async (_, spec, code) => {
    const { world, reader } = await withFive();
    reader.say(["sub", 1, spec as never]);
    reader.subscribe(2, { topics: ["t"], from: "start" });
    await world.settle();
    expect(reader.endsOf(1).map((error) => error?.[1])).toEqual([code]);
    expect(reader.seqsOf(2)).toEqual(range(1, 5));
    expect(world.stats().activeSubscriptions).toBe(1);
    // The id is free again.
    reader.subscribe(1, "t");
    await world.settle();
    expect(reader.named("on").map(([, id]) => id)).toEqual([2, 1]);
  });

  test("a page that the store cannot read is read again later: the reader is not forgotten", async () => {
    const around = new FakeSurroundings();
    let fails = true;
    const world = new World({ tail: { events: 1, size: 1 }, store: storeWith(around, (log) => ({ read: (after, limit) => fails && limit.events > 1 ? Promise.reject(new Error("I/O")) : log.read(after, limit) })) });
    const publisher = await world.client();
    publisher.publish(numbered(1, 5));
    await world.settle();
    const reader = await world.client();
    reader.subscribe(1, { topics: ["t"], from: "start" });
    await world.settle();
    expect(reader.seqsOf(1)).toEqual([]);
    expect(world.errors).toHaveLength(1);
    expect(world.router.health().healthy).toBe(false);
    await world.pass(999);
    expect(world.errors).toHaveLength(1);
    fails = false;
    expect(world.around.wake).not.toBeNull();
    await world.pass(1);
    expect(reader.seqsOf(1)).toEqual(range(1, 5));
  });
});

describe("delivery", () => {
  test("[P11] live → behind → live under credit; a slow subscription holds up no other of its session", async () => {
    const world = new World({ limits: { windowEvents: 4 }, tail: { events: 8, size: 1_000_000 } });
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    reader.subscribe(2, "t");
    await world.settle();
    for (const n of range(1, 40)) {
      publisher.publish([line(`e${n}`, "t")]);
      await world.settle();
      reader.ack(2, n); // 2 is fast; 1 never finishes anything
      await world.settle();
    }
    expect(reader.seqsOf(2)).toEqual(range(1, 40));
    expect(reader.seqsOf(1)).toEqual(range(1, 4));
    for (let n = 4; n <= 40; n += 4) {
      reader.ack(1, n);
      await world.settle();
      expect(reader.seqsOf(1)).toEqual(range(1, Math.min(40, n + 4)));
    }
    expect(world.stats().queueDepth).toBe(0);
    // Both live again: the next event is one copy for both.
    const before = reader.deliveries.length;
    publisher.publish([line("last", "t")]);
    await world.settle();
    expect(reader.deliveries.slice(before).map(({ subs }) => subs)).toEqual([[1, 2]]);
  });

  test("one copy of an event for a session, whatever number of its subscriptions match", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "order.*");
    reader.subscribe(2, "**");
    reader.subscribe(3, { topics: ["order.placed", "order.*", "**"] });
    reader.subscribe(4, { topics: ["**"], filter: { priority: { $gte: 7 } } });
    await world.settle();
    publisher.publish([line("a", "order.placed"), line("b", "user.created"), line("c", "order.paid", 1, { priority: 9 })]);
    await world.settle();
    expect(reader.deliveries.map(({ subs, event }) => [event[3], [...subs].sort()])).toEqual([["a", [1, 2, 3]], ["b", [2, 3]], ["c", [1, 2, 3, 4]]]);
    expect(reader.named("mix")).toHaveLength(1);
  });

  test("sessions with the same interests share the bytes, others do not; one write each for what came together", async () => {
    const world = new World();
    const publisher = await world.client();
    const same = [await world.client(), await world.client(), await world.client()];
    const other = await world.client();
    for (const client of same) client.subscribe(1, { topics: ["a.*", "b"], filter: { priority: 5 } });
    other.subscribe(2, { topics: ["a.*", "b"], filter: { priority: 5 } });
    await world.settle();
    const writes = same.map((client) => client.writes);
    publisher.publish(numbered(1, 20, "a.x"));
    publisher.publish([line("z", "b")]);
    await world.settle();
    const [first, ...rest] = same.map((client) => client.messages.at(-1)!);
    for (const message of rest) expect(message).toBe(first);
    expect(other.messages.at(-1)).not.toBe(first);
    expect(same.map((client) => client.writes)).toEqual(writes.map((count) => count + 1));
    for (const client of same) expect(client.seqsOf(1)).toEqual(range(1, 21));
  });

  test("[P3] who reads what it publishes has the event and its answer in one write", async () => {
    const world = new World();
    const [both, reader] = [await world.client(), await world.client()];
    for (const client of [both, reader]) client.subscribe(1, "t");
    await world.settle();
    const writes = [both.writes, reader.writes];
    both.publish([line("a", "t")]);
    await world.settle();
    expect([both.writes, reader.writes]).toEqual([writes[0]! + 1, writes[1]! + 1]);
    expect(both.frames.slice(-2).map(([name]) => name)).toEqual(["ev", "pub"]);
    expect(both.idsOf(1)).toEqual(["a"]);
  });

  test("[P3] what is queued for a reader goes before an event that comes then", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    await world.settle();
    publisher.publish([line("a", "t")]);
    reader.say(["serve", 2, ["q"]]);
    await world.settle();
    expect(reader.frames.slice(-2).map(([name]) => name)).toEqual(["on", "ev"]);
  });

  test("[P2] a pipe that cannot be written to while an event is given out is lost alone: the others have that event and the next", async () => {
    const world = new World();
    const publisher = await world.client();
    const readers = [await world.client(), await world.client(), await world.client()];
    for (const reader of readers) reader.subscribe(1, "t");
    await world.settle();
    const [first, broken, last] = readers as [RawClient, RawClient, RawClient];
    broken.send = () => { throw new Error("no pipe"); };
    publisher.publish([line("a", "t")]);
    await world.settle();
    publisher.publish([line("b", "t")]);
    await world.settle();
    expect([first.idsOf(1), last.idsOf(1)]).toEqual([["a", "b"], ["a", "b"]]);
    expect(broken.session.state).toBe("closed");
  });

  test("target: only clients of that name get it, live and from the log", async () => {
    const world = new World();
    const publisher = await world.client();
    const [me, other, nameless] = [await world.client({ name: "me" }), await world.client({ name: "other" }), await world.client()];
    for (const client of [me, other, nameless]) client.subscribe(1, "t");
    await world.settle();
    publisher.publish([line("a", "t"), line("b", "t", 1, { target: "me" }), line("c", "t"), line("d", "t", 1, { target: "nobody" })]);
    await world.settle();
    for (const client of [me, other, nameless]) client.subscribe(2, { topics: ["t"], from: "start" });
    await world.settle();
    for (const id of [1, 2]) {
      expect(me.idsOf(id)).toEqual(["a", "b", "c"]);
      expect(other.idsOf(id)).toEqual(["a", "c"]);
      expect(nameless.idsOf(id)).toEqual(["a", "c"]);
    }
    const req = other.call("read");
    await world.settle();
    expect((other.answerTo(req)![1] as { events: unknown[][] }).events.map((event) => event[3])).toEqual(["a", "c"]);
  });

  test("a filter sees every field, live and from the log alike", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client({ name: "shop" })];
    const filter = { priority: { $gte: 7 }, "payload.amount": { $gt: 100 }, source: "shop", "headers.k": "v" };
    reader.subscribe(1, { topics: ["t"], filter });
    await world.settle();
    const meta = { priority: 8, headers: { k: "v" } };
    publisher.publish([line("a", "t", { amount: 101 }, meta), line("b", "t", { amount: 99 }, meta), line("c", "t", { amount: 101 }), line("d", "t", { amount: 500 }, { ...meta, source: "else" }), line("e", "t", { amount: 102 }, meta)]);
    await world.settle();
    reader.subscribe(2, { topics: ["t"], filter, from: "start" });
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a", "e"]);
    expect(reader.idsOf(2)).toEqual(["a", "e"]);
  });

  test("[P11][Limits] the window by events: never more than it un-acked", async () => {
    const world = new World({ limits: { windowEvents: 10 } });
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    publisher.publish(numbered(1, 100));
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 10));
    reader.ack(1, 3);
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 13));
    reader.ack(1, 3);
    reader.ack(1, 1);
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 13));
    reader.ack(1, 13);
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 23));
  });

  test("[P11][Limits] the window by size; an event larger than it comes alone", async () => {
    const world = new World({ limits: { windowSize: 2_000 } });
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    await world.settle();
    reader.ackAll();
    publisher.publish([line("a", "t", "x".repeat(800)), line("b", "t", "x".repeat(800)), line("c", "t", "x".repeat(800)), line("big", "t", "x".repeat(5_000)), line("d", "t")]);
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a", "b"]);
    reader.ackAll();
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a", "b", "c"]);
    reader.ackAll();
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a", "b", "c", "big"]);
    reader.ackAll();
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a", "b", "c", "big", "d"]);
  });

  test("[P11] a session that does not receive is held at its window, however many subscriptions it has, and goes on when it does", async () => {
    const world = new World({ limits: { windowSize: 5_000 } });
    const [reader, publisher] = [await world.client(), await world.client()];
    for (const id of range(1, 20)) reader.subscribe(id, `t${id}`);
    await world.settle();
    reader.ackAll();
    const before = reader.received;
    for (const n of range(1, 10)) {
      publisher.publish(range(1, 20).map((id) => line(`e${id}-${n}`, `t${id}`, "x".repeat(100))));
      await world.settle();
    }
    expect(reader.received - before).toBeGreaterThan(4_000);
    expect(reader.received - before).toBeLessThanOrEqual(5_000);
    for (let i = 0; i < 1_000 && range(1, 20).some((id) => reader.seqsOf(id).length < 10); i++) {
      const mark = reader.received;
      reader.ackAll();
      await world.settle();
      expect(reader.received - mark).toBeLessThanOrEqual(5_000);
    }
    for (const id of range(1, 20)) expect(reader.idsOf(id)).toEqual(range(1, 10).map((n) => `e${id}-${n}`));
  });

  test("[P11] ephemeral events are for who has room: a session that does not receive misses them and is not closed", async () => {
    const world = new World({ limits: { windowSize: 2_000 } });
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    await world.settle();
    reader.ackAll();
    const send = async (from: number): Promise<void> => {
      for (const n of range(from, from + 9)) publisher.publish([line(`e${n}`, "t", "x".repeat(500))], { as: "ephemeral" });
      await world.settle();
    };
    await send(1);
    expect(reader.idsOf(1)).toEqual(["e1", "e2", "e3"]);
    await send(11);
    expect(reader.idsOf(1)).toEqual(["e1", "e2", "e3"]);
    reader.ackAll();
    await send(21);
    expect(reader.idsOf(1)).toEqual(["e1", "e2", "e3", "e21", "e22", "e23"]);
    expect(reader.closed).toBeUndefined();
  });

  test("what is far behind comes in frames of half a mebibyte, as many as there is room for, without an ack between", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    for (const n of range(1, 5)) {
      publisher.publish([line(`e${n}`, "t", "x".repeat(200_000))]);
      await world.settle();
    }
    reader.subscribe(1, { topics: ["t"], from: "start" });
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 5));
    expect(reader.named("ev").map((frame) => frame[2].length)).toEqual([2, 2, 1]);
  });

  test("[P3] what the store has but has not yet reported (another process wrote it) comes once, when it is reported", async () => {
    const around = new FakeSurroundings();
    const held: (() => void)[] = [];
    let late = false;
    const world = new World({ tail: { events: 1, size: 1 }, store: storeWith(around, (log) => ({ watch: (listener) => log.watch((events) => { if (late) held.push(() => listener(events)); else listener(events); }) })) });
    const [reader, live, publisher] = [await world.client(), await world.client(), await world.client()];
    live.subscribe(1, "t");
    publisher.publish(numbered(1, 3));
    await world.settle();
    late = true;
    publisher.publish(numbered(4, 6));
    await world.settle();
    expect((await world.log()).head).toBe(6);
    reader.subscribe(1, { topics: ["t"], from: "start" });
    await world.settle();
    expect(reader.seqsOf(1)).toEqual([1, 2, 3]);
    for (const report of held) report();
    await world.settle();
    expect(reader.seqsOf(1)).toEqual(range(1, 6));
    expect(live.seqsOf(1)).toEqual(range(1, 6));
  });

  test("[P11] a peer that reads nothing of what it asks for is closed (ERR_SLOW), the others go on", async () => {
    const world = new World({ limits: { windowSize: 1_000 } });
    const [greedy, reader] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    for (let i = 0; i < 40 && greedy.closed === undefined; i++) {
      greedy.say(...Array.from({ length: 20 }, (): ClientFrame => ["sub", 1, { topics: ["not a pattern"] }]));
      await world.settle();
    }
    expect(greedy.bye?.slice(0, 2)).toEqual(["ConnectionError", "ERR_SLOW"]);
    expect(greedy.closed?.code).toBe(4408);
    expect(greedy.received).toBeLessThan(20_000);
    const publisher = await world.client();
    publisher.publish([line("a", "t")]);
    await world.settle();
    expect(reader.seqsOf(1)).toEqual([1]);
  });

  test("[P11] answers to calls wait for room: a client that asks faster than it reads costs one answer's memory", async () => {
    const world = new World({ limits: { windowSize: 4_000 } });
    const client = await world.client();
    client.publish(numbered(1, 30, "t", "x".repeat(100)));
    await world.settle();
    client.ackAll();
    const before = client.received;
    const reqs = range(1, 50).map(() => client.call("read"));
    await world.settle();
    expect(client.received - before).toBeLessThan(10_000);
    expect(client.closed).toBeUndefined();
    for (let i = 0; i < 100 && client.answerTo(reqs.at(-1)!) === undefined; i++) {
      client.ackAll();
      await world.settle();
    }
    for (const req of reqs) expect(client.answerTo(req)).toEqual(["ok", expect.objectContaining({ events: expect.objectContaining({ length: 30 }) })]);
  });
});

describe("subscriptions of one session", () => {
  test("unsubscribing ends deliveries and frees the id", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.subscribe(1, "t");
    reader.subscribe(2, "t");
    await world.settle();
    publisher.publish([line("a", "t")]);
    await world.settle();
    reader.say(["unsub", 1]);
    publisher.publish([line("b", "t")]);
    await world.settle();
    expect([reader.idsOf(1), reader.idsOf(2), reader.endsOf(1)]).toEqual([["a"], ["a", "b"], [undefined]]);
    reader.subscribe(1, { topics: ["t"], from: "start" });
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a", "a", "b"]);
    expect(world.stats().activeSubscriptions).toBe(2);
  });

  test("ended while it is being opened: nothing of it comes, nothing of it stays", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    publisher.publish(numbered(1, 3));
    await world.settle();
    reader.say(["sub", 1, { topics: ["t"], from: "start" }], ["unsub", 1]);
    await world.settle();
    publisher.publish([line("e4", "t")]);
    await world.settle();
    expect(reader.named("on")).toEqual([]);
    expect(reader.seqsOf(1)).toEqual([]);
    expect(reader.endsOf(1)).toEqual([undefined]);
    expect(world.stats().activeSubscriptions).toBe(0);
  });

  test("ended while it is being opened and opened again under its number: only the second is there", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    publisher.publish(numbered(1, 3));
    await world.settle();
    reader.say(["sub", 1, { topics: ["t"], from: "start" }], ["unsub", 1], ["sub", 1, { topics: ["t"], from: { seq: 3 } }]);
    await world.settle();
    publisher.publish([line("e4", "t")]);
    await world.settle();
    expect(reader.seqsOf(1)).toEqual([3, 4]);
    expect(reader.named("on")).toHaveLength(1);
    expect(world.stats().activeSubscriptions).toBe(1);
  });

  test("an id that is in use is refused, also while the first is being opened; the first stays as it is", async () => {
    const world = new World();
    const [reader, publisher] = [await world.client(), await world.client()];
    reader.say(["sub", 1, { topics: ["t"] }], ["sub", 1, { topics: ["u"] }], ["serve", 1, ["v"]]);
    await world.settle();
    reader.subscribe(1, "u");
    await world.settle();
    expect(reader.endsOf(1).map((error) => error?.[1])).toEqual(["ERR_SUBSCRIPTION_ID", "ERR_SUBSCRIPTION_ID", "ERR_SUBSCRIPTION_ID"]);
    publisher.publish([line("a", "t"), line("b", "u")]);
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a"]);
    reader.say(["unsub", 1]);
    publisher.publish([line("c", "t")]);
    await world.settle();
    expect(reader.idsOf(1)).toEqual(["a"]);
  });

  test("[Limits] 1,000 subscriptions, not one more, also when they are asked for in one message", async () => {
    const world = new World();
    const reader = await world.client();
    const asked = range(1, 1_005);
    reader.say(...asked.map((id): ClientFrame => ["sub", id, { topics: [`t${id}`] }]));
    await world.settle();
    expect(reader.named("on")).toHaveLength(1_000);
    expect(reader.named("end").map(([, , error]) => error?.[1])).toEqual(Array(5).fill("ERR_TOO_MANY_SUBSCRIPTIONS"));
    expect(world.stats().activeSubscriptions).toBe(1_000);
    reader.say(["unsub", 5]);
    reader.subscribe(2_000, "t");
    await world.settle();
    expect(reader.named("on").at(-1)?.[1]).toBe(2_000);
  });

  test("a link that is gone leaves no subscription, and its opening ones neither", async () => {
    const world = new World();
    const reader = await world.client();
    reader.subscribe(1, "t");
    await world.settle();
    reader.subscribe(2, { topics: ["t"], from: { time: 0 } });
    reader.session.disconnected();
    await world.settle();
    const writes = reader.writes;
    const publisher = await world.client();
    publisher.publish([line("a", "t")]);
    await world.settle();
    expect(reader.writes).toBe(writes);
    expect(world.stats()).toMatchObject({ activeSubscriptions: 0, connections: 1, eventsDelivered: 0 });
    reader.say(["unsub", 1]); // late frames of an old connection are for nobody
    await world.settle();
    expect(reader.writes).toBe(writes);
  });
});

test("a clock that is set forward makes nothing late: what is planned next is not kept for a time that has passed already", async () => {
  const world = new World();
  const client = await world.client();
  client.publish([line("far", "t")], { as: "later", in: 3_600_000 });
  await world.settle();
  // The host's timer for it still runs for an hour.
  world.around.time += 7_200_000;
  world.around.wake = null;
  client.publish([line("near", "t")], { as: "later", in: 500 });
  await world.settle();
  expect(world.around.wake).toBeLessThanOrEqual(world.around.time + 500);
});

import { expect, test } from "vitest";
import type { ClientFrame, RouterFrame } from "../../src/core/frames.ts";
import type { RawClient } from "../support/raw-client.ts";
import { line } from "../support/raw-client.ts";
import { range, World, type WorldOptions } from "../support/world.ts";

async function scene(responders = 1, options: WorldOptions = {}) {
  const world = new World(options);
  const asker = await world.client({ name: "asker" });
  const serving: RawClient[] = [];
  for (const n of range(1, responders)) {
    const client = await world.client({ name: `r${n}` });
    client.say(["serve", 1, ["sum.*"]]);
    await world.settle();
    serving.push(client);
  }
  return { world, asker, serving, one: serving[0]! };
}

const asks = (client: RawClient): Extract<RouterFrame, readonly ["ask", ...unknown[]]>[] => client.named("ask");

test("a request reaches a responder with who asks, its answer reaches the asker as an event", async () => {
  const { world, asker, one } = await scene();
  const req = asker.request("sum.add", { x: 1 }, 5_000, "q1");
  await world.settle();
  expect(one.named("on")).toEqual([["on", 1, (await world.log()).epoch, 0]]);
  expect(asks(one)).toEqual([["ask", 1, 5_000, [0, world.around.time, [0, "asker"], "q1", "sum.add", { x: 1 }]]]);
  one.say(["answer", 1], '{"result":3}');
  await world.settle();
  expect(asker.answerTo(req)).toEqual(["ok", [0, world.around.time, [0, "r1"], "res_1", "sum.add", { result: 3 }, { correlationId: "q1" }]]);
  expect((await world.log()).head).toBe(0);
  expect(world.stats()).toMatchObject({ openRequests: 0, lateAnswers: 0 });
});

test("nobody answers this type: an error at once, which names it", async () => {
  const { world, asker } = await scene();
  const req = asker.request("other", 1);
  await world.settle();
  expect(asker.answerTo(req)).toEqual(["err", ["NoRespondersError", "ERR_NO_RESPONDERS", expect.stringContaining('"other"'), 1]]);
});

test("several responders share the requests, those that have answered get more", async () => {
  const { world, asker, serving } = await scene(3);
  for (let i = 0; i < 9; i++) asker.request("sum.add", i);
  await world.settle();
  expect(serving.map((client) => asks(client).length)).toEqual([3, 3, 3]);
  for (const [, ask] of asks(serving[1]!)) serving[1]!.say(["answer", ask], "1");
  for (let i = 0; i < 3; i++) asker.request("sum.add", i);
  await world.settle();
  expect(serving.map((client) => asks(client).length)).toEqual([3, 6, 3]);
});

test("[P7] a timeout comes by the tick, says that it is unknown, and the late answer is dropped and counted", async () => {
  const { world, asker, one } = await scene();
  const req = asker.request("sum.add", 1, 2_000);
  await world.settle();
  expect(world.around.wake).toBeLessThanOrEqual(world.around.time + 2_000);
  await world.pass(1_999);
  expect(asker.answerTo(req)).toBeUndefined();
  await world.pass(1);
  expect(asker.answerTo(req)).toEqual(["err", ["TimeoutError", "ERR_TIMEOUT", expect.stringContaining("unknown"), 1]]);
  one.say(["answer", 1], "1");
  await world.settle();
  expect(asker.frames.filter(([name]) => name === "ok")).toEqual([]);
  expect(world.stats()).toMatchObject({ openRequests: 0, lateAnswers: 1 });
});

test("a request waits five minutes at most, whatever it asks for", async () => {
  const { world, asker } = await scene();
  const req = asker.request("sum.add", 1, Number.MAX_SAFE_INTEGER);
  await world.pass(5 * 60_000);
  expect(asker.codeOf(req)).toBe("ERR_TIMEOUT");
});

test("[P7] at most one answer, and only from who was asked: second and foreign ones are dropped and counted", async () => {
  const { world, asker, serving } = await scene(2);
  const req = asker.request("sum.add", 1);
  await world.settle();
  const [asked, foreign] = asks(serving[0]!).length === 1 ? [serving[0]!, serving[1]!] : [serving[1]!, serving[0]!];
  foreign.say(["answer", 1], '"foreign"');
  foreign.say(["fail", 1, ["Error", "ERR_X", "foreign", 0]]);
  asker.say(["answer", 1], '"self"');
  asked.say(["answer", 1], '"first"');
  asked.say(["answer", 1], '"second"');
  asked.say(["fail", 1, ["Error", "ERR_X", "third", 0]]);
  asked.say(["answer", 77], '"never asked"');
  await world.settle();
  expect(asker.frames.filter(([name]) => name === "ok" || name === "err")).toHaveLength(1);
  expect((asker.answerTo(req)![1] as unknown[])[5]).toBe("first");
  expect(world.stats()).toMatchObject({ openRequests: 0, lateAnswers: 6 });
});

test("a responder's failure reaches the asker as its own words only, cut to a length", async () => {
  const { world, asker, one } = await scene();
  const reqs = range(1, 3).map(() => asker.request("sum.add", 1));
  await world.settle();
  one.say(["fail", 1, ["ValidationError", "ERR_MINE", "no", 1, { name: "MyError", stack: "at secret.ts:1" }]]);
  one.say(["fail", 2, ["E", "c".repeat(100), "m".repeat(9_000), 0]]);
  one.session.receive('["fail",3,{"nonsense":1}]');
  await world.settle();
  expect(asker.answerTo(reqs[0]!)).toEqual(["err", ["RemoteError", "ERR_MINE", "no", 0, { name: "MyError" }]]);
  expect(asker.answerTo(reqs[1]!)).toEqual(["err", ["RemoteError", "c".repeat(64), "m".repeat(2_048), 0, { name: "Error" }]]);
  expect(asker.answerTo(reqs[2]!)).toEqual(["err", ["RemoteError", "ERR_REMOTE", "the responder failed", 0, { name: "Error" }]]);
});

test("an answer that may not be is refused, and the asker told", async () => {
  const { world, asker, one } = await scene(1, { limits: { payload: 100 } });
  const reqs = range(1, 3).map(() => asker.request("sum.add", 1));
  await world.settle();
  one.say(["answer", 1], "not JSON");
  one.say(["answer", 2], JSON.stringify("x".repeat(99)));
  one.say(["answer", 3], "[".repeat(50) + "]".repeat(50));
  await world.settle();
  for (const req of reqs) expect(asker.codeOf(req)).toBe("ERR_ANSWER");
  expect(one.closed).toBeUndefined();
});

test("a request that may not be is refused without a responder", async () => {
  const { world, asker, one } = await scene();
  asker.say(["req", 1, 1_000], "not JSON", ["req", 2, 1_000], line("a b", "sum.x"), ["req", 3, 1_000], line("a", "sum.*"));
  await world.settle();
  expect([1, 2, 3].map((req) => asker.codeOf(req))).toEqual(["ERR_FRAME", "ERR_EVENT_ID", "ERR_TYPE"]);
  expect(asks(one)).toEqual([]);
});

test("cancelled: no answer comes, a later one is counted", async () => {
  const { world, asker, one } = await scene();
  const req = asker.request("sum.add", 1);
  asker.say(["cancel", req], ["cancel", 99]);
  one.say(["answer", 1], "1");
  await world.pass(10_000);
  expect(asker.answerTo(req)).toBeUndefined();
  expect(world.stats()).toMatchObject({ openRequests: 0, lateAnswers: 1 });
});

test("a number that waits for its answer is not used again: who does so ends, the others are not harmed", async () => {
  const { world, asker, one } = await scene();
  asker.say(["req", 1, 1_000], line("a", "sum.x"), ["req", 1, 1_000], line("b", "sum.x"));
  await world.settle();
  expect(asker.bye?.[1]).toBe("ERR_FRAME");
  one.say(["answer", 1], "1");
  one.say(["answer", 2], "1");
  await world.pass(10_000);
  expect(one.closed).toBeUndefined();
  expect(world.errors).toEqual([]);
  expect(world.stats()).toMatchObject({ openRequests: 0 });
  // After its answer a number is free.
  const other = await world.client();
  for (const id of ["a", "b"]) {
    other.say(["req", 1, 1_000], line(id, "sum.x"));
    await world.settle();
    one.say(["answer", asks(one).at(-1)![1]], "1");
    await world.settle();
  }
  expect(other.named("ok")).toHaveLength(2);
});

test("a responder that leaves: its requests fail as unknown, new ones go to others", async () => {
  const { world, asker, serving } = await scene(2);
  const reqs = [asker.request("sum.add", 1), asker.request("sum.add", 2)];
  await world.settle();
  serving[0]!.session.disconnected();
  await world.settle();
  expect(reqs.map((req) => asker.codeOf(req)).filter((code) => code !== undefined)).toEqual(["ERR_RESPONDER_LOST"]);
  const next = asker.request("sum.add", 3);
  await world.settle();
  expect(asks(serving[1]!)).toHaveLength(2);
  serving[1]!.session.disconnected();
  await world.settle();
  expect(asker.codeOf(next)).toBe("ERR_RESPONDER_LOST");
  const last = asker.request("sum.add", 4);
  await world.settle();
  expect(asker.codeOf(last)).toBe("ERR_NO_RESPONDERS");
});

test("a responder that stops serving takes no more, and may still answer what it has", async () => {
  const { world, asker, one } = await scene();
  const req = asker.request("sum.add", 1);
  one.say(["unsub", 1]);
  const next = asker.request("sum.add", 2);
  one.say(["answer", 1], "5");
  await world.settle();
  expect(one.endsOf(1)).toEqual([undefined]);
  expect(asker.answerTo(req)?.[0]).toBe("ok");
  expect(asker.codeOf(next)).toBe("ERR_NO_RESPONDERS");
});

test("an asker that leaves is forgotten", async () => {
  const { world, asker, one } = await scene();
  asker.request("sum.add", 1);
  await world.settle();
  asker.session.disconnected();
  one.say(["answer", 1], "1");
  await world.pass(10_000);
  expect(world.stats()).toMatchObject({ openRequests: 0, lateAnswers: 1 });
});

test("[Limits] so many requests of a session at a time; responders that do not read are busy", async () => {
  const { world, asker } = await scene(1, { limits: { requests: 3 } });
  const reqs = range(1, 4).map((n) => asker.request("sum.add", n));
  await world.settle();
  expect(reqs.map((req) => asker.codeOf(req))).toEqual([undefined, undefined, undefined, "ERR_BUSY"]);
  const slow = await scene(1, { limits: { windowSize: 2_000 } });
  const big = range(1, 4).map(() => slow.asker.request("sum.add", "x".repeat(700)));
  await slow.world.settle();
  expect(big.map((req) => slow.asker.codeOf(req)).filter((code) => code === "ERR_BUSY").length).toBeGreaterThan(0);
  expect(asks(slow.one).length).toBeGreaterThan(0);
  slow.one.ack();
  const again = slow.asker.request("sum.add", "x".repeat(700));
  await slow.world.settle();
  expect(slow.asker.codeOf(again)).toBeUndefined();
});

test.each<[string, unknown, string]>([["no patterns", undefined, "ERR_PATTERN"], ["an empty list", [], "ERR_PATTERN"], ["a bad pattern", ["a.*b"], "ERR_PATTERN"]])("serving %s is refused", async (_, patterns, code) => {
  const world = new World();
  const client = await world.client();
  client.say(["serve", 4, patterns] as unknown as ClientFrame);
  await world.settle();
  expect(client.endsOf(4).map((error) => error?.[1])).toEqual([code]);
});

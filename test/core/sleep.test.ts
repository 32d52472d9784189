import { expect, test } from "vitest";
import { PermissionError } from "../../src/core/errors.ts";
import type { Policy, Rights } from "../../src/core/policy.ts";
import type { Batch } from "../../src/core/store.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";
import { RawClient } from "../support/raw-client.ts";
import { numbered, range, storeWith, World } from "../support/world.ts";

const draftOf = (id: string): Batch => ({ publisher: "", run: false, drafts: [{ id, type: "t", time: 1, body: `,1,0,"${id}","t",null]`, own: 5 }] });

/** A host that sleeps loses what is in memory and keeps its pipes: `World.sleep`. */

test("[P2] a subscription goes on where it was: nothing comes again, nothing is missed, and nobody is told", async () => {
  const world = new World();
  const [publisher, reader] = [await world.client(), await world.client()];
  reader.subscribe(1, "t");
  publisher.publish(numbered(1, 3));
  await world.sleep(publisher, reader);
  const before = reader.frames.length;
  publisher.publish(numbered(4, 5));
  await world.settle();
  expect(reader.seqsOf(1)).toEqual(range(1, 5));
  expect(reader.frames.length).toBe(before + 1);
  expect([publisher.closed, reader.closed]).toEqual([undefined, undefined]);
});

test("[P11] credit is what it was: what is in flight counts, and its ack makes room", async () => {
  const world = new World({ limits: { windowEvents: 4 } });
  const [publisher, reader] = [await world.client(), await world.client()];
  reader.subscribe(1, { topics: ["t"], filter: { payload: null } });
  publisher.publish(numbered(1, 10));
  await world.sleep(publisher, reader);
  publisher.publish(numbered(11, 12));
  await world.sleep(publisher, reader);
  expect(reader.seqsOf(1)).toEqual([1, 2, 3, 4]);
  reader.ack(1, 3);
  await world.sleep(publisher, reader);
  expect(reader.seqsOf(1)).toEqual(range(1, 7));
  for (let i = 0; i < 3; i++) {
    reader.ackAll();
    await world.settle();
  }
  expect(reader.seqsOf(1)).toEqual(range(1, 12));
});

test("[P2] what was appended while the router slept comes, also for those who had everything", async () => {
  const world = new World();
  const [publisher, reader] = [await world.client(), await world.client()];
  reader.subscribe(1, "t");
  publisher.publish(numbered(1, 2));
  await world.settle();
  const log = await world.log();
  await world.sleepWhile(() => log.append([draftOf("x"), draftOf("y")]), publisher, reader);
  expect(reader.seqsOf(1)).toEqual([1, 2, 3, 4]);
});

test("[P7] a request is answered after a sleep, by its responder, once", async () => {
  const world = new World();
  const [asker, responder] = [await world.client(), await world.client()];
  responder.say(["serve", 7, ["sum"]]);
  const req = asker.request("sum", 1, 5_000, "q1");
  await world.sleep(asker, responder);
  expect(world.stats().openRequests).toBe(1);
  responder.say(["answer", 1], "3");
  await world.settle();
  expect(asker.answerTo(req)).toEqual(["ok", expect.arrayContaining(["sum", 3])]);
  await world.sleep(asker, responder);
  responder.say(["answer", 1], "4");
  await world.settle();
  expect(world.stats()).toMatchObject({ openRequests: 0, lateAnswers: 1 });
  // The responder serves on.
  const again = asker.request("sum", 2);
  await world.settle();
  expect(responder.named("ask").at(-1)![1]).toBe(2);
  responder.say(["answer", 2], "5");
  await world.settle();
  expect(asker.answerTo(again)![0]).toBe("ok");
});

test("[P7] a request times out after a sleep; an answer later than that does not meet another request", async () => {
  const world = new World();
  const [asker, responder] = [await world.client(), await world.client()];
  responder.say(["serve", 1, ["sum"]]);
  const first = asker.request("sum", 1, 5_000);
  await world.sleep(asker, responder);
  expect(world.around.wake).toBe(world.around.time + 5_000);
  await world.pass(5_000);
  expect(asker.codeOf(first)).toBe("ERR_TIMEOUT");
  await world.sleep(asker, responder);
  const second = asker.request("sum", 2, 5_000);
  await world.settle();
  responder.say(["answer", 1], '"late"');
  await world.settle();
  expect(asker.answerTo(second)).toBeUndefined();
});

test("[P7] who should have answered has gone while the router slept: the asker is told", async () => {
  const world = new World();
  const [asker, responder] = [await world.client(), await world.client()];
  responder.say(["serve", 1, ["sum"]]);
  const req = asker.request("sum", 1, 5_000);
  await world.sleep(asker);
  expect(asker.codeOf(req)).toBe("ERR_RESPONDER_LOST");
});

test("calls that waited for room are answered after a sleep", async () => {
  const world = new World({ limits: { windowSize: 2_000 } });
  const client = await world.client();
  client.publish(numbered(1, 100));
  await world.settle();
  client.ack();
  const reqs = range(1, 3).map(() => client.call("read", { limit: 100 }));
  await world.sleep(client);
  expect(reqs.map((req) => client.answerTo(req)?.[0])).toEqual(["ok", undefined, undefined]);
  for (const _ of reqs) {
    client.ack();
    await world.settle();
  }
  expect(reqs.map((req) => client.answerTo(req)?.[0])).toEqual(["ok", "ok", "ok"]);
});

test("a subscription that was being opened is there after a sleep", async () => {
  let asked = 0;
  const world = new World({ store: storeWith(new FakeSurroundings(), (log) => ({ seqBefore: (time) => (asked++ === 0 ? new Promise(() => {}) : log.seqBefore(time)) })) });
  const client = await world.client();
  client.subscribe(1, { topics: ["t"], from: { time: 1 } });
  await world.sleep(client);
  expect(client.named("on")).toHaveLength(1);
  client.publish(numbered(1, 2));
  await world.settle();
  expect(client.seqsOf(1)).toEqual([1, 2]);
});

test("[Limits] who had not said hello may still, and not later than after a wake", async () => {
  const world = new World();
  const silent = new RawClient(world.router);
  const late = new RawClient(world.router);
  await world.sleep(silent, late);
  late.hello();
  await world.settle();
  expect(late.welcome).toBeDefined();
  await world.pass(5_000);
  expect([silent.bye?.[1], late.closed]).toEqual(["ERR_HELLO_TIMEOUT", undefined]);
});

test("a session that was being let in is asked to come again", async () => {
  const world = new World({ policy: { authenticate: () => new Promise<never>(() => {}) } });
  const client = new RawClient(world.router);
  client.hello();
  await world.sleep(client);
  expect(client.bye).toEqual(["ConnectionError", "ERR_ASLEEP", expect.stringContaining("connect again"), 1, { retryAfter: 100 }]);
});

const some: Rights = { allows: (_, type) => type === "t", contains: (_, pattern) => pattern === "t", has: () => false };

test("who may not do everything goes on with what the policy says of it now; without a policy that can say, it comes again", async () => {
  const kept: unknown[] = [];
  let fails = false;
  const policy: Policy = {
    authenticate: () => ({ subject: "ann", rights: some }),
    restore(saved, namespace) {
      kept.push(saved, namespace);
      if (fails) throw new PermissionError("ERR_PERMISSION", "not allowed any more");
      return { ...saved, rights: some };
    },
  };
  const world = new World({ policy });
  const client = await world.client();
  client.subscribe(1, "t");
  await world.sleep(client);
  expect(kept).toEqual([{ subject: "ann" }, "default"]);
  client.subscribe(2, "other");
  client.publish(numbered(1, 1));
  await world.settle();
  expect([client.seqsOf(1), client.endsOf(2)[0]![1]]).toEqual([[1], "ERR_PERMISSION"]);
  fails = true;
  await world.sleep(client);
  expect([client.bye![1], client.closed!.code]).toEqual(["ERR_PERMISSION", 4403]);

  const forgetful = new World({ policy: { authenticate: policy.authenticate } });
  const other = await forgetful.client();
  await forgetful.sleep(other);
  expect(other.bye).toEqual(["ConnectionError", "ERR_ASLEEP", expect.any(String), 1, { retryAfter: 100 }]);
});

test("[P3] a client that comes back after a sleep ends what is left of its earlier session", async () => {
  const world = new World();
  const before = await world.client({ instance: "secret" });
  await world.sleep(before);
  const after = await world.client({ instance: "secret" });
  expect([before.bye![1], after.closed]).toEqual(["ERR_REPLACED", undefined]);
});

test("an idle router wants nothing: settled hellos and requests wake nobody", async () => {
  const world = new World();
  const [asker, responder] = [await world.client(), await world.client()];
  responder.say(["serve", 1, ["sum"]]);
  asker.request("sum", 1, 60_000);
  await world.settle();
  responder.say(["answer", 1], "1");
  await world.settle();
  expect(world.router.tick()).toBeNull();
  await world.sleep(asker, responder);
  expect(world.around.wake).toBeNull();
});

test("[P2] [I10] a group goes on: what a member has it has still, under the same token, and nothing comes again", async () => {
  const world = new World({ bookmarkDelay: 0 });
  const [publisher, a, b] = [await world.client(), await world.client(), await world.client()];
  for (const member of [a, b]) member.subscribe(1, { topics: ["t"], group: "g", maxInFlight: 2, ackTimeout: 10_000 });
  await world.sleep(publisher, a, b);
  publisher.publish(numbered(1, 6));
  await world.sleep(publisher, a, b);
  const jobs = (member: RawClient): [string, number, number][] => member.named("job").map(([, , token, attempt, event]) => [event[3], attempt, token]);
  expect([jobs(a), jobs(b)].map((own) => own.map(([id]) => id))).toEqual([["e1", "e3"], ["e2", "e4"]]);
  a.say(["done", 1, jobs(a)[0]![2]]);
  await world.sleep(publisher, a, b);
  b.say(["done", 1, jobs(b)[1]![2]]);
  await world.sleep(publisher, a, b);
  expect([jobs(a), jobs(b)].map((own) => own.map(([id, attempt]) => [id, attempt]))).toEqual([[["e1", 1], ["e3", 1], ["e5", 1]], [["e2", 1], ["e4", 1], ["e6", 1]]]);
  // Its time goes on while the host sleeps.
  await world.pass(9_000);
  await world.sleep(publisher, a, b);
  await world.pass(1_001);
  for (const member of [a, b]) for (const [, , token] of jobs(member)) member.say(["done", 1, token]);
  await world.settle();
  expect([...jobs(a), ...jobs(b)].filter(([, attempt]) => attempt > 1).length).toBe(4);
  const tokens = [...jobs(a), ...jobs(b)].map(([, , token]) => token);
  expect(new Set(tokens).size).toBe(tokens.length);
});

test("[P2] a durable name is still held, and taken over as before", async () => {
  const world = new World({ bookmarkDelay: 0 });
  const [publisher, a] = [await world.client(), await world.client()];
  a.subscribe(1, { topics: ["t"], durable: "d" });
  publisher.publish(numbered(1, 2));
  await world.settle();
  a.ack(1, 1);
  await world.sleep(publisher, a);
  a.ack(1, 2);
  await world.sleep(publisher, a);
  const b = await world.client();
  b.subscribe(1, { topics: ["t"], durable: "d" });
  publisher.publish(numbered(3, 3));
  await world.settle();
  expect([a.endsOf(1)[0]?.[1], b.idsOf(1)]).toEqual(["ERR_DURABLE_TAKEN", ["e3"]]);
});

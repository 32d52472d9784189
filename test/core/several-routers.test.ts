import { describe, expect, test } from "vitest";
import type { SubscribeSpec } from "../../src/core/frames.ts";
import { everything, type Principal } from "../../src/core/policy.ts";
import { Cluster, type Node } from "../support/cluster.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { numbered, range } from "../support/world.ts";

interface GivenJob { readonly sub: number; readonly token: number; readonly attempt: number; readonly seq: number }
const jobs = (client: RawClient): GivenJob[] => client.named("job").map(([, sub, token, attempt, event]) => ({ sub, token, attempt, seq: event[0] }));

async function member(cluster: Cluster, node: Node, spec: Partial<SubscribeSpec> = {}): Promise<RawClient> {
  const client = await cluster.client(node);
  client.subscribe(1, { topics: ["t"], group: "g", ...spec });
  await cluster.settle();
  return client;
}

/** Finishes what it has, until no more comes. Returns the seqs. */
async function work(cluster: Cluster, client: RawClient, done = new Set<number>()): Promise<number[]> {
  const seqs: number[] = [];
  for (let job; (job = jobs(client).find(({ token }) => !done.has(token))) !== undefined; ) {
    done.add(job.token);
    seqs.push(job.seq);
    client.ack();
    client.say(["done", job.sub, job.token]);
    await cluster.settle();
  }
  return seqs;
}

async function three(options = {}): Promise<{ cluster: Cluster; leader: Node; a: Node; b: Node }> {
  const cluster = await Cluster.of(3, options);
  const leader = (await cluster.leader())!;
  const [a, b] = cluster.nodes.filter((node) => node !== leader) as [Node, Node];
  return { cluster, leader, a, b };
}

describe("who leads", () => {
  test("[P2] one of them; another within 10 s of its death; at once when it takes leave", async () => {
    const { cluster, leader } = await three();
    expect(cluster.nodes.indexOf(leader)).toBe(0);
    await cluster.pass(60_000);
    expect(await cluster.leader()).toBe(leader);
    expect((await cluster.hub()).token).toBe(1);
    await cluster.kill(leader);
    await cluster.pass(6_000);
    const second = (await cluster.leader())!;
    expect(second).not.toBe(leader);
    expect((await cluster.hub()).token).toBe(2);
    await cluster.closeRouter(second);
    await cluster.pass(100);
    expect(await cluster.leader()).toBe(cluster.nodes.find(({ state }) => state === "runs"));
    expect((await cluster.hub()).token).toBe(3);
    expect(cluster.errors).toEqual([]);
  });

  test("[P2] one that stood still past its lease finds its writes refused, and follows", async () => {
    const { cluster, leader, a } = await three();
    const own = await member(cluster, leader);
    const publisher = await cluster.client(a);
    publisher.publish(numbered(1, 3));
    await cluster.settle();
    expect(jobs(own)).toMatchObject([{ seq: 1, attempt: 1 }]);
    cluster.stop(leader);
    await cluster.pass(8_000);
    expect(await cluster.leader()).not.toBe(leader);
    const other = await member(cluster, a);
    expect(await work(cluster, other)).toEqual([1, 2, 3]);
    await cluster.pass(1_000);
    const before = (await cluster.hub()).refused;
    // Its client's ack waited in its socket.
    own.say(["done", 1, jobs(own)[0]!.token]);
    await cluster.goOn(leader);
    await cluster.pass(2_000);
    expect(own.bye?.[1]).toBe("ERR_LEADER_LOST");
    expect(jobs(own)).toHaveLength(1);
    expect((await cluster.hub()).refused - before).toBeLessThanOrEqual(1);
    const again = await member(cluster, leader);
    publisher.publish(numbered(4, 5));
    await cluster.settle();
    expect([...jobs(again), ...jobs(other)].map(({ seq }) => seq)).toEqual(expect.arrayContaining([4, 5]));
    expect(cluster.errors).toEqual([]);
  });

  test("what a leader of before writes is refused, whatever it is", async () => {
    const hub = await new Cluster().hub();
    const [a, b] = [hub.join("a"), hub.join("b")];
    expect(await a.peers.claim(5_000)).toMatchObject({ leader: "a", token: 1 });
    await a.peers.release(1);
    expect(await b.peers.claim(5_000)).toMatchObject({ leader: "b", token: 2 });
    await expect(a.trim(1, 1)).rejects.toMatchObject({ code: "ERR_LEAD_LOST", retryable: true });
    await expect(a.writeBookmarks([["x", "y"]], 1)).rejects.toMatchObject({ code: "ERR_LEAD_LOST" });
    await b.writeBookmarks([["x", "z"]], 2);
    expect(await a.readBookmark("x")).toBe("z");
  });
});

describe("what the leader has, for clients of the others", () => {
  test("[P2] members of one group on three routers share the work, and each event is given once", async () => {
    const { cluster, leader, a, b } = await three();
    const members = [await member(cluster, leader), await member(cluster, a), await member(cluster, b)];
    expect(members.map((one) => one.named("on").length)).toEqual([1, 1, 1]);
    (await cluster.client(b)).publish(numbered(1, 30));
    await cluster.settle();
    const done = members.map(() => new Set<number>());
    const seqs: number[] = [];
    for (let turn = 0; turn < 60; turn++) {
      const i = turn % 3;
      const job = jobs(members[i]!).find(({ token }) => !done[i]!.has(token));
      if (job === undefined) continue;
      done[i]!.add(job.token);
      seqs.push(job.seq);
      members[i]!.ack();
      members[i]!.say(["done", job.sub, job.token]);
      await cluster.settle();
    }
    expect(seqs.sort((x, y) => x - y)).toEqual(range(1, 30));
    expect(members.every((one) => jobs(one).length > 3)).toBe(true);
    expect(cluster.errors).toEqual([]);
  });

  test("[P2] a durable subscription goes on at another router when the leader dies, from what was finished", async () => {
    const { cluster, leader, a, b } = await three();
    const reader = await cluster.client(a);
    reader.subscribe(7, { topics: ["t"], durable: "d", from: "start" });
    await cluster.settle();
    (await cluster.client(b)).publish(numbered(1, 10));
    await cluster.settle();
    expect(reader.seqsOf(7)).toEqual(range(1, 10));
    reader.ack(7, 6);
    await cluster.pass(1_000);
    await cluster.kill(leader);
    await cluster.pass(10_000);
    expect(reader.bye?.[1]).toBe("ERR_LEADER_LOST");
    const next = await cluster.client(b);
    next.subscribe(1, { topics: ["t"], durable: "d" });
    await cluster.settle();
    expect(next.seqsOf(1)).toEqual(range(7, 10));
  });

  test("[P2] a subscription that comes while nobody leads waits for who does", async () => {
    const { cluster, leader, a } = await three();
    await cluster.kill(leader);
    const early = await cluster.client(a);
    early.subscribe(1, { topics: ["t"], group: "g" });
    // Its link to the dead one breaks, or it still takes the dead one for the leader.
    await cluster.pass(4_500);
    const late = await cluster.client(a);
    late.subscribe(1, { topics: ["t"], group: "g" });
    await cluster.pass(4_000);
    expect([...late.named("on"), ...late.named("bye")]).toHaveLength(1);
    const again = await member(cluster, a);
    expect(again.named("on")).toHaveLength(1);
  });

  test("[P7] requests and answers cross routers; the requester of a responder that is gone is told", async () => {
    const { cluster, leader, a, b } = await three();
    const responder = await cluster.client(a);
    responder.say(["serve", 1, ["calc.*"]]);
    await cluster.settle();
    for (const node of [leader, a, b]) {
      const requester = await cluster.client(node);
      const req = requester.request("calc.add", { x: 1 });
      await cluster.settle();
      const ask = responder.named("ask").at(-1)!;
      responder.say(["answer", ask[1]], '{"sum":3}');
      await cluster.settle();
      expect(requester.answerTo(req)).toMatchObject(["ok", [0, expect.any(Number), 0, expect.any(String), "calc.add", { sum: 3 }, {}]]);
    }
    const requester = await cluster.client(b);
    const req = requester.request("calc.add", {});
    await cluster.settle();
    responder.session.disconnected();
    await cluster.settle();
    expect(requester.codeOf(req)).toBe("ERR_RESPONDER_LOST");
    const late = requester.request("calc.add", {});
    await cluster.settle();
    expect(requester.codeOf(late)).toBe("ERR_NO_RESPONDERS");
  });

  test("[P2] an event that is held back is published by the leader, wherever it came in, and can be called off from anywhere", async () => {
    const { cluster, a, b } = await three();
    const publisher = await cluster.client(a);
    const reader = await cluster.client(b);
    reader.subscribe(1, "t");
    await cluster.settle();
    const req = publisher.publish([line("later", "t"), line("never", "t")], { as: "later", in: 3_000 });
    await cluster.settle();
    expect(publisher.resultsOf(req)).toEqual([0, 0]);
    const call = publisher.call("cancel", { id: "never" });
    await cluster.settle();
    expect(publisher.answerTo(call)).toEqual(["ok", true]);
    await cluster.pass(2_500);
    expect(reader.idsOf(1)).toEqual([]);
    await cluster.pass(1_000);
    expect(reader.idsOf(1)).toEqual(["later"]);
  });

  test("[P6] a dead letter of a subscription of any router is tried again there", async () => {
    const { cluster, leader, a, b } = await three();
    const reader = await cluster.client(a, { name: "n" });
    reader.subscribe(4, "t");
    await cluster.settle();
    (await cluster.client(leader)).publish([line("x", "t")]);
    await cluster.settle();
    const seq = reader.seqsOf(4)[0]!;
    const dead = reader.call("dead", { sub: 4, seq, attempts: 3, error: { name: "E", message: "m" } });
    await cluster.settle();
    expect(reader.answerTo(dead)?.[0]).toBe("ok");
    const manager = await cluster.client(b);
    const listing = manager.call("dead.list");
    await cluster.settle();
    expect(manager.answerTo(listing)).toMatchObject(["ok", { total: 1 }]);
    const retry = manager.call("dead.retry", { all: true });
    await cluster.pass(200);
    expect(manager.answerTo(retry)).toMatchObject(["ok", { retrying: [expect.any(String)], failed: [] }]);
    expect(jobs(reader)).toMatchObject([{ sub: 4, attempt: 4, seq }]);
    reader.say(["done", 4, jobs(reader)[0]!.token]);
    await cluster.settle();
    const after = manager.call("dead.list");
    await cluster.settle();
    expect(manager.answerTo(after)).toMatchObject(["ok", { total: 0 }]);
    reader.say(["unsub", 4]);
    await cluster.settle();
    expect(reader.endsOf(4)).toEqual([undefined]);
    const none = manager.call("dead.retry", { ids: ["nobody"] });
    await cluster.pass(200);
    expect(manager.answerTo(none)).toMatchObject(["ok", { retrying: [], failed: [["nobody", expect.anything()]] }]);
  });
});

describe("what all hear", () => {
  test("events that are not stored reach subscribers of all routers, once", async () => {
    const { cluster, leader, a, b } = await three();
    const readers = [await cluster.client(leader), await cluster.client(a), await cluster.client(b)];
    for (const one of readers) one.subscribe(1, "t");
    await cluster.settle();
    (await cluster.client(a)).publish([line("e", "t"), line("f", "t")], { as: "ephemeral" });
    await cluster.settle();
    expect(readers.map((one) => one.idsOf(1))).toEqual([["e", "f"], ["e", "f"], ["e", "f"]]);
  });

  test("[P2] a purge holds for readers of all routers, who are told", async () => {
    const { cluster, a, b } = await three();
    (await cluster.client(a)).publish(numbered(1, 20));
    await cluster.settle();
    const manager = await cluster.client(b);
    const purge = manager.call("purge", { upTo: 15 });
    await cluster.settle();
    expect(manager.answerTo(purge)).toEqual(["ok", { events: 15, upTo: 15 }]);
    const late = await cluster.client(a);
    late.subscribe(1, { topics: ["t"], from: { seq: 1 } });
    await cluster.settle();
    expect(late.seqsOf(1)).toEqual(range(16, 20));
    expect(late.gapsOf(1)).toMatchObject([{ from: 1, to: 15, reason: "purged" }]);
  });

  test("figures and subscriptions are those of all routers", async () => {
    const { cluster, leader, a, b } = await three();
    await member(cluster, a);
    const plain = await cluster.client(b);
    plain.subscribe(9, "t");
    await cluster.settle();
    const manager = await cluster.client(leader);
    const asked = [manager.call("stats"), manager.call("subscriptions")];
    await cluster.pass(1_000);
    expect(manager.answerTo(asked[0]!)).toMatchObject(["ok", { connections: 3, activeSubscriptions: 2, routers: 3 }]);
    expect((manager.answerTo(asked[1]!)![1] as { topics: unknown; group?: string }[]).map(({ topics, group }) => [topics, group])).toEqual(expect.arrayContaining([[["t"], "g"], [["t"], undefined]]));
    const second = plain.call("stats");
    await cluster.pass(1_000);
    expect(plain.answerTo(second)).toMatchObject(["ok", { connections: 3, activeSubscriptions: 2, routers: 3 }]);
  });
});

describe("links between routers", () => {
  test("[P2] a message that is lost breaks the link: the client is told to connect again, and nothing is lost", async () => {
    const { cluster, leader, a } = await three();
    const reader = await cluster.client(a);
    reader.subscribe(7, { topics: ["t"], durable: "d", from: "start" });
    await cluster.settle();
    let lost = 0;
    cluster.loses = (from, to) => from === leader.name && to === a.name && lost++ === 0;
    (await cluster.client(a)).publish(numbered(1, 3));
    await cluster.settle();
    expect(reader.seqsOf(7)).toEqual([]);
    await cluster.pass(5_000);
    expect(reader.bye?.[1]).toBe("ERR_LEADER_LOST");
    const next = await cluster.client(a);
    next.subscribe(7, { topics: ["t"], durable: "d" });
    await cluster.settle();
    expect(next.seqsOf(7)).toEqual([1, 2, 3]);
  });

  test("[I15] what the leader has sent before it heard that a right was withdrawn does not leave the client's own router", async () => {
    let narrow = false;
    const rights = { all: { ...everything }, some: { ...everything, allows: (_action: string, type: string) => type !== "secret" } };
    const principal = (): Principal => ({ subject: "app", rights: narrow ? rights.some : rights.all });
    const { cluster, leader, a } = await three({ policy: { authenticate: principal, review: principal, restore: principal } });
    const reader = await cluster.client(a);
    reader.subscribe(7, { topics: ["*"], durable: "d", from: "start" });
    reader.subscribe(8, { topics: ["*"], group: "g", from: "start" });
    await cluster.settle();
    const publisher = await cluster.client(leader);
    cluster.stop(a);
    publisher.publish([line("e1", "open"), line("e2", "secret"), line("e3", "open")]);
    await cluster.settle();
    // The leader has given all of it; the client's own router hears of the right first.
    narrow = true;
    a.router.reauthorize();
    await cluster.goOn(a);
    // A job that was left out would be in hand for ever: the session ends, and its client resumes.
    expect(reader.bye?.slice(0, 2)).toEqual(["ConnectionError", "ERR_RIGHTS"]);
    expect(JSON.stringify(reader.frames)).not.toContain('"secret"');
    const next = await cluster.client(a);
    next.subscribe(7, { topics: ["*"], durable: "d" });
    next.subscribe(8, { topics: ["*"], group: "g", maxInFlight: 1 });
    await cluster.settle();
    for (let i = 0; i < 3; i++) {
      next.ackAll();
      for (const { token } of jobs(next).slice(i)) next.say(["done", 8, token]);
      await cluster.settle();
    }
    expect([next.idsOf(7), next.named("job").map(([, , , , event]) => event[3])]).toEqual([["e1", "e3"], ["e1", "e3"]]);
  });

  test("[P11] credit holds over a link: a reader that does not finish gets a window's worth", async () => {
    const { cluster, a, b } = await three({ limits: { windowEvents: 10 } });
    const reader = await cluster.client(a);
    reader.subscribe(7, { topics: ["t"], durable: "d", from: "start" });
    (await cluster.client(b)).publish(numbered(1, 50));
    await cluster.settle();
    expect(reader.seqsOf(7).length).toBeLessThanOrEqual(10);
    for (let i = 0; i < 20; i++) {
      reader.ackAll();
      await cluster.settle();
    }
    expect(reader.seqsOf(7)).toEqual(range(1, 50));
  });

  test("a link that nothing can be lost on needs no signs of life", async () => {
    const { cluster, a } = await three({ beat: 0 });
    const one = await member(cluster, a);
    await cluster.pass(60_000);
    expect(one.bye).toBeUndefined();
  });
});

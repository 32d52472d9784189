import { expect, test } from "vitest";
import { AuthenticationError } from "../../src/core/errors.ts";
import { defaultLimits } from "../../src/core/limits.ts";
import { everything, type Policy } from "../../src/core/policy.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { numbered, range } from "../support/world.ts";
import { SharedWorld } from "./shared.ts";

test("ten tabs: one connection, each with a session of its own", async () => {
  const world = new SharedWorld();
  const tabs = [];
  for (let i = 0; i < 10; i++) tabs.push(await world.greeted({ instance: `tab${i}` }));
  expect([world.links, world.stats().connections]).toEqual([1, 1]);
  for (const tab of tabs) expect(tab.welcome?.epoch).toBe((await world.log()).epoch);
});

test("[P2] an event comes to each tab that wants it, its text as it was published", async () => {
  const world = new SharedWorld();
  const [a, b, c] = [await world.greeted(), await world.greeted(), await world.greeted()];
  a.subscribe(1, "n.*");
  a.subscribe(2, "n.x");
  b.subscribe(1, "n.*");
  c.subscribe(1, "other");
  await world.settle();
  c.say(["pub", 1, 1], '["odd","n.x",{"a" : [ "]],[", "\\\\" ]},{"headers":{"k":"\\"]"}}]');
  await world.settle();
  const [event] = await (await world.log()).read(0, { events: 1, size: 1 });
  expect([a, b, c].map((tab) => tab.deliveries.map(({ subs }) => subs.toSorted()))).toEqual([[[1, 2]], [[1]], []]);
  for (const tab of [a, b]) expect(tab.messages.at(-1)!.text).toContain(event!.line);
  expect(c.resultsOf(1)).toEqual([1]);
});

test("[P3] events for subscriptions of several tabs are parted, in order", async () => {
  const world = new SharedWorld();
  const tabs = [await world.greeted(), await world.greeted(), await world.greeted()];
  tabs[0]!.subscribe(7, "a");
  tabs[0]!.subscribe(8, "**");
  tabs[1]!.subscribe(7, "b");
  tabs[2]!.subscribe(9, { topics: ["**"], from: "start" });
  await world.settle();
  const types = Array.from({ length: 60 }, (_, i) => "abc"[i % 3]!);
  tabs[1]!.publish(types.map((type, i) => line(`e${i}`, type, { text: "[],{}\\\"" })));
  await world.settle();
  expect(tabs[0]!.seqsOf(7)).toEqual(range(1, 60).filter((n) => n % 3 === 1));
  expect(tabs[1]!.seqsOf(7)).toEqual(range(1, 60).filter((n) => n % 3 === 2));
  expect([tabs[0]!.seqsOf(8), tabs[2]!.seqsOf(9)]).toEqual([range(1, 60), range(1, 60)]);
});

test("what tabs say in one turn leaves in one message, and what comes for a tab in one turn is sent at once", async () => {
  const world = new SharedWorld();
  const tabs = [await world.greeted(), await world.greeted()];
  world.sent.length = 0;
  for (const tab of tabs) for (let i = 0; i < 5; i++) tab.publish([line(`${tabs.indexOf(tab)}-${i}`, "n")]);
  await world.settle();
  expect(world.sent).toHaveLength(1);
  expect((await world.log()).head).toBe(10);
  const writes = tabs[0]!.writes;
  expect(writes).toBe(2);
  expect(range(1, 5).map((req) => tabs[1]!.resultsOf(req))).toEqual(range(6, 10).map((seq) => [seq]));
});

test("[P11] a tab that does not read holds up no other, and is served from the log when it goes on", async () => {
  const world = new SharedWorld();
  const [reader, frozen, publisher] = [await world.greeted(), await world.greeted(), await world.greeted()];
  reader.subscribe(1, "n");
  frozen.subscribe(1, "n");
  await world.settle();
  for (let i = 0; i < 10; i++) {
    publisher.publish(numbered(i * 100 + 1, i * 100 + 100, "n"));
    await world.settle();
    reader.ackAll();
    await world.settle();
  }
  expect(reader.seqsOf(1)).toEqual(range(1, 1_000));
  expect(frozen.seqsOf(1).length).toBeLessThanOrEqual(defaultLimits.windowEvents);
  while (frozen.seqsOf(1).length < 1_000) {
    frozen.ackAll();
    await world.settle();
  }
  expect(frozen.seqsOf(1)).toEqual(range(1, 1_000));
});

test("[P11] a tab that leaves too much unread is sent away, to come back where it was", async () => {
  const world = new SharedWorld({ limits: { windowSize: 10_000, payload: 1_000 } });
  const [frozen, publisher] = [await world.greeted(), await world.greeted()];
  for (let id = 1; id <= 20; id++) frozen.subscribe(id, { topics: ["n"], filter: { "payload.for": id } });
  await world.settle();
  for (let id = 1; id <= 20; id++) {
    publisher.publish(Array.from({ length: 10 }, (_, i) => line(`e${id}.${i}`, "n", { for: id, pad: "x".repeat(900) })));
    await world.settle();
  }
  expect(frozen.bye?.slice(0, 2)).toEqual(["ConnectionError", "ERR_SLOW"]);
  expect(frozen.bye?.[3]).toBe(1);
  expect(frozen.received).toBeLessThan(110_000);
  expect(world.stats().activeSubscriptions).toBe(0);
  expect(publisher.bye).toBeUndefined();
});

test("ephemeral events are for tabs that keep up", async () => {
  const world = new SharedWorld({ limits: { windowSize: 10_000, payload: 1_000 } });
  const [reader, frozen, publisher] = [await world.greeted(), await world.greeted(), await world.greeted()];
  for (const tab of [reader, frozen]) tab.subscribe(1, "n");
  await world.settle();
  for (let i = 0; i < 30; i++) {
    publisher.publish([line(`e${i}`, "n", "x".repeat(900))], { as: "ephemeral" });
    await world.settle();
    reader.ack();
    await world.settle();
  }
  expect([reader.eventsOf(1).length, frozen.eventsOf(1).length]).toEqual([30, 10]);
});

test("a tab that is gone leaves nothing behind", async () => {
  const world = new SharedWorld();
  const [gone, other] = [await world.greeted(), await world.greeted()];
  gone.subscribe(1, "n");
  gone.say(["serve", 2, ["ask"]]);
  await world.settle();
  const req = other.request("ask", 1);
  await world.settle();
  expect(gone.named("ask")).toHaveLength(1);
  gone.session.disconnected();
  await world.settle();
  expect(other.codeOf(req)).toBe("ERR_RESPONDER_LOST");
  expect([world.stats().activeSubscriptions, world.stats().openRequests, world.stats().connections]).toEqual([0, 0, 1]);
  const again = other.request("ask", 1);
  await world.settle();
  expect(other.codeOf(again)).toBe("ERR_NO_RESPONDERS");
});

test("[I11] a job that a tab's handler had in hand, of a subscription that it has taken back, goes to another when the tab is closed", async () => {
  const world = new SharedWorld();
  const [gone, other, publisher] = [await world.greeted(), await world.greeted(), await world.greeted()];
  const jobsOf = (tab: RawClient) => tab.named("job").map((job) => job[4][3]);
  gone.subscribe(1, { topics: ["job"], group: "g" });
  await world.settle();
  publisher.publish([line("a", "job")]);
  await world.settle();
  other.subscribe(1, { topics: ["job"], group: "g" });
  gone.say(["unsub", 1, gone.named("job")[0]![2]]);
  await world.settle();
  expect([jobsOf(gone), jobsOf(other)]).toEqual([["a"], []]);
  gone.session.disconnected();
  await world.settle();
  await world.pass(0);
  expect(jobsOf(other)).toEqual(["a"]);
});

test("[P7] requests are shared among the tabs that answer, each answered by who was asked", async () => {
  const world = new SharedWorld();
  const [one, two, asker] = [await world.greeted(), await world.greeted(), await world.greeted()];
  for (const tab of [one, two]) tab.say(["serve", 1, ["sum.*"]]);
  await world.settle();
  const reqs = range(1, 4).map((i) => asker.request("sum.up", i, 1_000, `r${i}`));
  await world.settle();
  expect([one, two].map((tab) => tab.named("ask").length)).toEqual([2, 2]);
  // The other's answer is for nobody.
  two.say(["answer", one.named("ask")[0]![1]], '"wrong"');
  for (const tab of [one, two]) for (const [, ask, , request] of tab.named("ask")) tab.say(["answer", ask], JSON.stringify({ of: request[5] }));
  await world.settle();
  expect(reqs.map((req) => (asker.answerTo(req)![1] as unknown[])[5])).toEqual(range(1, 4).map((of) => ({ of })));
});

test("[P1] without a connection tabs are sent away and come back, and hear when it is there", async () => {
  const world = new SharedWorld();
  const tab = await world.greeted({ instance: "me" });
  world.cut();
  expect(tab.bye?.[3]).toBe(1);
  const again = await world.greeted({ instance: "me" });
  expect([again.welcome, again.bye]).toEqual([undefined, undefined]);
  await world.mend();
  expect(again.welcome).toBeDefined();
  const req = again.publish(numbered(1, 2));
  await world.settle();
  expect(again.resultsOf(req)).toEqual([1, 2]);
  expect(world.links).toBe(1);
});

test("[P3] a client that comes back ends what is left of its earlier session", async () => {
  const world = new SharedWorld();
  const [old, other] = [await world.greeted({ instance: "me" }), await world.greeted({ instance: "other" })];
  const again = await world.greeted({ instance: "me" });
  expect([old.bye?.[1], other.bye, again.bye]).toEqual(["ERR_REPLACED", undefined, undefined]);
  old.publish(numbered(1, 1));
  await world.settle();
  expect((await world.log()).head).toBe(0);
});

test("a tab that does not speak the protocol ends alone", async () => {
  const world = new SharedWorld();
  const [good, bad, worse] = [await world.greeted(), await world.greeted(), await world.greeted()];
  bad.say('["nonsense",1]');
  worse.say('["pub",1,3]', '["a","n",1]');
  await world.settle();
  expect([bad, worse].map((tab) => [tab.bye?.[1], tab.closed?.reason])).toEqual([["ERR_FRAME", "ERR_FRAME"], ["ERR_FRAME", "ERR_FRAME"]]);
  const req = good.publish(numbered(1, 1));
  await world.settle();
  expect(good.resultsOf(req)).toEqual([1]);
});

const jwt = (claims: object): { type: "jwt"; token: string } => ({ type: "jwt", token: `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x` });
const seen: string[] = [];
/** Believes each token, and keeps which it was shown. */
const trusting: Policy = {
  authenticate(credential) {
    if (credential?.type !== "jwt") throw new AuthenticationError("ERR_CREDENTIAL", "a token is needed");
    seen.push(credential.token);
    return { subject: "someone", rights: everything };
  },
};

test("users do not share a connection; tokens of one user do, and the newest is shown", async () => {
  seen.length = 0;
  const world = new SharedWorld({ policy: trusting });
  const [old, newer] = [jwt({ sub: "alice", iat: 1, exp: 2 }), jwt({ sub: "alice", exp: 9, iat: 8 })];
  await world.greeted({ auth: old });
  await world.greeted({ auth: newer });
  await world.greeted({ auth: jwt({ sub: "bob", iat: 1 }) });
  await world.greeted({ auth: jwt({ sub: "alice", iat: 1, scope: "less" }) });
  expect(world.links).toBe(3);
  world.cut();
  const late = world.tab();
  late.hello({ auth: old });
  await world.mend();
  expect(seen.at(-1)).toBe(newer.token);
});

test("who is refused is told so, and others are not", async () => {
  const world = new SharedWorld({ policy: trusting });
  const [refused, good] = [await world.greeted(), await world.greeted({ auth: jwt({ sub: "alice" }) })];
  expect([refused.bye?.slice(0, 2), refused.bye?.[3]]).toEqual([["AuthenticationError", "ERR_CREDENTIAL"], 0]);
  expect(good.welcome).toBeDefined();
});

test("a newer token that a tab brings, or shows, is shown to the router at once; what it grants is told to all tabs", async () => {
  seen.length = 0;
  const world: SharedWorld = new SharedWorld({ policy: { async authenticate(...args) {
    return { ...await trusting.authenticate(...args), permissions: ["subscribe:**"], expiresAt: world.around.time + 60_000 };
  } } });
  const [first, second, third] = [1, 2, 3].map((iat) => jwt({ sub: "alice", iat }));
  const [old, newer] = [await world.greeted({ auth: first! }), await world.greeted({ auth: second! })];
  expect([seen, world.links]).toEqual([[first!.token, second!.token], 1]);
  expect(newer.welcome!.expiresIn).toBeLessThanOrEqual(60_000);
  old.say(["auth", 7, third!]);
  await world.settle();
  expect(seen.at(-1)).toBe(third!.token);
  expect(old.answerTo(7)).toEqual(["ok", null]);
  for (const tab of [old, newer]) expect(tab.named("rights").length).toBeGreaterThan(0);
  const again = await world.greeted({ auth: first! });
  expect([again.welcome?.subject, seen.length]).toEqual(["someone", 3]);
});

import { expect, test } from "vitest";
import { line, type RawClient } from "../support/raw-client.ts";
import { testPolicy, type Grant } from "../support/test-policy.ts";
import { numbered, World } from "../support/world.ts";

async function scene(more: Record<string, Grant> = {}) {
  const grants: Record<string, Grant> = {
    root: { subject: "root", may: { publish: ["**"], subscribe: ["**"], request: ["**"], respond: ["**"] }, duties: ["manage"] },
    shop: { subject: "shop", may: { publish: ["order.*"], subscribe: ["order.**", "news"] } },
    ...more,
  };
  const world = new World({ policy: testPolicy(grants) });
  const as = (key: string, hello: Parameters<RawClient["hello"]>[0] = {}) => world.client({ ...hello, auth: { type: "api_key", key } });
  return { world, grants, as, root: await as("root"), shop: await as("shop") };
}

test("no credential or a wrong one: refused, with its own close code", async () => {
  const { world, as } = await scene();
  for (const client of [await world.client(), await as("wrong"), await as("__proto__")]) {
    expect(client.frames).toEqual([["bye", ["AuthenticationError", "ERR_CREDENTIAL", expect.any(String), 0]]]);
    expect(client.closed?.code).toBe(4401);
  }
});

test("a name that belongs to the credential cannot be changed; leaving it out is right", async () => {
  const { as } = await scene({ till: { subject: "s", name: "till-1", may: {} } });
  expect((await as("till")).welcome).toMatchObject({ name: "till-1", subject: "s" });
  expect((await as("till", { name: "till-1" })).welcome?.name).toBe("till-1");
  const liar = await as("till", { name: "till-2" });
  expect([liar.bye?.[1], liar.closed?.code]).toEqual(["ERR_NAME_FIXED", 4403]);
});

test("publishing: each event by its type; a transaction falls whole", async () => {
  const { world, shop } = await scene();
  const each = shop.publish([line("a", "order.placed"), line("b", "user.created"), line("c", "order.item.added")]);
  const all = shop.publish([line("d", "order.placed"), line("e", "user.created")], { as: "all" });
  const ephemeral = shop.publish([line("f", "user.created")], { as: "ephemeral" });
  await world.settle();
  expect(shop.resultsOf(each)).toEqual([1, "ERR_PERMISSION", "ERR_PERMISSION"]);
  expect(shop.resultsOf(all)).toBe("ERR_PERMISSION");
  expect(shop.resultsOf(ephemeral)).toEqual(["ERR_PERMISSION"]);
  expect((await world.log()).head).toBe(1);
});

test("the publisher is who the router says, not who the event says", async () => {
  const { world, root, shop } = await scene();
  root.subscribe(1, "**");
  await world.settle();
  const forged = shop.publish([line("a", "order.placed", 1, { publisher: { subject: "root" } }), line("b", "order.placed", 1, { source: "root" })]);
  await world.settle();
  expect(shop.resultsOf(forged)).toEqual(["ERR_META", 1]);
  expect(root.eventsOf(1).map((event) => event[2])).toEqual(["shop"]);
});

test("[P4] another publisher's id is another event", async () => {
  const { world, root, shop } = await scene();
  const first = root.publish([line("a", "order.placed", 1)]);
  const other = shop.publish([line("a", "order.placed", 2)]);
  await world.settle();
  expect([root.resultsOf(first), shop.resultsOf(other)]).toEqual([[1], [2]]);
});

test.each<[string, string[], string | undefined]>([
  ["what is allowed", ["order.*"], undefined],
  ["all that is allowed", ["order.**", "news"], undefined],
  ["one type of it", ["order.item.added"], undefined],
  ["a pattern that reaches beyond", ["**"], "ERR_PERMISSION"],
  ["a pattern that reaches beyond beside one that does not", ["order.*", "user.*"], "ERR_PERMISSION"],
  ["a wildcard in the wrong place", ["*.placed"], "ERR_PERMISSION"],
])("subscribing to %s", async (_, topics, code) => {
  const { world, shop } = await scene();
  shop.subscribe(1, { topics });
  await world.settle();
  expect(shop.endsOf(1).map((error) => error?.[1])).toEqual(code === undefined ? [] : [code]);
  expect(shop.named("on")).toHaveLength(code === undefined ? 1 : 0);
});

test("[I15] a right that is revoked in mid-subscription counts from the next event on: live, from the log, and in reads", async () => {
  const { world, grants, root, shop, as } = await scene();
  shop.subscribe(1, "order.**");
  root.subscribe(1, "**");
  await world.settle();
  root.publish([line("a", "order.placed"), line("b", "order.paid")]);
  await world.settle();
  grants.shop!.may = { subscribe: ["order.paid"] };
  root.publish([line("c", "order.placed"), line("d", "order.paid")]);
  await world.settle();
  expect(shop.idsOf(1)).toEqual(["a", "b", "d"]);
  expect(root.idsOf(1)).toEqual(["a", "b", "c", "d"]);
  // What is waiting for credit is asked about when it leaves.
  const late = await as("shop");
  late.subscribe(2, { topics: ["order.paid"], from: "start" });
  const read = late.call("read");
  await world.settle();
  expect(late.idsOf(2)).toEqual(["b", "d"]);
  expect((late.answerTo(read)![1] as { events: unknown[][] }).events.map((event) => event[3])).toEqual(["b", "d"]);
  grants.shop!.may = {};
  root.publish([line("e", "order.paid")]);
  root.publish([line("f", "order.paid")], { as: "ephemeral" });
  late.subscribe(3, { topics: ["order.paid"], from: "start" });
  await world.settle();
  expect([shop.idsOf(1), late.idsOf(2), late.endsOf(3).map((error) => error?.[1])]).toEqual([["a", "b", "d"], ["b", "d"], ["ERR_PERMISSION"]]);
});

test("[I15] what was still behind when the right went is not delivered", async () => {
  const grants: Record<string, Grant> = { root: { subject: "root", may: { publish: ["**"] } }, shop: { subject: "shop", may: { subscribe: ["t"] } } };
  const world = new World({ policy: testPolicy(grants), limits: { windowEvents: 2 }, tail: { events: 1, size: 1 } });
  const publisher = await world.client({ auth: { type: "api_key", key: "root" } });
  const reader = await world.client({ auth: { type: "api_key", key: "shop" } });
  reader.subscribe(1, "t");
  publisher.publish(numbered(1, 10));
  await world.settle();
  expect(reader.seqsOf(1)).toEqual([1, 2]);
  grants.shop!.may = {};
  reader.ackAll();
  await world.settle();
  expect(reader.seqsOf(1)).toEqual([1, 2]);
  grants.shop!.may = { subscribe: ["t"] };
  publisher.publish(numbered(11, 12));
  await world.settle();
  expect(reader.seqsOf(1)).toEqual([1, 2, 11, 12]);
});

test("[I15] rights are each session's own, also where others ask for the very same", async () => {
  const { world, grants, root, shop, as } = await scene();
  const first = await as("shop");
  const sessions = [first, root, shop, await as("root")];
  for (const client of sessions) {
    client.subscribe(1, { topics: ["order.**"] });
    await world.settle();
  }
  const publisher = await as("root");
  publisher.publish([line("a", "order.placed")]);
  await world.settle();
  expect(first.messages.at(-1)).toBe(shop.messages.at(-1));
  grants.shop!.may = { subscribe: ["order.paid"] };
  publisher.publish([line("b", "order.placed"), line("c", "order.paid")]);
  await world.settle();
  expect(sessions.map((client) => client.idsOf(1))).toEqual([["a", "c"], ["a", "b", "c"], ["a", "c"], ["a", "b", "c"]]);
});

test("requests and responders need their rights", async () => {
  const { world, root, shop } = await scene();
  root.say(["serve", 1, ["order.*"]]);
  shop.say(["serve", 1, ["order.*"]]);
  const req = shop.request("order.price", 1);
  await world.settle();
  expect(shop.endsOf(1).map((error) => error?.[1])).toEqual(["ERR_PERMISSION"]);
  expect(shop.codeOf(req)).toBe("ERR_PERMISSION");
  expect(root.named("ask")).toEqual([]);
});

test("management needs its duty; reading does not, it needs the right to each event", async () => {
  const { world, root, shop } = await scene();
  const refused = ["stats", "health", "subscriptions"].map((method) => shop.call(method));
  const allowed = ["stats", "health", "subscriptions"].map((method) => root.call(method));
  root.publish([line("a", "order.placed"), line("b", "user.created")]);
  await world.settle();
  const read = shop.call("read");
  await world.settle();
  for (const req of refused) expect(shop.codeOf(req)).toBe("ERR_PERMISSION");
  for (const req of allowed) expect(root.answerTo(req)?.[0]).toBe("ok");
  expect((shop.answerTo(read)![1] as { events: unknown[][] }).events.map((event) => event[3])).toEqual(["a"]);
});

test("[I16] nothing crosses namespaces: events, ids, requests, reads, figures", async () => {
  const { world, as } = await scene({ tenant: { subject: "t", namespaces: ["a"], may: { publish: ["**"], subscribe: ["**"], request: ["**"], respond: ["**"] }, duties: ["manage"] } });
  const a = await as("root", { namespace: "a" });
  const b = await as("root", { namespace: "b" });
  for (const client of [a, b]) client.subscribe(1, "**");
  b.say(["serve", 2, ["**"]]);
  await world.settle();
  const [inA, inB] = [a.publish([line("x", "t", "only in a")]), b.publish([line("x", "t", "only in b")])];
  const request = a.request("t", 1);
  a.publish([line("y", "t", "ephemeral in a")], { as: "ephemeral" });
  await world.settle();
  const [read, stats, subs] = [b.call("read"), b.call("stats"), b.call("subscriptions")];
  await world.settle();
  expect([a.resultsOf(inA), b.resultsOf(inB)]).toEqual([[1], [1]]);
  expect(a.codeOf(request)).toBe("ERR_NO_RESPONDERS");
  expect(a.eventsOf(1).map((event) => event[5])).toEqual(["only in a", "ephemeral in a"].reverse());
  expect(b.eventsOf(1).map((event) => event[5])).toEqual(["only in b"]);
  expect(JSON.stringify([b.answerTo(read), b.answerTo(subs)])).not.toContain("in a");
  expect(b.answerTo(stats)?.[1]).toMatchObject({ totalEvents: 1, eventsPublished: 1, connections: 1, activeSubscriptions: 1 });
  expect(b.answerTo(subs)).toEqual(["ok", [expect.anything()]]);
  const outside = await as("tenant", { namespace: "b" });
  expect([outside.bye?.[1], outside.closed?.code]).toEqual(["ERR_NAMESPACE", 4403]);
  expect((await as("tenant", { namespace: "a" })).welcome?.namespace).toBe("a");
});

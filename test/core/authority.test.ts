import { expect, test } from "vitest";
import { AuthenticationError } from "../../src/core/errors.ts";
import { containsPattern, matchesPattern } from "../../src/core/pattern.ts";
import type { Policy, Principal, Rights } from "../../src/core/policy.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { World } from "../support/world.ts";

/** Rights to read and answer these patterns, and to publish and ask everything. */
function reading(...patterns: string[]): Rights {
  return {
    allows: (action, type) => action === "publish" || action === "request" || patterns.some((pattern) => matchesPattern(pattern, type)),
    contains: (_action, inner) => patterns.some((pattern) => containsPattern(pattern, inner)),
    has: () => false,
  };
}

/** A policy whose subjects the test changes; a key is a subject and, behind a colon, a minute at which it runs out. */
class Changing implements Policy {
  readonly rights = new Map<string, Rights | undefined>();
  readonly start: number;
  #listener: ((subject?: string) => void) | undefined;

  constructor(start: number) {
    this.start = start;
  }

  authenticate(credential: unknown): Principal {
    const [subject, minute] = String((credential as { key?: unknown } | undefined)?.key).split(":") as [string, string?];
    return { ...this.review({ subject, rights: reading() }), ...(minute !== undefined && { expiresAt: this.start + Number(minute) * 60_000 }) };
  }

  review(principal: Principal): Principal {
    const rights = this.rights.get(principal.subject!);
    if (rights === undefined) throw new AuthenticationError("ERR_REVOKED", "this credential was withdrawn; ask for a new one");
    return { ...principal, rights, permissions: [principal.subject!] };
  }

  watch(listener: (subject?: string) => void): () => void {
    this.#listener = listener;
    return () => { this.#listener = undefined; };
  }

  change(subject: string, rights: Rights | undefined): void {
    this.rights.set(subject, rights);
    this.#listener?.(subject);
  }

  get watched(): boolean { return this.#listener !== undefined; }
}

async function scene() {
  const policy = new Changing(Date.UTC(2026, 0, 1));
  policy.rights.set("root", reading("**")).set("shop", reading("order.**", "news"));
  const world = new World({ policy });
  const as = (key: string, hello: Parameters<RawClient["hello"]>[0] = {}) => world.client({ ...hello, auth: { type: "api_key", key } });
  return { policy, world, as };
}

const renew = (req: number, key: string) => ["auth", req, { type: "api_key", key }] as const;

test("a welcome tells what the client may do and for how long", async () => {
  const { as } = await scene();
  expect((await as("shop:10")).welcome).toMatchObject({ subject: "shop", permissions: ["shop"], expiresIn: 600_000 });
  expect((await as("shop")).welcome).not.toHaveProperty("expiresIn");
});

test("[I15] a session that shows no newer credential is ended within 5 s after the old one has run out, and told that coming back is worth it", async () => {
  const { world, as } = await scene();
  const [short, long, unlimited] = [await as("shop:10"), await as("shop:20"), await as("root")];
  await world.pass(10 * 60_000 - 1);
  expect(short.closed).toBeUndefined();
  expect(world.around.wake).toBeLessThanOrEqual(world.around.time + 5_000);
  await world.pass(5_000);
  expect(short.bye).toEqual(["AuthenticationError", "ERR_EXPIRED", expect.any(String), 1, { retryAfter: 0 }]);
  expect(short.closed?.code).toBe(4401);
  await world.pass(10 * 60_000);
  expect([long.closed?.code, unlimited.closed]).toEqual([4401, undefined]);
  // The old one is refused for good: a client with nothing newer does not try for ever.
  expect((await as("shop:10")).bye).toEqual(["AuthenticationError", "ERR_EXPIRED", expect.any(String), 0]);
});

test("a newer credential in the same session: no subscription is lost, and it lives as long as the new one", async () => {
  const { world, as } = await scene();
  const [shop, root] = [await as("shop:10"), await as("root")];
  shop.subscribe(1, "order.*");
  await world.settle();
  shop.say(renew(7, "shop:60"));
  await world.settle();
  expect(shop.named("rights").at(-1)).toEqual(["rights", { permissions: ["shop"], expiresIn: 3_600_000 }]);
  expect(shop.answerTo(7)).toEqual(["ok", null]);
  await world.pass(30 * 60_000);
  root.publish([line("a", "order.placed")]);
  await world.settle();
  expect([shop.idsOf(1), shop.endsOf(1), shop.closed]).toEqual([["a"], [], undefined]);
  await world.pass(31 * 60_000);
  expect(shop.bye?.[1]).toBe("ERR_EXPIRED");
});

test.each<[what: string, key: string, code: string]>([
  ["of another subject", "root", "ERR_SUBJECT"],
  ["that is not known", "nobody", "ERR_REVOKED"],
  ["that has run out", "shop:0", "ERR_EXPIRED"],
])("a credential %s changes nothing: the session goes on with what it had", async (_, key, code) => {
  const { world, as } = await scene();
  const shop = await as("shop:10");
  shop.subscribe(1, "order.*");
  shop.say(renew(7, key));
  await world.settle();
  expect(shop.codeOf(7)).toBe(code);
  (await as("root")).publish([line("a", "order.placed")]);
  await world.settle();
  expect([shop.idsOf(1), shop.named("rights")]).toEqual([["a"], []]);
});

test("[I15] a right that is withdrawn holds at once: what reaches too far ends with a gap, what does not goes on", async () => {
  const { policy, world, as } = await scene();
  const [shop, root] = [await as("shop"), await as("root")];
  shop.subscribe(1, "order.*");
  shop.subscribe(2, { topics: ["news"] });
  shop.subscribe(3, { topics: ["order.item.*", "news"] });
  shop.say(["serve", 4, ["order.*"]], ["serve", 5, ["news"]]);
  await world.settle();
  root.publish([line("a", "order.placed"), line("b", "news")]);
  await world.settle();
  policy.change("shop", reading("news"));
  root.publish([line("c", "order.placed"), line("d", "news")]);
  const request = root.request("order.price", 1);
  await world.settle();
  const { epoch } = shop.welcome!;
  expect([shop.idsOf(1), shop.idsOf(2), shop.idsOf(3)]).toEqual([["a"], ["b", "d"], ["b"]]);
  expect([shop.gapsOf(1), shop.gapsOf(2), shop.gapsOf(3)]).toEqual([[{ from: 3, to: null, epoch, reason: "revoked" }], [], [{ from: 3, to: null, epoch, reason: "revoked" }]]);
  expect([1, 2, 3, 4, 5].map((id) => shop.endsOf(id).map((error) => [error?.[1], error?.[4]?.permission]))).toEqual([
    [["ERR_PERMISSION", "subscribe:order.*"]], [], [["ERR_PERMISSION", "subscribe:order.item.*"]], [["ERR_PERMISSION", "respond:order.*"]], [],
  ]);
  expect(root.codeOf(request)).toBe("ERR_NO_RESPONDERS");
  expect(world.stats().activeSubscriptions).toBe(1);
});

test("[I15] [I11] a member that may read only a part of what its group asks for leaves it: nothing more comes, and what it has in hand goes to the next", async () => {
  const { policy, world, as } = await scene();
  const [shop, root] = [await as("shop"), await as("root")];
  const jobsOf = (sub: number) => shop.named("job").filter((job) => job[1] === sub).map((job) => job[4][3]);
  const spec = { topics: ["order.*"], group: "g", maxInFlight: 9 };
  shop.subscribe(1, spec);
  await world.settle();
  root.publish([line("a", "order.placed")]);
  await world.settle();
  policy.change("shop", reading("order.placed"));
  root.publish([line("b", "order.placed")]);
  await world.settle();
  expect([shop.endsOf(1).map((error) => error?.[1]), jobsOf(1)]).toEqual([["ERR_PERMISSION"], ["a"]]);
  policy.change("shop", reading("order.*"));
  shop.subscribe(2, spec);
  await world.settle();
  expect([jobsOf(1), jobsOf(2)]).toEqual([["a"], ["a", "b"]]);
});

test("[I15] a responder that may answer only a part of what it offered is asked nothing more, as it was told that it has ended", async () => {
  const { policy, world, as } = await scene();
  const [shop, root] = [await as("shop"), await as("root")];
  shop.say(["serve", 4, ["order.*"]]);
  await world.settle();
  policy.change("shop", reading("order.price"));
  const request = root.request("order.price", 1);
  await world.settle();
  expect([shop.endsOf(4).map((error) => error?.[1]), shop.named("ask"), root.codeOf(request)]).toEqual([["ERR_PERMISSION"], [], "ERR_NO_RESPONDERS"]);
});

test("[I15] a subject that is withdrawn is thrown out of all its sessions at once, and others are not", async () => {
  const { policy, world, as } = await scene();
  const sessions = [await as("shop"), await as("shop"), await as("root")];
  policy.change("shop", undefined);
  expect(sessions.map(({ closed }) => closed?.code)).toEqual([4401, 4401, undefined]);
  expect((await as("shop")).bye?.[1]).toBe("ERR_REVOKED");
  policy.rights.set("root", undefined);
  world.router.reauthorize();
  expect(sessions[2]!.bye).toEqual(["AuthenticationError", "ERR_REVOKED", expect.any(String), 0]);
  await world.router.close();
  expect(policy.watched).toBe(false);
});

test("[I15] what is withdrawn while a session or a subscription is being opened counts", async () => {
  const { policy, world } = await scene();
  const late = world.client({ namespace: "never-opened", auth: { type: "api_key", key: "shop" } });
  policy.change("shop", undefined);
  expect((await late).bye?.[1]).toBe("ERR_REVOKED");
  policy.change("shop", reading("order.*"));
  const shop = await world.client({ auth: { type: "api_key", key: "shop" } });
  shop.subscribe(1, { topics: ["order.*"], from: { time: 1 } });
  policy.change("shop", reading("news"));
  await world.settle();
  expect([shop.endsOf(1).map((error) => error?.[1]), shop.named("on"), world.stats().activeSubscriptions]).toEqual([["ERR_PERMISSION"], [], 0]);
});

test("[I15] an answer does not reach who may not ask any more, nor a request who may not answer", async () => {
  const { policy, world, as } = await scene();
  const [shop, root] = [await as("shop"), await as("root")];
  root.say(["serve", 1, ["**"]]);
  await world.settle();
  const request = shop.request("order.price", 1);
  await world.settle();
  policy.change("shop", { ...reading("order.*"), allows: (action) => action === "subscribe" });
  root.say(["answer", root.named("ask")[0]![1]], "42");
  await world.settle();
  expect(shop.codeOf(request)).toBe("ERR_PERMISSION");
  expect(JSON.stringify(shop.frames)).not.toContain("42");
});

test("the router's own names are read one by one, and only by who manages it", async () => {
  const { policy, world, as } = await scene();
  policy.rights.set("manager", { ...reading("**"), has: (duty) => duty === "manage" });
  const [root, manager] = [await as("root"), await as("manager")];
  for (const client of [root, manager]) {
    client.subscribe(1, "$dead.letters");
    client.subscribe(2, "**");
    client.subscribe(3, "$dead.*");
    client.say(["serve", 4, ["$dead.letters"]]);
  }
  const forged = manager.publish([line("a", "$dead.letters")]);
  await world.settle();
  const codes = (client: RawClient) => [1, 2, 3, 4].map((id) => client.endsOf(id).map((error) => error?.[1])[0]);
  expect(codes(root)).toEqual(["ERR_PERMISSION", undefined, "ERR_PATTERN", "ERR_PERMISSION"]);
  expect(codes(manager)).toEqual([undefined, undefined, "ERR_PATTERN", "ERR_PERMISSION"]);
  expect(manager.resultsOf(forged)).toEqual(["ERR_TYPE"]);
});

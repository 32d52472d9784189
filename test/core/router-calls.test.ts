import fc from "fast-check";
import { expect, test } from "vitest";
import { line } from "../support/raw-client.ts";
import { numbered, range, storeWith, World } from "../support/world.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";

interface Page { readonly epoch: string; readonly events: readonly (readonly unknown[])[]; readonly next: number | null }

async function filled(count: number, options = {}) {
  const world = new World(options);
  const client = await world.client({ name: "c" });
  for (let n = 1; n <= count; n += 500) client.publish(range(n, Math.min(n + 499, count)).map((i) => line(`e${i}`, i % 2 === 0 ? "even" : "odd", i)));
  await world.settle();
  client.ackAll();
  const read = async (params: Record<string, unknown>): Promise<Page> => {
    const req = client.call("read", params);
    await world.settle();
    client.ackAll();
    return client.answerTo(req)![1] as Page;
  };
  return { world, client, read };
}

test("paging to the end visits each event once, whatever the page, filter and trims between", async () => {
  const { world, read } = await filled(1_300);
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 700 }), fc.constantFrom(undefined, ["even"], ["odd", "**"]), fc.constantFrom(undefined, { "payload": { $gt: 900 } }), async (limit, topics, filter) => {
    const seen: unknown[] = [];
    let after: number | null = 0;
    let pages = 0;
    while (after !== null) {
      const page: Page = await read({ after, limit, ...(topics && { topics }), ...(filter && { filter }) });
      expect(page.events.length).toBeLessThanOrEqual(limit);
      if (page.next !== null) expect(page.next).toBeGreaterThan(after);
      seen.push(...page.events.map(([seq]) => seq));
      after = page.next;
      expect(++pages).toBeLessThan(1_400);
    }
    expect(seen).toEqual(range(1, 1_300).filter((n) => (topics?.[0] !== "even" || n % 2 === 0) && (filter === undefined || n > 900)));
  }), { numRuns: 12 });
  await (await world.log()).trim(1_000);
  const page = await read({ after: 10, limit: 1_000 });
  expect([page.events[0]?.[0], page.events.length, page.next]).toEqual([1_001, 300, null]);
});

test("a page ends when its events are large, or when much was looked at", async () => {
  const world = new World();
  const client = await world.client();
  for (const n of range(1, 5)) {
    client.publish([line(`e${n}`, "t", "x".repeat(250_000))]);
    await world.settle();
  }
  let after: number | null = 0;
  const pages: number[] = [];
  while (after !== null) {
    const req = client.call("read", { after });
    await world.settle();
    client.ackAll();
    const page: Page = client.answerTo(req)![1] as Page;
    pages.push(page.events.length);
    after = page.next;
  }
  expect(pages).toEqual([3, 2]);
});

test("from and to are times; to is inclusive", async () => {
  const world = new World();
  const client = await world.client();
  const start = world.around.time;
  for (const n of range(1, 5)) {
    world.around.time = start + n * 100;
    client.publish([line(`e${n}`, "t")]);
    await world.settle();
  }
  const req = client.call("read", { from: start + 200, to: start + 400 });
  await world.settle();
  expect((client.answerTo(req)![1] as Page).events.map(([seq]) => seq)).toEqual([2, 3, 4]);
  expect((client.answerTo(req)![1] as Page).next).toBeNull();
});

test.each<[string, unknown, string]>([
  ["an unknown method", ["nonsense"], "ERR_METHOD"], ["a method of the prototype", ["constructor"], "ERR_METHOD"], ["no method", [], "ERR_METHOD"], ["a method that is none", [{ a: 1 }], "ERR_METHOD"],
  ["parameters that are none", ["read", []], "ERR_FRAME"], ["a limit that is none", ["read", { limit: -1 }], "ERR_PARAMETER"], ["a fraction", ["read", { after: 0.5 }], "ERR_PARAMETER"],
  ["a bad pattern", ["read", { topics: ["a..b"] }], "ERR_PATTERN"], ["no pattern", ["read", { topics: [] }], "ERR_PATTERN"], ["a bad filter", ["read", { filter: { a: { $x: 1 } } }], "ERR_FILTER"], ["a filter that is none", ["read", { filter: 5 }], "ERR_FILTER"],
])("%s is refused, and the session goes on", async (_, args, code) => {
  const world = new World();
  const client = await world.client();
  client.session.receive(JSON.stringify(["call", 1, ...(args as unknown[])]));
  const good = client.call("health");
  await world.settle();
  expect(client.codeOf(1) ?? client.codeOf(good)).toBe(code);
  expect(client.closed).toBeUndefined();
  expect(client.named("ok")).toHaveLength(1);
});

test("[I12] the figures agree with the log and with what was delivered", async () => {
  const world = new World({ limits: { windowEvents: 4 } });
  const [publisher, fast, slow] = [await world.client(), await world.client(), await world.client()];
  fast.subscribe(1, "**");
  fast.subscribe(2, "t");
  slow.subscribe(1, "t");
  await world.settle();
  for (const n of range(1, 10)) {
    publisher.publish([line(`e${n}`, "t"), line("bad id", "t")]);
    await world.settle();
    fast.ackAll();
    await world.settle();
  }
  publisher.publish(numbered(1, 3)); // repeats are neither published nor refused
  await world.settle();
  world.around.time += 5_000;
  const log = await world.log();
  const stats = world.stats();
  expect(stats).toMatchObject({
    epoch: log.epoch, head: log.head, first: log.first, totalEvents: log.extent.events, totalSize: log.extent.size,
    eventsPublished: 10, eventsRefused: 10, errorRate: 0.5, activeSubscriptions: 3, connections: 3, openRequests: 0, lateAnswers: 0, eventsPerSecond: 1,
  });
  expect(stats.eventsDelivered).toBe(fast.deliveries.length + slow.deliveries.length);
  expect(slow.seqsOf(1)).toEqual([1, 2, 3, 4]);
  expect(stats.queueDepth).toBe(6);
  await log.trim(7);
  expect(world.stats()).toMatchObject({ first: 8, totalEvents: 3, totalSize: log.extent.size });
  const req = publisher.call("stats");
  await world.settle();
  expect(publisher.answerTo(req)).toEqual(["ok", { ...world.stats(), uptime: 5_000 }]);
});

test("subscriptions are listed with whose they are and how far behind", async () => {
  const { world, client } = await filled(10, { limits: { windowEvents: 3 } });
  client.subscribe(7, { topics: ["**"], from: "start" });
  await world.settle();
  const req = client.call("subscriptions");
  await world.settle();
  expect(client.answerTo(req)).toEqual(["ok", [{ id: `${client.welcome!.session}:7`, topics: ["**"], clientId: client.welcome!.session, name: "c", lag: 7, inFlight: 3 }]]);
});

test("health: a store that cannot write is told to whoever runs the router, not to its publisher alone", async () => {
  const world = new World({ store: storeWith(new FakeSurroundings(), () => ({ append: () => Promise.reject(new Error("disk full")) })) });
  const client = await world.client();
  client.publish(numbered(1, 1));
  await world.settle();
  expect(world.router.health()).toMatchObject({ healthy: false, checks: { persistence: "failing" }, issues: [expect.stringContaining("could not write")] });
  expect(world.errors).toMatchObject([{ code: "ERR_STORE", cause: { message: "disk full" } }]);
});

test("health: well, then a failure, then well again a minute later", async () => {
  const around = new FakeSurroundings();
  let fails = false;
  const world = new World({ tail: { events: 1, size: 1 }, store: storeWith(around, (log) => ({ read: (after, limit) => fails ? Promise.reject(new Error("I/O")) : log.read(after, limit) })) });
  const client = await world.client();
  client.publish(numbered(1, 3));
  await world.settle();
  expect(world.router.health()).toEqual({ healthy: true, checks: { transport: "ok", persistence: "ok", queue: "ok" }, issues: [] });
  fails = true;
  client.subscribe(1, { topics: ["t"], from: "start" });
  await world.settle();
  expect(world.router.health()).toMatchObject({ healthy: false, checks: { persistence: "failing" }, issues: [expect.stringContaining("I/O")] });
  fails = false;
  await world.pass(60_000);
  expect(world.router.health().healthy).toBe(true);
});

test("[P1] close finishes what was accepted, then says bye with when to come back, and takes nobody any more", async () => {
  const around = new FakeSurroundings();
  let commit: () => void = () => {};
  const world = new World({ store: storeWith(around, (log) => ({ append: async (batches) => {
    await new Promise<void>((resolve) => { commit = resolve; });
    return log.append(batches);
  } })) });
  const client = await world.client();
  client.subscribe(1, "t");
  await world.settle();
  const req = client.publish(numbered(1, 3));
  await world.settle();
  let closed = false;
  const closing = world.router.close({ retryAfter: 250 }).then(() => { closed = true; });
  await world.settle();
  expect([closed, client.closed]).toEqual([false, undefined]);
  const late = await world.client();
  expect(late.bye?.[1]).toBe("ERR_ROUTER_STOPPING");
  commit();
  await closing;
  expect(client.resultsOf(req)).toEqual([1, 2, 3]);
  expect(client.seqsOf(1)).toEqual([1, 2, 3]);
  expect(client.frames.at(-1)).toEqual(["bye", ["ConnectionError", "ERR_ROUTER_STOPPING", expect.any(String), 1, { retryAfter: 250 }]]);
  expect(client.closed?.code).toBe(4503);
  expect(world.around.wake).toBeNull();
  expect(world.router.health().healthy).toBe(false);
  await world.settle();
});

test("[P11] retention trims a log as it grows and as it ages, and readers behind are told", async () => {
  const world = new World({ retention: { maxEvents: 16, maxAge: 100_000 }, limits: { windowEvents: 1 } });
  const client = await world.client();
  client.subscribe(1, "t");
  for (const n of range(1, 40)) {
    client.publish([line(`e${n}`, "t")]);
    await world.settle();
  }
  const log = await world.log();
  expect(log.extent.events).toBeLessThanOrEqual(17);
  client.ackAll();
  await world.settle();
  expect(client.gapsOf(1)).toEqual([{ from: 2, to: log.first - 1, epoch: log.epoch, reason: "retention" }]);
  expect(client.seqsOf(1)).toEqual([1, log.first]);
  expect(world.around.wake).not.toBeNull();
  await world.pass(200_000);
  expect(log.extent.events).toBe(0);
});

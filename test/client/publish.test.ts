import { describe, expect, test, vi } from "vitest";
import type { ValidationError } from "../../src/core/errors.ts";
import type { StandardSchema } from "../../src/client/typed-events.ts";
import { settle } from "../support/test-clock.ts";
import { idsIn, payloadsIn, ScriptedRouter } from "./scripted-router.ts";

async function connected(options = {}) {
  const router = new ScriptedRouter();
  const client = router.client(options);
  await client.connect();
  await router.take();
  return { router, client };
}

describe("frames", () => {
  test("what is published in one turn leaves in one frame, with running numbers in order", async () => {
    const { router, client } = await connected();
    const receipts = Promise.all([1, 2, 3].map((n) => client.publish("a.b", n)));
    const frames = await router.take();
    expect(frames.map(({ name, args }) => [name, args.slice(1)])).toEqual([["pub", [3, { as: "each", run: 1 }]]]);
    expect(payloadsIn(frames)).toEqual([1, 2, 3]);
    expect(idsIn(frames)).toEqual([...idsIn(frames)].sort());
    router.acknowledge(frames, 7);
    const [first] = await receipts;
    expect((await receipts).map(({ seq }) => seq)).toEqual([7, 8, 9]);
    expect(first).toMatchObject({ id: idsIn(frames)[0], type: "a.b", epoch: "e1", status: "published", durability: "disk", timestamp: "2026-01-01T00:00:00.000Z" });
    expect(await first!.settled).toBe(first);
  });

  test("nothing said about an event: three fields; the rest in a fourth", async () => {
    const { router, client } = await connected();
    void client.publish("a");
    void client.publish({ type: "a", payload: null, priority: 9, headers: { k: "v" }, source: "s", target: "t", correlationId: "c" });
    const lines = (await router.take())[0]!.lines;
    expect(lines.map((one) => one.slice(1))).toEqual([["a", null], ["a", null, { priority: 9, headers: { k: "v" }, source: "s", target: "t", correlationId: "c" }]]);
  });

  test("an id of the caller's goes in a frame without run, and order is kept", async () => {
    const { router, client } = await connected();
    for (const id of [undefined, "mine", undefined]) void client.publish("a", id, id === undefined ? {} : { id });
    const frames = await router.take();
    expect(frames.map(({ args }) => args.slice(1))).toEqual([[1, { as: "each", run: 1 }], [1, { as: "each" }], [1, { as: "each", run: 1 }]]);
    expect(payloadsIn(frames)).toEqual([null, "mine", null]);
  });

  test("a frame has no more events than the router takes", async () => {
    const router = new ScriptedRouter();
    router.welcome = { ...router.welcome, limits: { ...router.welcome.limits, batch: 4 } };
    const client = router.client();
    for (let i = 0; i < 10; i++) void client.publish("a", i);
    const frames = await router.take("pub");
    expect(frames.map(({ args }) => args[1])).toEqual([4, 4, 2]);
  });

  test("a message stays far below the router's limit", async () => {
    const { router, client } = await connected();
    for (let i = 0; i < 40; i++) void client.publish("a", "x".repeat(30_000));
    await settle();
    expect(router.messages.length).toBeGreaterThan(1);
    for (const message of router.messages) expect(message.length * 3).toBeLessThan(router.welcome.limits.frame + 100_000);
  });

  test("a batch, a list of events and a transaction are one frame each: all or none", async () => {
    const { router, client } = await connected();
    void client.publishBatch([["a", 1], ["b", 2, { priority: 1 }]]);
    void client.publishEvents([{ type: "c", payload: 3 }, { type: "d", payload: 4, id: "mine" }]);
    void client.publish("e", 5);
    const frames = await router.take();
    expect(frames.map(({ args }) => args.slice(1))).toEqual([[2, { as: "all", run: 1 }], [2, { as: "all" }], [1, { as: "each", run: 1 }]]);
    const receipts = client.transaction(async (tx) => {
      await tx.publish("f", 6);
      await tx.publish({ type: "g", payload: 7 });
    });
    await expect.poll(() => router.messages).toHaveLength(1);
    const sent = await router.take();
    expect([sent[0]!.args.slice(1), payloadsIn(sent)]).toEqual([[2, { as: "all", run: 1 }], [6, 7]]);
    router.acknowledge(sent, 3);
    expect((await receipts).map(({ seq }) => seq)).toEqual([3, 4]);
  });

  test("a throw inside a transaction publishes nothing and is rethrown; afterwards its tx is over", async () => {
    const { router, client } = await connected();
    let kept: { publish(type: string): Promise<void> } | undefined;
    await expect(client.transaction(async (tx) => {
      kept = tx;
      await tx.publish("a");
      throw new Error("no");
    })).rejects.toThrow("no");
    expect(await router.take()).toEqual([]);
    await expect(kept!.publish("a")).rejects.toMatchObject({ code: "ERR_TRANSACTION_OVER" });
    expect(await client.publishBatch([])).toEqual([]);
  });
});

describe("publishNowait", () => {
  test("1,000 events at batchSize 100 leave in exactly 10 frames", async () => {
    const { router, client } = await connected({ batchSize: 100 });
    for (let i = 0; i < 1_000; i++) client.publishNowait("a", i);
    const frames = await router.take();
    expect(frames.map(({ args }) => args[1])).toEqual(Array(10).fill(100));
    expect(payloadsIn(frames)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    router.acknowledge(frames, 1);
    expect(router.clock.timers).toBe(0);
  });

  test("a window that is not full leaves after batchTimeout; what is published meanwhile comes behind it", async () => {
    const { router, client } = await connected({ batchSize: 10, batchTimeout: "50ms" });
    client.publishNowait("a", 1);
    await router.clock.advance(49);
    expect(await router.take()).toEqual([]);
    await router.clock.advance(1);
    expect(payloadsIn(await router.take())).toEqual([1]);
    client.publishNowait("a", 2);
    void client.publish("a", 3);
    expect(payloadsIn(await router.take())).toEqual([2, 3]);
  });

  test("a failure reaches onError once, with the event; without a listener it is logged once", async () => {
    const error = vi.fn();
    const { router, client } = await connected({ logger: { error } });
    const refuse = async (): Promise<void> => {
      client.publishNowait("a", 1, { priority: 3 });
      const [frame] = await router.take();
      router.say(["pub", frame!.args[0] as number, 0, [["PermissionError", "ERR_PERMISSION", "no", 0]]]);
      await settle();
    };
    await refuse();
    expect(error.mock.calls).toMatchObject([[{ code: "ERR_PERMISSION" }]]);
    const listener = vi.fn();
    const stop = client.onError(listener);
    await refuse();
    expect(listener.mock.calls).toMatchObject([[{ code: "ERR_PERMISSION" }, { type: "a", payload: 1, priority: 3, pending: true }]]);
    stop();
    await refuse();
    expect([error.mock.calls.length, listener.mock.calls.length]).toEqual([2, 1]);
    client.publishNowait("a", 1n);
    await settle();
    expect(error.mock.calls[2]).toMatchObject([{ code: "ERR_PAYLOAD" }]);
  });
});

describe("[P1] cuts", () => {
  test.each(["before the link opens", "before the welcome", "before the frame leaves"])("%s: everything is sent once, in order", async (when) => {
    const router = new ScriptedRouter();
    router.opensAtOnce = false;
    router.welcomes = false;
    const client = router.client();
    for (const n of [1, 2]) void client.publish("a", n);
    await settle();
    if (when !== "before the link opens") router.open();
    await settle();
    if (when === "before the frame leaves") {
      router.say(["welcome", router.welcome]);
      router.messages = [];
      void client.publish("a", 3);
    }
    router.cut();
    router.messages = [];
    router.welcomes = true;
    router.open();
    void client.publish("a", 4);
    const frames = await router.take("pub");
    expect(payloadsIn(frames)).toEqual(when === "before the frame leaves" ? [1, 2, 3, 4] : [1, 2, 4]);
  });

  test("what was not answered goes again, with the same ids, in its order, before anything new", async () => {
    const { router, client } = await connected();
    const first = client.publish("a", 1);
    const one = await router.take();
    void client.publish("a", 2, { id: "mine" });
    void client.publishBatch([["a", 3], ["a", 4]]);
    const two = await router.take();
    void client.publish("a", 5);
    const three = await router.take();
    router.acknowledge(one, 1);
    await first;
    router.cut();
    void client.publish("a", 6);
    router.open();
    const again = await router.take("pub");
    expect(payloadsIn(again)).toEqual([2, 3, 4, 5, 6]);
    expect(idsIn(again).slice(0, 4)).toEqual([...idsIn(two), ...idsIn(three)]);
    expect(again.map(({ args }) => args[2])).toEqual([{ as: "each" }, { as: "all", run: 1 }, { as: "each", run: 1 }]);
    // A late answer to a frame of the old pipe is for nobody.
    router.acknowledge(three, 99);
    await router.bounce();
    expect(payloadsIn(await router.take("pub"))).toEqual([2, 3, 4, 5, 6]);
  });

  test("[P4] the answer that was lost comes again: an own id is published, the caller's a duplicate", async () => {
    const { router, client } = await connected();
    const receipts = Promise.all([client.publish("a", 1), client.publish("a", 2, { id: "mine" })]);
    await router.take();
    await router.bounce();
    const [own, mine] = await router.take("pub");
    router.say(["pub", own!.args[0] as number, 5, [[7]]], ["pub", mine!.args[0] as number, 5, [[null]]]);
    expect((await receipts).map(({ seq, status }) => [seq, status])).toEqual([[7, "published"], [null, "duplicate"]]);
  });

  test("an ephemeral event is not sent twice", async () => {
    const { router, client } = await connected();
    const sent = client.publish("a", 1, { ephemeral: true });
    expect((await router.take())[0]!.args[2]).toEqual({ as: "ephemeral" });
    const failed = expect(sent).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_CONNECTION_LOST", retryable: true });
    await router.bounce();
    await failed;
    expect(await router.take("pub")).toEqual([]);
  });

  test("a receipt in time calls the deadline off; one too late is a TimeoutError with the id, and is not sent again", async () => {
    const { router, client } = await connected({ timeout: "5s" });
    const soon = client.publish("a", 1, { timeout: 100 });
    const late = client.publish("a", 2);
    const frames = await router.take();
    const failure = soon.catch((error: unknown) => error);
    await router.clock.advance(100);
    expect(await failure).toMatchObject({ name: "TimeoutError", code: "ERR_TIMEOUT", retryable: true, details: { ids: [idsIn(frames)[0]] } });
    await router.bounce();
    const again = await router.take("pub");
    expect(payloadsIn(again)).toEqual([2]);
    router.acknowledge(again, 2);
    await late;
    expect(router.clock.timers).toBe(0);
  });

  test("an AbortSignal ends the waiting with its reason, before and after sending", async () => {
    const { router, client } = await connected();
    const aborted = AbortSignal.abort("early");
    await expect(client.publish("a", 1, { signal: aborted })).rejects.toBe("early");
    const control = new AbortController();
    const sent = client.publish("a", 2, { signal: control.signal });
    expect(payloadsIn(await router.take())).toEqual([2]);
    control.abort("late");
    await expect(sent).rejects.toBe("late");
    await router.bounce();
    expect(await router.take("pub")).toEqual([]);
  });
});

test("refusals: of one event, and of a frame", async () => {
  const { router, client } = await connected();
  const [good, bad] = [client.publish("a", 1), client.publish("$sys", 2)];
  const [frame] = await router.take();
  router.say(["pub", frame!.args[0] as number, 0, [1, ["ValidationError", "ERR_TYPE", "reserved", 0, { path: "type" }]]]);
  expect((await good).seq).toBe(1);
  await expect(bad).rejects.toMatchObject({ name: "ValidationError", code: "ERR_TYPE", details: { path: "type" } });
  const batch = client.publishBatch([["a"], ["b"]]);
  const [all] = await router.take();
  router.say(["err", all!.args[0] as number, ["PublishError", "ERR_BUSY", "later", 1]]);
  await expect(batch).rejects.toMatchObject({ name: "PublishError", code: "ERR_BUSY", retryable: true });
});

test("[P11] no more than maxPending events wait", async () => {
  const { router, client } = await connected({ maxPending: 2 });
  void client.publish("a", 1);
  const second = client.publish("a", 2);
  await expect(client.publish("a", 3)).rejects.toMatchObject({ code: "ERR_BUSY", retryable: true });
  router.acknowledge(await router.take(), 1);
  await second;
  void client.publish("a", 4);
  expect(payloadsIn(await router.take())).toEqual([4]);
});

test("what is beyond the router's limits is not sent, and harms nothing beside it", async () => {
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, limits: { ...router.welcome.limits, payload: 1_000, batch: 3, frame: 4_096 } };
  const client = router.client();
  const results = Promise.allSettled([
    client.publish("a", "x".repeat(998)), client.publish("a", "x".repeat(999)), client.publish("a", "é".repeat(500)),
    client.publishBatch(["a", "b", "c", "d"].map((type) => [type] as const)),
    client.publishBatch(["a", "b", "c"].map((type) => [type, "é".repeat(490), { headers: { h: "x".repeat(600) } }] as const)),
    client.publish("a", 1),
  ]);
  const frames = await router.take("pub");
  expect(payloadsIn(frames)).toEqual(["x".repeat(998), 1]);
  router.acknowledge(frames, 1);
  expect((await results).map((one) => one.status === "fulfilled" ? "sent" : (one.reason as ValidationError).code)).toEqual(["sent", "ERR_PAYLOAD_TOO_LARGE", "ERR_PAYLOAD_TOO_LARGE", "ERR_BATCH_TOO_LARGE", "ERR_BATCH_TOO_LARGE", "sent"]);
});

describe("schemas", () => {
  const number = (wait: boolean): StandardSchema<unknown, number> => ({
    "~standard": {
      version: 1, vendor: "test",
      validate(value) {
        const result = typeof value === "string" ? { value: Number(value) } : { issues: [{ message: "Expected a string", path: ["n", { key: 0 }] }] };
        return wait ? Promise.resolve(result) : result;
      },
    },
  });

  test.each([false, true])("the payload is what the schema makes of it, or a ValidationError with the path (async: %s)", async (wait) => {
    const { router, client } = await connected({ schema: { "a.b": number(wait) } });
    void client.publish("a.b", "5");
    void client.publish("other", "5");
    expect(new Set(payloadsIn(await router.take()))).toEqual(new Set(["5", 5]));
    await expect(client.publish("a.b", 5)).rejects.toMatchObject({ name: "ValidationError", code: "ERR_SCHEMA", details: { path: "payload.n.0", issues: [{ path: "payload.n.0", message: "Expected a string" }] } });
    await expect(client.publishBatch([["a.b", "1"], ["a.b", 1]])).rejects.toMatchObject({ code: "ERR_SCHEMA" });
  });
});

test("poolSize spreads publishes over connections of their own; without one in poolTimeout a publish fails", async () => {
  const routers: ScriptedRouter[] = [new ScriptedRouter()];
  const [first] = routers as [ScriptedRouter];
  const client = first.client({ poolSize: 2, poolTimeout: 500 });
  first.opensAtOnce = false;
  const failed = client.publish("a", 1).catch((error: unknown) => error);
  await expect.poll(() => first.links).toBe(2);
  await first.clock.advance(500);
  expect(await failed).toMatchObject({ name: "ConnectionError", code: "ERR_POOL_TIMEOUT", retryable: true });
});

test("a cached event is not sent again within its time, and has the first one's id", async () => {
  const { router, client } = await connected({ cacheSize: 1, cacheTtl: "1s" });
  const first = client.publish("a", { n: 1 });
  await expect.poll(() => router.messages).toHaveLength(1);
  const second = client.publish("a", { n: 1 });
  const frames = await router.take();
  router.acknowledge(frames, 1);
  expect(await second).toMatchObject({ id: (await first).id, status: "cached", seq: 1 });
  await router.clock.advance(1_000);
  void client.publish("a", { n: 1 });
  expect(payloadsIn(await router.take())).toEqual([{ n: 1 }]);
  void client.publish("a", { n: 2 });
  void client.publish("a", { n: 1 });
  expect(payloadsIn(await router.take())).toEqual([{ n: 2 }, { n: 1 }]);
});

import { describe, expect, test, vi } from "vitest";
import type { RouterEvent } from "../../src/core/event.ts";
import type { SubscribeSpec } from "../../src/core/frames.ts";
import { settle } from "../support/test-clock.ts";
import { line, ScriptedRouter, type SentFrame } from "./scripted-router.ts";

async function connected(limits = {}, options = {}) {
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, limits: { ...router.welcome.limits, ...limits } };
  const client = router.client(options);
  await client.connect();
  await router.take();
  return { router, client };
}

/** A handler whose events finish when the test says so. */
function gate() {
  const started: number[] = [];
  const finishers = new Map<number, () => void>();
  return {
    started,
    handler: (event: RouterEvent) => new Promise<void>((resolve) => {
      started.push(event.seq);
      finishers.set(event.seq, resolve);
    }),
    async finish(...seqs: number[]) {
      for (const seq of seqs) finishers.get(seq)!();
      await settle();
    },
  };
}

const specOf = ({ args }: SentFrame): SubscribeSpec => args[1] as SubscribeSpec;
/** Pairs of subscription and seq in the last `ack`. */
const acks = (frames: readonly SentFrame[]): unknown[][] => frames.filter(({ name }) => name === "ack").map(({ args }) => args.slice(1));

describe("asking for events", () => {
  test("patterns, filter and start; a RegExp becomes $regex and $options", async () => {
    const { router, client } = await connected();
    client.on("a.*", () => {});
    client.on(["a", "b"], { filter: { "payload.n": { $gt: 1 }, source: /^web/i, $or: [{ type: { $not: /x/g } }] }, from: 5 }, () => {});
    client.onPattern(/^order\.(created|updated)$/u, { filter: { priority: 9 } }, () => {});
    client.onPattern(/x/, () => {});
    void client.subscribe({ topics: "c", from: "start", handler: () => {} });
    void client.subscribe("d", { from: new Date(1_000) });
    const frames = await router.take();
    expect(new Set(frames.map(({ name }) => name))).toEqual(new Set(["sub"]));
    expect(frames.map(specOf)).toEqual([
      { topics: ["a.*"], from: "now" },
      // What is plain need not wait for the code of what is not.
      { topics: ["c"], from: "start" },
      { topics: ["a", "b"], filter: { "payload.n": { $gt: 1 }, source: { $regex: "^web", $options: "i" }, $or: [{ type: { $not: { $regex: "x", $options: "" } } }] }, from: { seq: 5 } },
      { topics: ["**"], filter: { $and: [{ type: { $regex: "^order\\.(created|updated)$", $options: "u" } }, { priority: 9 }] }, from: "now" },
      { topics: ["**"], filter: { type: { $regex: "x", $options: "" } }, from: "now" },
      { topics: ["d"], from: { time: 1_000 } },
    ]);
  });

  test("who listens is told before what is said in the same turn", async () => {
    const { router, client } = await connected();
    void client.publish("a");
    client.on("a", () => {});
    expect((await router.take()).map(({ name }) => name)).toEqual(["sub", "pub"]);
  });

  test("ready resolves with the subscription; a refusal rejects it, and whoever waits is the only one told", async () => {
    const { router, client } = await connected();
    const told = vi.fn();
    client.onError((error) => told(error));
    const good = client.on("a", () => {});
    const bad = client.on("b", () => {});
    const waiting = expect(bad.ready).rejects.toMatchObject({ code: "ERR_PERMISSION" });
    const unseen = client.on("c", () => {});
    const refusal = ["PermissionError", "ERR_PERMISSION", "no", 0] as const;
    await settle();
    router.say(["on", good.id, "e1", 0], ["end", bad.id, refusal], ["end", unseen.id, refusal]);
    expect(await good.ready).toBe(good);
    await waiting;
    expect(told.mock.calls).toMatchObject([[{ code: "ERR_PERMISSION" }]]);
    await expect(unseen.ready).rejects.toMatchObject({ code: "ERR_PERMISSION" });
    router.say(["end", good.id, ["SubscriptionError", "ERR_REVOKED", "gone", 0]]);
    expect(told.mock.calls[1]).toMatchObject([{ code: "ERR_REVOKED" }]);
  });

  test("subscribe() gives up after the client's timeout, and takes its subscription back", async () => {
    const router = new ScriptedRouter();
    router.opensAtOnce = false;
    const client = router.client({ timeout: 100 });
    const waiting = client.subscribe("a").catch((error: unknown) => error);
    await router.clock.advance(100);
    expect(await waiting).toMatchObject({ code: "ERR_TIMEOUT" });
    router.open();
    expect(await router.take("sub")).toEqual([]);
  });

  test("unsubscribe() resolves when the router has let go, and no handler is started any more", async () => {
    const { router, client } = await connected();
    const { handler, started, finish } = gate();
    const sub = client.on("a", handler);
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2);
    const left = vi.fn();
    void sub.unsubscribe().then(left);
    await finish(1);
    router.deliver([sub.id], 3);
    expect([started, await router.take()]).toMatchObject([[1], [{ name: "unsub", args: [sub.id] }]]);
    expect(left).not.toHaveBeenCalled();
    router.say(["end", sub.id]);
    await settle();
    expect(left).toHaveBeenCalled();
    await sub.unsubscribe();
    expect(await router.take()).toEqual([]);
  });

  test("what is taken back before it was sent is never sent", async () => {
    const { router, client } = await connected();
    await client.on("a", () => {}).unsubscribe();
    expect(await router.take()).toEqual([]);
  });

  test("an AbortSignal takes it back; aborted before: nothing is asked", async () => {
    const { router, client } = await connected();
    const control = new AbortController();
    const sub = client.on("a", { signal: control.signal }, () => {});
    await router.take();
    control.abort(new Error("enough"));
    expect((await router.take()).map(({ name, args }) => [name, args])).toEqual([["unsub", [sub.id]]]);
    await expect(sub.ready).rejects.toThrow("enough");
    expect(() => client.on("a", { signal: AbortSignal.abort(new Error("early")) }, () => {})).toThrow("early");
  });
});

describe("handlers", () => {
  test("[P3] run one after another, in order; `concurrency` of them at once", async () => {
    const { router, client } = await connected();
    const one = gate();
    const three = gate();
    const a = client.on("a", one.handler);
    const b = client.on("a", { concurrency: 3 }, three.handler);
    router.say(["on", a.id, "e1", 0], ["on", b.id, "e1", 0]);
    router.deliver([a.id, b.id], 1, 2, 3, 4, 5);
    expect([one.started, three.started]).toEqual([[1], [1, 2, 3]]);
    await one.finish(1);
    await three.finish(2);
    expect([one.started, three.started]).toEqual([[1, 2], [1, 2, 3, 4]]);
  });

  test("an event is decoded once for all subscriptions it is for, in `ev` and `mix`", async () => {
    const { router, client } = await connected();
    const seen: RouterEvent[][] = [[], []];
    const subs = seen.map((events) => client.on("a", (event) => void events.push(event)));
    const [a, b] = subs.map(({ id }) => id) as [number, number];
    router.say(["on", a, "e1", 0], ["on", b, "e1", 0]);
    router.say(["ev", [a, b], [line(1)]], ["mix", [[a], [a, b], [b]], [line(2), line(3), line(4)]]);
    expect(seen.map((events) => events.map(({ seq }) => seq))).toEqual([[1, 2, 3], [1, 3, 4]]);
    expect(seen[0]![0]).toBe(seen[1]![0]);
    expect(seen[0]![2]).toBe(seen[1]![1]);
    expect(seen[0]![0]).toEqual({ id: "id1", type: "n", payload: 1, seq: 1, epoch: "e1", timestamp: "2026-01-01T00:00:00.000Z", priority: 5 });
  });

  test("a throw, at once or later, reaches onError with the event; the next event goes on", async () => {
    const { router, client } = await connected();
    const told: unknown[] = [];
    client.onError((error, event) => told.push([(error as Error).message, event?.seq]));
    const started: number[] = [];
    const sub = client.on("a", (event) => {
      started.push(event.seq);
      if (event.seq === 1) throw new Error("sync");
      if (event.seq === 2) return Promise.reject(new Error("async"));
      return undefined;
    });
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2, 3);
    await settle();
    expect([told, started]).toEqual([[["sync", 1], ["async", 2]], [1, 2, 3]]);
  });

  test("ephemeral events are handled, not acknowledged, and dropped beyond a window", async () => {
    const { router, client } = await connected({ windowEvents: 4 });
    const { handler, started, finish } = gate();
    const sub = client.on("a", handler);
    router.say(["on", sub.id, "e1", 7]);
    for (let i = 0; i < 20; i++) router.say(["ev", [sub.id], [line(0, "a", i)]]);
    for (let i = 0; i < 10; i++) await finish(0);
    expect(started).toHaveLength(5);
    await router.take();
    await router.bounce();
    expect(specOf((await router.take("sub"))[0]!).from).toEqual(["e1", 7]);
  });
});

describe("[P11] acknowledgement", () => {
  test("at half of the window, with the seq up to which all is done; never for each event", async () => {
    const { router, client } = await connected({ windowEvents: 16 });
    const sub = client.on("a", () => {});
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    for (let seq = 1; seq <= 7; seq++) router.deliver([sub.id], seq);
    expect(await router.take()).toEqual([]);
    router.deliver([sub.id], 10);
    expect(acks(await router.take())).toEqual([[sub.id, 10]]);
    router.deliver([sub.id], ...Array.from({ length: 16 }, (_, i) => 11 + i));
    expect(acks(await router.take())).toEqual([[sub.id, 18], [sub.id, 26]]);
  });

  test("within a frame it leaves when half of a window is done, before the next event is started: the router goes on meanwhile", async () => {
    const { router, client } = await connected({ windowEvents: 4 });
    const before: number[] = [];
    const one = client.on("a", () => void before.push(router.messages.length));
    const other = client.on("b", () => {});
    await router.take();
    router.say(["on", one.id, "e1", 0], ["on", other.id, "e1", 0]);
    router.say(["mix", [[one.id], [one.id, other.id], [other.id], [other.id], [one.id]], [1, 2, 3, 4, 5].map((seq) => line(seq))]);
    expect(before).toEqual([0, 0, 2]);
    expect(acks(await router.take())).toEqual([[one.id, 2, other.id, 2], [other.id, 4]]);
  });

  test("an unfinished event holds the mark back, whatever is done behind it", async () => {
    const { router, client } = await connected({ windowEvents: 8 });
    const { handler, finish } = gate();
    const sub = client.on("a", { concurrency: 4 }, handler);
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2, 3, 4);
    await finish(2, 3, 4);
    expect(await router.take()).toEqual([]);
    await finish(1);
    expect(acks(await router.take())).toEqual([[sub.id, 4]]);
  });

  test("by size too, and what was received is told even if nothing is done", async () => {
    const { router, client } = await connected({ windowSize: 4_000, payload: 500 });
    const { handler } = gate();
    const sub = client.on("a", handler);
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    const before = JSON.stringify(["welcome", router.welcome]).length + JSON.stringify(["on", sub.id, "e1", 0]).length;
    const message = JSON.stringify(["ev", [sub.id], [line(1, "a", "x".repeat(400))]]);
    router.raw(message);
    router.raw("pong");
    const first = await router.take();
    expect(first).toEqual([]);
    const more = Math.ceil((1_000 - before) / message.length);
    for (let i = 0; i < more; i++) router.raw(JSON.stringify(["ev", [sub.id], [line(2 + i, "a", "x".repeat(400))]]));
    expect((await router.take()).map(({ name, args }) => [name, args])).toEqual([["ack", [before + message.length * (1 + more)]]]);
  });
});

describe("[P2] resume", () => {
  test("after a cut it goes on behind what is done: nothing missed, nothing twice, order kept", async () => {
    const { router, client } = await connected();
    const { handler, started, finish } = gate();
    const sub = client.on("a", handler);
    await router.take();
    router.say(["on", sub.id, "e1", 10]);
    router.deliver([sub.id], 11, 13, 14);
    await finish(11);
    await router.bounce();
    const [again] = await router.take("sub");
    expect([again!.args[0], specOf(again!)]).toEqual([sub.id, { topics: ["a"], from: ["e1", 11] }]);
    router.say(["on", sub.id, "e1", 11]);
    router.deliver([sub.id], 13, 14);
    await finish(13);
    router.deliver([sub.id], 15);
    await finish(14);
    expect(started).toEqual([11, 13, 14, 15]);
  });

  test("what runs or is done above the mark is recognised, also when it finishes before it comes again", async () => {
    const { router, client } = await connected({ windowEvents: 4 });
    const { handler, started, finish } = gate();
    const sub = client.on("a", { concurrency: 3 }, handler);
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2, 3, 4);
    await finish(2);
    // 1, 3 and 4 run, 2 is done.
    router.cut();
    await finish(1, 3);
    router.open();
    expect(specOf((await router.take("sub")).at(-1)!).from).toEqual(["e1", 3]);
    router.say(["on", sub.id, "e1", 3]);
    router.deliver([sub.id], 4, 5);
    expect(started).toEqual([1, 2, 3, 4, 5]);
    await router.bounce();
    router.say(["on", sub.id, "e1", 3]);
    router.deliver([sub.id], 4, 5, 6);
    await finish(4, 5, 6);
    expect(started).toEqual([1, 2, 3, 4, 5, 6]);
    expect(acks(await router.take("ack"))).toEqual([[sub.id, 6]]);
  });

  test("what is left of a frame is not taken in when a handler has ended its session: it comes again, and nothing before it is skipped", async () => {
    const { router, client } = await connected({ windowEvents: 4 });
    const { handler, started, finish } = gate();
    const sub = client.on("a", (event) => {
      if (started.length === 0) client.reconnect();
      return handler(event);
    });
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2, 3, 4);
    const [again] = await router.take("sub");
    expect(specOf(again!).from).toEqual(["e1", 0]);
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2, 3, 4);
    for (const seq of [1, 2, 3, 4]) await finish(seq);
    expect(started).toEqual([1, 2, 3, 4]);
  });

  test("repeats of what is done give their room in the window back", async () => {
    const { router, client } = await connected({ windowEvents: 8 });
    const { handler, finish } = gate();
    const sub = client.on("a", { concurrency: 8 }, handler);
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2, 3, 4);
    await router.bounce();
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    await finish(1, 2, 3, 4);
    await router.take();
    router.deliver([sub.id], 1, 2, 3, 4);
    expect(acks(await router.take())).toEqual([[sub.id, 4]]);
  });

  test("cut before the router had it: it is asked for again as it was", async () => {
    const { router, client } = await connected();
    client.on("a", { from: "start" }, () => {});
    await router.take();
    await router.bounce();
    expect(specOf((await router.take("sub"))[0]!)).toEqual({ topics: ["a"], from: "start" });
  });

  test("a gap is told, and the position is behind it", async () => {
    const { router, client } = await connected();
    const gaps: unknown[] = [];
    const sub = client.on("a", () => {});
    const stop = sub.onGap((gap) => gaps.push(gap));
    router.say(["on", sub.id, "e1", 3], ["gap", sub.id, { from: 4, to: 9, epoch: "e1", reason: "retention" }]);
    await router.bounce();
    expect([gaps, specOf((await router.take("sub")).at(-1)!).from]).toEqual([[{ from: 4, to: 9, epoch: "e1", reason: "retention" }], ["e1", 9]]);
    stop();
    router.say(["gap", sub.id, { from: 10, to: 10, epoch: "e1", reason: "purged" }]);
    expect(gaps).toHaveLength(1);
  });

  test("a gap that comes right behind the beginning is told to whoever listens after `await subscribe()`", async () => {
    const { router, client } = await connected();
    const waiting = client.subscribe("a", { from: "start" }, () => {});
    const [sub] = await router.take("sub");
    const gap = { from: 1, to: 4, epoch: "e1", reason: "retention" } as const;
    router.say(["on", sub!.args[0] as number, "e1", 0], ["gap", sub!.args[0] as number, gap]);
    const gaps: unknown[] = [];
    (await waiting).onGap((one) => gaps.push(one));
    expect(gaps).toEqual([gap]);
  });

  test("[P9] another epoch: its low seqs are new events, what ran before counts for nothing there", async () => {
    const { router, client } = await connected();
    const gaps: unknown[] = [];
    const { handler, started, finish } = gate();
    const sub = client.on("a", handler);
    sub.onGap((gap) => gaps.push(gap.reason));
    router.say(["on", sub.id, "e1", 40]);
    router.deliver([sub.id], 41, 42);
    router.welcome = { ...router.welcome, epoch: "e2" };
    await router.bounce();
    expect(specOf((await router.take("sub")).at(-1)!).from).toEqual(["e1", 40]);
    router.say(["on", sub.id, "e2", 0], ["gap", sub.id, { from: 41, to: null, epoch: "e1", reason: "epoch" }]);
    router.deliver([sub.id], 1, 2);
    await finish(41);
    await finish(1);
    expect([started, gaps]).toEqual([[41, 1, 2], ["epoch"]]);
    await router.bounce();
    expect(specOf((await router.take("sub")).at(-1)!).from).toEqual(["e2", 1]);
  });
});

describe("iteration", () => {
  test("an event is done when the next is asked for; leaving the loop unsubscribes", async () => {
    const { router, client } = await connected({ windowEvents: 2 });
    const waiting = client.subscribe<"a">("a");
    const [{ args }] = await router.take() as [SentFrame];
    const id = args[0] as number;
    router.say(["on", id, "e1", 0]);
    const sub = await waiting;
    router.deliver([id], 1, 2);
    const seqs: number[] = [];
    const loop = (async () => {
      for await (const event of sub) {
        seqs.push(event.seq);
        if (event.seq === 1) expect(await router.take()).toEqual([]);
        if (event.seq === 2) expect(acks(await router.take())).toEqual([[id, 1]]);
        if (event.seq === 3) break;
      }
    })();
    await settle();
    await settle();
    await settle();
    router.deliver([id], 3, 4);
    expect((await router.take("unsub")).map(({ args: [sub] }) => sub)).toEqual([id]);
    router.say(["end", id]);
    await loop;
    expect(seqs).toEqual([1, 2, 3]);
  });

  test("an aborted signal is thrown, also while waiting; an end by the router likewise; an unsubscribe ends the loop", async () => {
    const { router, client } = await connected();
    const control = new AbortController();
    const streams = [client.stream("a", { signal: control.signal }), client.stream("b"), client.stream("c")];
    const ids = (await router.take()).map(({ args }) => args[0] as number);
    router.say(...ids.map((id) => ["on", id, "e1", 0] as const));
    const ends = streams.map(async (stream) => {
      for await (const event of stream) void event;
      return "over";
    }).map((loop) => loop.catch((error: unknown) => error));
    await settle();
    control.abort("enough");
    router.say(["end", ids[1]!, ["SubscriptionError", "ERR_REVOKED", "gone", 0]]);
    const closing = client.close();
    await settle();
    router.say(["end", ids[0]!], ["end", ids[2]!]);
    await closing;
    expect(await Promise.all(ends)).toMatchObject(["enough", { code: "ERR_REVOKED" }, "over"]);
  });

  test("a subscription with a handler is not iterable", async () => {
    const { client } = await connected();
    expect(() => client.on("a", () => {})[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: "ERR_ITERATOR" }) as Error);
  });

  test("batches: full at batchSize, else after the time from the first event, all done when the next is asked for", async () => {
    const { router, client } = await connected({ windowEvents: 4 });
    const batches = client.stream("a", { batchSize: 3, timeout: 100 })[Symbol.asyncIterator]();
    const [{ args }] = await router.take() as [SentFrame];
    const id = args[0] as number;
    router.say(["on", id, "e1", 0]);
    const seqsOf = async () => (await batches.next()).value?.map(({ seq }) => seq);
    router.deliver([id], 1, 2, 3, 4);
    expect(await seqsOf()).toEqual([1, 2, 3]);
    expect(await router.take()).toEqual([]);
    const second = seqsOf();
    await settle();
    expect(acks(await router.take())).toEqual([[id, 3]]);
    await router.clock.advance(60);
    router.deliver([id], 5);
    await router.clock.advance(40);
    expect(await second).toEqual([4, 5]);
    const third = seqsOf();
    await settle();
    const left = batches.return!();
    router.deliver([id], 6);
    await settle();
    await router.clock.advance(100);
    expect(await third).toEqual([6]);
    await router.take();
    router.say(["end", id]);
    await left;
    expect(router.clock.timers).toBe(0);
  });

  test("as a web stream: events are taken as the reader pulls, cancelling unsubscribes", async () => {
    const { router, client } = await connected({ windowEvents: 2 });
    const reader = client.stream("a").toReadableStream().getReader();
    const [{ args }] = await router.take() as [SentFrame];
    const id = args[0] as number;
    router.say(["on", id, "e1", 0]);
    router.deliver([id], 1, 2, 3);
    expect(await router.take()).toEqual([]);
    expect((await reader.read()).value?.seq).toBe(1);
    expect((await reader.read()).value?.seq).toBe(2);
    expect(acks(await router.take())).toEqual([[id, 1]]);
    const cancelled = reader.cancel();
    expect((await router.take()).map(({ name }) => name)).toEqual(["unsub"]);
    router.say(["end", id]);
    await cancelled;
  });
});

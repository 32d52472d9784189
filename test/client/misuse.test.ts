import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { line, payloadsIn, ScriptedRouter } from "./scripted-router.ts";
import { settle } from "../support/test-clock.ts";

/* What one wrong call, or one listener that throws, must not do: harm another call, end the connection, or end the process. */

/** What would have ended the process. */
let fatal: unknown[] = [];
const remember = (error: unknown): void => void fatal.push(error);
/** vitest's own listeners are set aside: here a failure of the process is a result, not an accident. */
const events = ["unhandledRejection", "uncaughtException"] as const;
const others = new Map<string, NodeJS.UncaughtExceptionListener[]>();
beforeEach(() => {
  fatal = [];
  for (const event of events) {
    others.set(event, process.listeners(event as "uncaughtException"));
    process.removeAllListeners(event);
    process.on(event, remember);
  }
});
afterEach(() => {
  for (const event of events) {
    process.off(event, remember);
    for (const listener of others.get(event)!) process.on(event as "uncaughtException", listener);
  }
});

// What is loaded when it is first used would take more than a turn.
beforeAll(() => Promise.all([import("../../src/client/batches.ts"), import("../../src/client/transaction.ts")]));

// oxlint-disable-next-line typescript/no-explicit-any -- wrong calls do not compile
const wrong = (value: unknown): any => value;

async function connected(options = {}): Promise<{ router: ScriptedRouter; client: Client; errors: unknown[] }> {
  const router = new ScriptedRouter();
  const client = router.client(options);
  const errors: unknown[] = [];
  client.onError((error) => void errors.push(error));
  await client.connect();
  await router.take();
  return { router, client, errors };
}

/** What becomes of a promise: `told()` is the code it is rejected with, else what it is rejected with, "accepted", or "pending". */
function watch(promise: Promise<unknown>): { told(): Promise<unknown> } {
  let fate: unknown = "pending";
  promise.then(() => (fate = "accepted"), (error: { code?: unknown }) => (fate = typeof error.code === "string" ? error.code : error));
  return {
    async told() {
      await settle();
      return fate;
    },
  };
}

/** A signal that counts who listens. */
class CountingSignal {
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  listeners = 0;
  constructor() {
    const { signal } = this;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    const known = new Set<unknown>();
    signal.addEventListener = ((type: string, listener: () => void, options?: object) => {
      known.add(listener);
      this.listeners = known.size;
      add(type, listener, options);
    }) as typeof signal.addEventListener;
    signal.removeEventListener = ((type: string, listener: () => void) => {
      known.delete(listener);
      this.listeners = known.size;
      remove(type, listener);
    }) as typeof signal.removeEventListener;
  }
}

describe("what JSON cannot carry", () => {
  test.each([
    ["a subscription's filter", (client: Client) => client.on("a", { filter: { "payload.n": 5n } }, () => {}).ready, "ERR_FILTER"],
    ["a filter that is a function", (client: Client) => client.subscribe("a", { filter: wrong(() => true) }), "ERR_FILTER"],
    ["a call's parameters", (client: Client) => client.call("stats", { n: 5n }), "ERR_PARAMETER"],
  ])("%s: refused alone, and what is said in the same turn is sent", async (_, call, code) => {
    const { router, client, errors } = await connected();
    const before = client.publish("n", "before");
    const refused = watch((async () => call(client))());
    const after = client.publish("n", "after");
    const sent = await router.take("pub");
    expect(payloadsIn(sent)).toEqual(["before", "after"]);
    expect(await refused.told()).toBe(code);
    router.acknowledge(sent, 1);
    expect((await Promise.all([before, after])).map(({ seq }) => seq)).toEqual([1, 2]);
    expect([fatal, errors, client.state]).toEqual([[], [], "connected"]);
  });
});

describe("a listener that throws", () => {
  test("of onStateChange: it is told of, others are still called, and the connection goes on", async () => {
    const router = new ScriptedRouter();
    const logged: unknown[] = [];
    const client = router.client({ logger: { error: (error: unknown) => void logged.push(error) } });
    const thrown = new Error("a listener's own");
    const states: string[] = [];
    client.onStateChange(() => { throw thrown; });
    client.onStateChange((state) => void states.push(state));
    const published = watch(client.publish("n", 1));
    const sent = await router.take("pub");
    router.acknowledge(sent, 1);
    expect(await published.told()).toBe("accepted");
    expect(states).toEqual(["connecting", "connected"]);
    expect([router.restarts, client.state, fatal]).toEqual([[], "connected", []]);
    expect(logged).toContain(thrown);
  });

  test("of onError: it is logged, and others are still called", async () => {
    const logged: unknown[] = [];
    const { client, errors } = await connected({ logger: { error: (error: unknown) => void logged.push(error) } });
    const thrown = new Error("a listener's own");
    client.onError(() => { throw thrown; });
    const last = vi.fn();
    client.onError(last);
    client.publishNowait("n", 5n);
    await settle();
    expect([logged, errors.length, last.mock.calls.length, fatal]).toEqual([[thrown], 1, 1, []]);
  });

  test("of onGap: it is told to onError, and events go on", async () => {
    const { router, client, errors } = await connected();
    const seen: unknown[] = [];
    const sub = client.on("n", ({ seq }) => void seen.push(seq));
    const thrown = new Error("a listener's own");
    sub.onGap(() => { throw thrown; });
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.say(["gap", sub.id, { from: 1, to: 4, epoch: "e1", reason: "retention" }]);
    router.deliver([sub.id], 5);
    await settle();
    expect([seen, errors, client.state]).toEqual([[5], [thrown], "connected"]);
  });
});

describe("nothing is left behind by a call that fails at once", () => {
  test.each([
    ["connect with a timeout in words", (client: Client) => client.connect({ timeout: "soon" })],
    ["connect with a signal that is aborted", (client: Client) => client.connect({ signal: AbortSignal.abort(new Error("no")) })],
  ])("%s: the caller is told, and a later failure of the connection is no unhandled rejection", async (_, call) => {
    const router = new ScriptedRouter();
    router.opensAtOnce = false;
    const client = router.client({ logger: { error() {} } });
    expect(["pending", "accepted"]).not.toContain(await watch(call(client)).told());
    await client.close();
    await settle();
    expect([fatal, router.clock.timers]).toEqual([[], 0]);
  });

  test.each([
    ["publish", (client: Client, signal: AbortSignal) => client.publish("a", 1, { signal, timeout: "soon" }), "ERR_DURATION"],
    ["publishEvents", (client: Client, signal: AbortSignal) => client.publishEvents([{ type: "a" }], { signal, timeout: "soon" }), "ERR_DURATION"],
    ["request", (client: Client, signal: AbortSignal) => client.request("a", 1, { signal, timeout: "soon" }), "ERR_DURATION"],
    ["call", (client: Client, signal: AbortSignal) => client.call("stats", {}, { signal, timeout: "soon" }), "ERR_DURATION"],
    ["connect", (client: Client, signal: AbortSignal) => client.connect({ signal, timeout: "soon" }), "ERR_DURATION"],
    ["on", async (client: Client, signal: AbortSignal) => client.on("a", { signal, concurrency: 0 }, () => {}), "ERR_OPTION"],
  ] as const)("%s: no listener at the signal, no timer, nothing sent", async (_, call, code) => {
    const { router, client } = await connected();
    const counting = new CountingSignal();
    expect(await watch(call(client, counting.signal)).told()).toBe(code);
    expect([counting.listeners, router.clock.timers, await router.take()]).toEqual([0, 0, []]);
  });
});

test("one signal for many calls: no listener is left at it when they are answered, refused, too late or over", async () => {
  const { router, client } = await connected({ timeout: 1_000 });
  const counting = new CountingSignal();
  const { signal } = counting;
  const published = client.publish("n", 1, { signal });
  const refused = watch(client.publish("n", 2, { signal }));
  const late = watch(client.request("slow", 1, { signal }));
  const sub = client.on("n", { signal }, () => {});
  expect(counting.listeners).toBeGreaterThan(0);
  const frames = await router.take();
  const [pub] = frames.filter(({ name }) => name === "pub");
  router.say(["on", sub.id, "e1", 0], ["pub", pub!.args[0] as number, 0, [1, ["ValidationError", "ERR_TYPE", "no", 0]]]);
  await published;
  expect(await refused.told()).toBe("ERR_TYPE");
  await router.clock.advance(1_000);
  expect(await late.told()).toBe("ERR_TIMEOUT");
  const left = sub.unsubscribe();
  router.say(["end", sub.id]);
  await left;
  expect(counting.listeners).toBe(0);
  counting.controller.abort(new Error("afterwards"));
  await settle();
  expect([fatal, client.state]).toEqual([[], "connected"]);
});

describe("[P5] a transaction whose function does not wait", () => {
  test("one wrong event keeps the whole from being published, and ends no process", async () => {
    const { router, client } = await connected();
    const done = watch(client.transaction((tx) => {
      void tx.publish("order.created", { id: 1 });
      void tx.publish("payment.initiated", { total: 5n });
    }));
    expect(payloadsIn(await router.take("pub"))).toEqual([]);
    expect(await done.told()).toBe("ERR_PAYLOAD");
    expect(fatal).toEqual([]);
  });

  test.each([
    ["at once", { total: 5n }, "ERR_PAYLOAD"],
    ["later", { late: true }, "ERR_SCHEMA"],
  ])("one that is refused %s keeps the whole from being published, also where the function looks away", async (_, payload, code) => {
    const schema = { "payment.initiated": { "~standard": { version: 1 as const, vendor: "test", validate: async (value: unknown) => ((value as { late?: true }).late ? { issues: [{ message: "late" }] } : { value }) } } };
    const { router, client } = await connected(code === "ERR_SCHEMA" ? { schema } : {});
    const done = watch(client.transaction(async (tx) => {
      await tx.publish("order.created", { id: 1 });
      await tx.publish("payment.initiated", payload).catch(() => {});
    }));
    expect(payloadsIn(await router.take("pub"))).toEqual([]);
    expect([await done.told(), fatal]).toEqual([code, []]);
  });

  test("all that it said is in it, in order", async () => {
    const { router, client } = await connected();
    void client.transaction((tx) => {
      void tx.publish("order.created", 1);
      void tx.publish("payment.initiated", 2);
    });
    const [frame, ...more] = await router.take("pub");
    expect([frame!.lines.map((one) => one[2]), frame!.args.slice(1), more]).toEqual([[1, 2], [2, { as: "all", run: 1 }], []]);
  });
});

describe("batches of a stream", () => {
  test("what was gathered is given before the failure is thrown, once", async () => {
    const { router, client } = await connected();
    const batches = client.stream("n", { batchSize: 10, timeout: "1s" })[Symbol.asyncIterator]();
    const first = batches.next();
    const [sub] = await router.take("sub");
    const id = sub!.args[0] as number;
    router.say(["on", id, "e1", 0]);
    router.deliver([id], 1, 2);
    await settle();
    router.say(["end", id, ["SubscriptionError", "ERR_GONE", "no more", 0]]);
    expect((await first).value!.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await watch(batches.next()).told()).toBe("ERR_GONE");
    expect(await batches.next()).toEqual({ done: true, value: undefined });
    expect(router.clock.timers).toBe(0);
  });

  test("a batch that fills up calls its time off; leaving the loop then leaves no timer", async () => {
    const { router, client } = await connected();
    const batches = client.stream("n", { batchSize: 2, timeout: "1m" })[Symbol.asyncIterator]();
    const first = batches.next();
    const [sub] = await router.take("sub");
    const id = sub!.args[0] as number;
    router.say(["on", id, "e1", 0]);
    await settle();
    router.deliver([id], 1);
    await settle();
    expect(router.clock.timers).toBe(1);
    router.deliver([id], 2);
    expect((await first).value!.length).toBe(2);
    expect(router.clock.timers).toBe(0);
    const left = batches.return!();
    await settle();
    router.say(["end", id]);
    await left;
    // Nothing of it is left that would keep a process alive.
    expect(router.clock.timers).toBe(0);
  });
});

test("a frame for what is not there, or has gone, harms nothing", async () => {
  const { router, client, errors } = await connected();
  const seen: number[] = [];
  const sub = client.on("n", ({ seq }) => void seen.push(seq));
  await router.take();
  router.say(["on", sub.id, "e1", 0]);
  router.say(["ok", 999, 1], ["err", 999, ["TimeoutError", "ERR_TIMEOUT", "", 1]], ["pub", 999, 0, [1]], ["on", 999, "e1", 0], ["end", 999], ["ev", [999], [line(1)]], ["mix", [[999], [sub.id]], [line(1), line(2)]], ["gap", 999, { from: 1, to: 2, epoch: "e1", reason: "purged" }]);
  router.raw('["a.frame.of.later",{"x":1}]');
  await settle();
  expect([seen, errors, fatal, router.restarts, client.state]).toEqual([[2], [], [], [], "connected"]);
});

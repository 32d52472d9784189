import { describe, expect, test, vi } from "vitest";
import { Client } from "../../src/client/client.ts";
import { AuthenticationError } from "../../src/core/errors.ts";
import type { Link, LinkListener } from "../../src/core/link.ts";
import { settle } from "../support/test-clock.ts";
import { lost, ScriptedRouter } from "./scripted-router.ts";

function made(options = {}) {
  const router = new ScriptedRouter();
  const client = router.client(options);
  const states: string[] = [];
  client.onStateChange((state) => states.push(state));
  const told = vi.fn();
  client.onError((error) => told(error));
  return { router, client, states, told };
}

describe("states", () => {
  test("idle → connecting → connected → offline → connected → closed; the first use connects", async () => {
    const { router, client, states } = made();
    expect([client.state, router.links, client.capabilities]).toEqual(["idle", 0, undefined]);
    client.on("a", () => {});
    await settle();
    expect(client.capabilities).toEqual({ durability: "disk", names: [] });
    router.cut();
    expect(client.capabilities).toBeUndefined();
    router.cut();
    router.open();
    await settle();
    void client.close();
    await settle();
    router.say(["end", 1]);
    await settle();
    expect(states).toEqual(["connecting", "connected", "offline", "connected", "closed"]);
  });

  test("a first connection that fails is still connecting, and connect() says why when its time is over", async () => {
    const { router, client, told } = made({ timeout: 100 });
    router.opensAtOnce = false;
    const waiting = client.connect().catch((error: unknown) => error);
    await settle();
    router.cut();
    expect(client.state).toBe("connecting");
    await router.clock.advance(100);
    expect(await waiting).toMatchObject({ name: "TimeoutError", code: "ERR_TIMEOUT", cause: { code: "ERR_CONNECTION_LOST" } });
    expect(told).not.toHaveBeenCalled();
    const control = new AbortController();
    const aborted = client.connect({ signal: control.signal });
    control.abort("enough");
    await expect(aborted).rejects.toBe("enough");
  });

  test("when no attempt is left everything that waits fails with the reason, until reconnect()", async () => {
    const { router, client, told } = made();
    router.opensAtOnce = false;
    const waiting = Promise.allSettled([client.connect(), client.publish("a"), client.request("b"), client.on("c", () => {}).ready]);
    await settle();
    router.cut(true);
    expect((await waiting).map((one) => one.status === "rejected" && (one.reason as { code: string }).code)).toEqual(Array(4).fill("ERR_CONNECTION_LOST"));
    expect([client.state, told.mock.calls.length]).toEqual(["closed", 1]);
    await expect(client.publish("a")).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
    expect(() => client.on("a", () => {})).toThrow();
    router.opensAtOnce = true;
    await client.reconnect();
    expect([client.state, router.links]).toEqual(["connected", 2]);
  });

  test("reconnect() makes a new pipe; nobody need wait for it", async () => {
    const { router, client } = made({ timeout: 50 });
    await client.connect();
    router.opensAtOnce = false;
    void client.reconnect();
    expect(router.restarts).toEqual([0]);
    expect(client.state).toBe("offline");
    await router.clock.advance(50);
  });
});

describe("hello", () => {
  test("is the first frame: version, namespace, name, credential, the connection's own secret; a token function is asked for each pipe", async () => {
    let tokens = 0;
    const { router, client } = made({ namespace: "shop", name: "web", auth: { type: "jwt", token: async () => `t${++tokens}` } });
    await client.connect();
    await router.bounce();
    const hellos = await router.take();
    const [{ instance }] = hellos[0]!.args as [{ instance: string }];
    expect(instance).toMatch(/^[0-9A-Za-z]{22}$/);
    expect(hellos.map(({ name, args }) => [name, ...args])).toEqual([1, 2].map((n) => ["hello", { v: 1, namespace: "shop", name: "web", instance, auth: { type: "jwt", token: `t${n}` } }]));
    const plain = made({ auth: { type: "api_key", key: "k" } });
    await plain.client.connect();
    expect((await plain.router.take())[0]!.args).toEqual([{ v: 1, instance: expect.any(String) as string, auth: { type: "api_key", key: "k" } }]);
  });

  test("a token function that throws ends it with AuthenticationError; one of the family stays as it is", async () => {
    const first = made({ auth: { type: "jwt", token: () => { throw new Error("no session"); } } });
    await expect(first.client.connect()).rejects.toMatchObject({ name: "AuthenticationError", code: "ERR_TOKEN", cause: { message: "no session" } });
    expect(first.told.mock.calls).toMatchObject([[{ code: "ERR_TOKEN" }]]);
    const second = made({ auth: { type: "jwt", token: () => { throw new AuthenticationError("ERR_MINE", "mine"); } } });
    await expect(second.client.connect()).rejects.toMatchObject({ code: "ERR_MINE" });
  });

  test("a token that comes when its pipe is gone is for nobody", async () => {
    const tokens: ((token: string) => void)[] = [];
    const { router, client } = made({ auth: { type: "jwt", token: () => new Promise<string>((resolve) => tokens.push(resolve)) } });
    void client.connect();
    await settle();
    await router.bounce();
    tokens[0]!("old");
    expect(await router.take()).toEqual([]);
    tokens[1]!("new");
    expect(await router.take()).toMatchObject([{ args: [{ auth: { token: "new" } }] }]);
  });

  test("a router that says no welcome in time is tried anew", async () => {
    const { router, client } = made({ timeout: 1_000 });
    router.welcomes = false;
    client.connect({ timeout: "1h" }).catch(() => {});
    await settle();
    await router.clock.advance(1_000);
    expect(router.restarts).toEqual([0]);
  });

  test("another protocol version, and what is no frame", async () => {
    const { router, client, told } = made();
    router.welcome = { ...router.welcome, v: 2 };
    await expect(client.connect()).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_PROTOCOL_VERSION" });
    expect([client.state, router.closed]).toEqual(["closed", 1]);
    const other = made();
    await other.client.connect();
    other.router.raw("<html>");
    await settle();
    expect([other.router.restarts, other.told.mock.calls]).toMatchObject([[1_500], [[{ code: "ERR_PROTOCOL", retryable: true }]]]);
    other.router.raw('["news",1]');
    expect([told.mock.calls.length, other.told.mock.calls.length, other.client.state]).toEqual([1, 1, "connected"]);
  });
});

describe("bye", () => {
  test("retryable: comes back not before the router asks, spread out", async () => {
    const { router, client, told } = made();
    await client.connect();
    router.say(["bye", ["ConnectionError", "ERR_ROUTER_STOPPING", "back soon", 1, { retryAfter: 2_000 }]]);
    expect(router.restarts).toEqual([3_000]);
    await settle();
    expect([client.state, told.mock.calls.length]).toEqual(["connected", 0]);
  });

  test("for good: everything that waits is rejected with it, onError is told once, later calls too", async () => {
    const { router, client, told } = made();
    router.welcomes = false;
    const waiting = client.publish("a").catch((error: unknown) => error);
    await settle();
    router.say(["bye", ["AuthenticationError", "ERR_AUTH", "who are you?", 0]]);
    expect(await waiting).toMatchObject({ name: "AuthenticationError", code: "ERR_AUTH" });
    await expect(client.request("a")).rejects.toMatchObject({ code: "ERR_AUTH" });
    expect([told.mock.calls.length, client.state, router.closed]).toEqual([1, "closed", 1]);
  });
});

describe("heartbeat", () => {
  test("after a silence it asks for a sign of life; without one in the same time the pipe is made anew", async () => {
    const { router, client } = made();
    router.welcome = { ...router.welcome, heartbeat: 1_000 };
    await client.connect();
    await router.take();
    await router.clock.advance(600);
    router.raw("pong");
    await router.clock.advance(600);
    expect(await router.take()).toEqual([]);
    await router.clock.advance(400);
    expect(await router.take()).toMatchObject([{ name: "ping" }]);
    await router.clock.advance(500);
    router.raw("pong");
    await router.clock.advance(1_000);
    expect(await router.take()).toMatchObject([{ name: "ping" }]);
    expect(router.clock.timers).toBe(1);
    await router.clock.advance(1_000);
    expect(router.restarts).toEqual([0]);
  });

  test("a ping is answered; none is sent and no timer runs where the link cannot fall silent", async () => {
    const { router, client } = made();
    await client.connect();
    await router.take();
    router.raw("ping");
    expect(await router.take()).toMatchObject([{ name: "pong" }]);
    expect(router.clock.timers).toBe(0);
  });
});

describe("close", () => {
  test("ends subscriptions, waits for receipts, takes leave; no timer or listener is left", async () => {
    const { router, client } = made({ batchSize: 10 });
    const sub = client.on("a", () => {});
    await settle();
    const receipt = client.publish("a", 1);
    client.publishNowait("a", 2);
    const over = vi.fn();
    const closing = client.close().then(over);
    const frames = await router.take("unsub", "pub");
    expect(frames.map(({ name }) => name)).toEqual(["unsub", "pub"]);
    router.say(["end", sub.id]);
    await settle();
    expect(over).not.toHaveBeenCalled();
    router.acknowledge(frames, 1);
    await closing;
    await receipt;
    expect(await router.take()).toMatchObject([{ name: "bye" }]);
    expect([router.clock.timers, router.closed, client.state]).toEqual([0, 1, "closed"]);
    await client.close();
  });

  test("without a connection it waits for the deadlines of what was published", async () => {
    const { router, client } = made();
    await client.connect();
    router.opensAtOnce = false;
    router.cut();
    const failed = client.publish("a", 1, { timeout: 100 }).catch((error: unknown) => error);
    const closing = client.close();
    await settle();
    await router.clock.advance(100);
    await closing;
    expect(await failed).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(router.clock.timers).toBe(0);
  });

  test("every use of a closed client is ERR_CLOSED; one that was never used closes at once", async () => {
    const { router, client } = made();
    await client.close();
    await client[Symbol.asyncDispose]();
    expect(router.links).toBe(0);
    for (const call of [() => client.publish("a"), () => client.publishBatch([["a"]]), () => client.transaction(() => {}), () => client.subscribe("a"), () => client.request("a"), () => client.connect(), () => client.reconnect(), () => client.call("stats")]) {
      await expect(call()).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_CLOSED" });
    }
    for (const call of [() => client.on("a", () => {}), () => client.respond("a", () => {}), () => client.stream("a")]) expect(call).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }) as Error);
  });

  test("what comes from a link that was left is for nobody", async () => {
    const router = new ScriptedRouter();
    const listeners: LinkListener[] = [];
    const makeLink = (): Link => {
      const link = router.makeLink();
      return { ...link, start: (on) => { listeners.push(on); link.start(on); } };
    };
    const client = new Client({ makeLink, clock: router.clock, random: () => 0, randomBytes: (count) => new Uint8Array(count) });
    const told = vi.fn();
    client.onError((error) => told(error));
    await client.connect();
    router.say(["bye", ["AuthenticationError", "ERR_AUTH", "no", 0]]);
    await client.reconnect();
    await router.take();
    listeners[0]!.down(lost(), true);
    listeners[0]!.open();
    listeners[0]!.message("<html>");
    expect([await router.take(), client.state, told.mock.calls.length]).toEqual([[], "connected", 1]);
  });
});

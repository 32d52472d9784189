import { afterEach, describe, expect, test, vi } from "vitest";
import { ClientOutbox, type WaitingRoom } from "../../src/client/client-outbox.ts";
import type { openVault } from "../../src/client/encryption/open-vault.ts";
import type { Handler, Middleware } from "../../src/client/handle-events.ts";
import { Later, notLoaded } from "../../src/client/later.ts";
import { lazily } from "../../src/client/middleware.ts";
import type { BaseOptions } from "../../src/client/options.ts";
import { ValidationError, type EventRouterError } from "../../src/core/errors.ts";
import type { RouterEvent } from "../../src/core/event.ts";
import { PatternClient } from "../../src/pattern-client.ts";
import { settle, TestClock } from "../support/test-clock.ts";
import { ScriptedRouter } from "./scripted-router.ts";

const offline = (): TypeError => new TypeError("Failed to fetch dynamically imported module");

/** A client whose code comes or does not, as the test says. */
function begun(options: BaseOptions = {}, again: { enabled?: boolean; maxAttempts?: number } = {}) {
  const router = new ScriptedRouter();
  const loads: PromiseWithResolvers<void>[] = [];
  const client = new PatternClient({
    makeLink: router.makeLink, clock: router.clock, random: () => 1, randomBytes: (count) => new Uint8Array(count).fill(7),
    again: { enabled: true, maxAttempts: Infinity, backoff: "exponential", minDelay: 100, maxDelay: 1_000, ...again },
    loadLink() {
      loads.push(Promise.withResolvers<void>());
      return loads.at(-1)!.promise;
    },
  }, options);
  const errors: EventRouterError[] = [];
  client.onError((error) => errors.push(error as EventRouterError));
  const states: string[] = [];
  client.onStateChange((state) => states.push(state));
  const come = async (): Promise<void> => {
    loads.at(-1)!.resolve();
    await settle();
  };
  const fail = async (thrown: unknown = offline()): Promise<void> => {
    loads.at(-1)!.reject(thrown);
    await settle();
  };
  return { router, client, loads, errors, states, come, fail };
}

const rejected = (promise: Promise<unknown>): Promise<EventRouterError> => promise.then(() => { throw new Error("it was expected to reject"); }, (error: unknown) => error as EventRouterError);

describe("a client whose code is on its way", () => {
  test("reconnect() as its first use starts it once: a second engine would be closed by nobody", async () => {
    const { router, client, loads, come } = begun();
    void client.reconnect();
    await come();
    await router.clock.advance(200);
    expect(loads).toHaveLength(1);
    void client.close();
  });

  test("loads nothing until it is used, and then once", async () => {
    const { client, loads, router, states, come } = begun();
    await settle();
    expect([loads.length, client.state]).toEqual([0, "idle"]);
    void client.connect();
    client.on("n", () => {});
    void client.publish("n", 1);
    expect([loads.length, client.state, router.links]).toEqual([1, "connecting", 0]);
    await come();
    expect([loads.length, client.state, router.links, states]).toEqual([1, "connected", 1, ["connecting", "connected"]]);
  });

  test("[P3] does what was asked meanwhile in its order: who listens speaks first, events keep their order and are as they were said", async () => {
    const { client, router, come } = begun();
    const first = { type: "n", payload: { price: 1 } };
    void client.publish(first);
    first.payload.price = 9;
    const sub = client.on("n", () => {});
    void client.publishBatch([["n", 2], ["n", 3]]);
    void client.publish("n", 4);
    await come();
    await settle();
    const frames = await router.take("sub", "pub");
    expect(frames.map(({ name }) => name)[0]).toBe("sub");
    expect(frames[0]!.args[0]).toBe(sub.id);
    expect(frames.flatMap(({ lines }) => lines).map(([, , payload]) => payload)).toEqual([{ price: 1 }, 2, 3, 4]);
  });

  test("[P1] code that does not come is asked for again, later each time, and nothing is lost", async () => {
    const { client, router, loads, errors, come, fail } = begun();
    const got: unknown[] = [];
    const sub = client.on("n", ({ payload }) => void got.push(payload));
    const receipt = client.publish("n", 1);
    await fail();
    await router.clock.advance(99);
    expect(loads.length).toBe(1);
    await router.clock.advance(1);
    expect(loads.length).toBe(2);
    await fail();
    await router.clock.advance(200);
    expect([loads.length, errors, client.state]).toEqual([3, [], "connecting"]);
    await come();
    router.acknowledge(await router.take(), 1);
    expect((await receipt).seq).toBe(1);
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1);
    expect(got).toEqual([1]);
  });

  test("[P1] who waits is told in time what is missing, and what could not begin in time is not begun later", async () => {
    const { client, router, come, fail } = begun({ timeout: 1_000 });
    const late = rejected(client.publish("n", "late"));
    const asked = rejected(client.request("n", 1, { timeout: 500 }));
    const ended = new AbortController();
    const aborted = rejected(client.publish("n", "aborted", { signal: ended.signal }));
    ended.abort(new Error("not needed any more"));
    await fail();
    await router.clock.advance(1_000);
    expect(await late).toMatchObject({ name: "TimeoutError", retryable: true, cause: { code: "ERR_CODE" } });
    expect(await asked).toMatchObject({ name: "TimeoutError" });
    expect((await aborted).message).toBe("not needed any more");
    const heard = client.publish("n", "in time");
    await come();
    const frames = await router.take("pub", "req");
    expect(frames.flatMap(({ lines }) => lines).map(([, , payload]) => payload)).toEqual(["in time"]);
    router.acknowledge(frames, 1);
    await heard;
  });

  test("code that will not come ends the client until reconnect(), with an error that says what to do", async () => {
    const { client, loads, errors, states, come, fail, router } = begun({}, { maxAttempts: 1 });
    const sub = client.on("n", () => {});
    const publish = rejected(client.publish("n", 1));
    await fail();
    await router.clock.advance(100);
    await fail();
    expect(await publish).toMatchObject({ name: "ConnectionError", code: "ERR_CODE", message: expect.stringContaining("load") });
    expect([client.state, errors.map(({ code }) => code)]).toEqual(["closed", ["ERR_CODE", "ERR_CODE"]]);
    expect(await rejected(sub.ready)).toMatchObject({ code: "ERR_CODE" });
    expect(() => client.on("n", () => {})).toThrow(/load/);
    expect(await rejected(client.publish("n", 2))).toMatchObject({ code: "ERR_CODE" });
    const back = client.reconnect();
    await router.clock.advance(0);
    expect(loads.length).toBe(3);
    await come();
    await back;
    expect(states).toEqual(["connecting", "closed", "connecting", "connected"]);
  });

  test("a subscription that ends before the code is there is never asked for", async () => {
    const { client, router, come } = begun();
    const sub = client.on("a", () => {});
    client.on("b", () => {});
    await sub.unsubscribe();
    await come();
    expect((await router.take("sub")).map(({ args }) => (args[1] as { topics: unknown }).topics)).toEqual([["b"]]);
  });

  test("close() waits for the code, and for what was said; without it what waits is refused in time and nothing runs on", async () => {
    const one = begun();
    const receipt = one.client.publish("n", 1);
    const closed = one.client.close();
    await one.come();
    one.router.acknowledge(await one.router.take(), 1);
    await closed;
    expect([(await receipt).seq, one.client.state]).toEqual([1, "closed"]);

    const other = begun({ timeout: 1_000 });
    const sub = other.client.on("n", () => {});
    const lost = rejected(other.client.publish("n", 1, { timeout: 60_000 }));
    const ended = other.client.close();
    await other.fail();
    await other.router.clock.advance(1_000);
    await ended;
    expect(await lost).toMatchObject({ code: "ERR_CLOSED" });
    expect(await rejected(sub.ready)).toMatchObject({ code: "ERR_CLOSED" });
    expect(other.client.state).toBe("closed");
    await other.come();
    expect([other.router.links, other.router.clock.timers]).toEqual([0, 0]);
  });

  test("a client that was never used closes without loading anything", async () => {
    const { client, loads } = begun();
    await client.close();
    expect([loads.length, client.state]).toEqual([0, "closed"]);
    expect(await rejected(client.publish("n", 1))).toMatchObject({ code: "ERR_CLOSED" });
  });
});

describe("a middleware whose code does not come", () => {
  function wrapped(load: () => Promise<Middleware>) {
    const clock = new TestClock();
    const told: EventRouterError[] = [];
    const middleware = lazily({ clock, report: (error) => told.push(error as EventRouterError) }, load);
    const ended = new AbortController();
    const got: unknown[] = [];
    const handler = middleware((event) => void got.push(event.payload));
    const run = (payload: unknown): Promise<unknown> => Promise.resolve((handler as Handler)({ payload } as RouterEvent, { signal: ended.signal } as never));
    return { clock, told, got, run, ended };
  }

  test("[P1] its events wait, and are handled when it is there", async () => {
    let tries = 0;
    const { clock, told, got, run } = wrapped(async () => {
      if (++tries < 4) throw offline();
      return (handler) => handler;
    });
    await settle();
    expect(told.map(({ code }) => code)).toEqual(["ERR_CODE"]);
    const done = run("a");
    await settle();
    await clock.advance(1_000);
    expect([got, tries]).toEqual([[], 3]);
    await clock.advance(1_000);
    await done;
    expect([got, tries, clock.timers]).toEqual([["a"], 4, 0]);
    await run("b");
    expect([got, tries]).toEqual([["a", "b"], 4]);
  });

  test("wrong options are told at once and are not tried again; a subscription that has ended waits for nothing", async () => {
    let tries = 0;
    const wrong = wrapped(async () => {
      tries++;
      throw new ValidationError("ERR_OPTION", "maxRetries must be a whole number");
    });
    expect(await rejected(wrong.run("a"))).toMatchObject({ code: "ERR_OPTION" });
    expect([tries, wrong.told.length]).toEqual([1, 1]);

    const gone = wrapped(() => Promise.reject(offline()));
    gone.ended.abort();
    expect(await rejected(gone.run("a"))).toMatchObject({ code: "ERR_CODE" });
  });
});

describe("code that did not come is asked for at the next use", () => {
  test("by who was refused, in the same turn", async () => {
    let tries = 0;
    const later = new Later(async () => {
      if (++tries === 1) throw offline();
      return "part";
    });
    const again = later.use((part) => part).catch(() => later.use((part) => `${part} of the second try`));
    expect(await again).toBe("part of the second try");
    expect([tries, later.loading]).toEqual([2, undefined]);
  });

  afterEach(() => {
    vi.doUnmock("../../src/client/encryption/open-vault.ts");
    vi.resetModules();
  });

  test("the outbox", async () => {
    let tries = 0;
    const told: unknown[] = [];
    const outbox = new ClientOutbox(async () => {
      if (++tries === 1) throw notLoaded(offline());
      return { list: async () => [] } as unknown as WaitingRoom;
    }, (error) => told.push(error));
    await settle();
    expect(told).toMatchObject([{ code: "ERR_CODE" }]);
    expect(await outbox.list()).toEqual([]);
    expect(await outbox.list()).toEqual([]);
    expect(tries).toBe(2);
  });

  test("the vault: the client greets when it is there, and nothing leaves in the clear before", async () => {
    let tries = 0;
    vi.doMock("../../src/client/encryption/open-vault.ts", async (original) => {
      const actual = await original<{ readonly openVault: typeof openVault }>();
      return { ...actual, openVault: async (...given: Parameters<typeof openVault>) => (++tries < 3 ? Promise.reject(offline()) : actual.openVault(...given)) };
    });
    const router = new ScriptedRouter();
    const client = router.client({ encryption: { key: new Uint8Array(32).fill(3) } });
    const told: string[] = [];
    client.onError((error) => told.push((error as EventRouterError).code));
    void client.publish("n", "secret").catch(() => {});
    let text = "";
    await vi.waitFor(async () => expect(text += JSON.stringify(await router.take())).toContain("pub"));
    expect([tries, told, router.restarts.length]).toEqual([3, ["ERR_CODE", "ERR_CODE"], 2]);
    expect(text).not.toContain("secret");
    void client.close();
  });
});

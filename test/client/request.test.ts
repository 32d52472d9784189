import { describe, expect, test, vi } from "vitest";
import type { StandardSchema } from "../../src/client/typed-events.ts";
import { settle } from "../support/test-clock.ts";
import { line, ScriptedRouter, type SentFrame } from "./scripted-router.ts";

async function connected(options = {}) {
  const router = new ScriptedRouter();
  const client = router.client(options);
  await client.connect();
  await router.take();
  return { router, client };
}

const reqOf = (frame: SentFrame): number => frame.args[0] as number;

describe("asking", () => {
  test("the response is an event; the router is told how long it may take", async () => {
    const { router, client } = await connected();
    const answer = client.request("calculator.add", { x: 1 }, { timeout: "5s", priority: 8 });
    const [frame] = await router.take();
    expect([frame!.name, frame!.args[1], frame!.lines[0]!.slice(1)]).toEqual(["req", 5_000, ["calculator.add", { x: 1 }, { priority: 8 }]]);
    router.say(["ok", reqOf(frame!), line(0, "calculator.add", { result: 3 }, { correlationId: "r" })]);
    expect(await answer).toMatchObject({ type: "calculator.add", payload: { result: 3 }, correlationId: "r", epoch: "e1" });
    expect(router.clock.timers).toBe(0);
  });

  test("a plain one needs no other code, and overtakes nothing that was published before it, also where that waits for its code", async () => {
    const { router, client } = await connected();
    void client.request("a", 1).catch(() => {});
    expect((await router.take()).map(({ name }) => name)).toEqual(["req"]);
    expect(client.engine.engine!.publishing.part).toBeUndefined();
    client.publishBatch([["b"]]).catch(() => {});
    void client.request("a", 2).catch(() => {});
    expect((await router.take()).map(({ name }) => name)).toEqual(["pub", "req"]);
  });

  test("a refusal is the error it was", async () => {
    const { router, client } = await connected();
    const answer = client.request("a");
    const [frame] = await router.take();
    router.say(["err", reqOf(frame!), ["RemoteError", "ERR_REMOTE", "division by zero", 0, { name: "RangeError" }]]);
    await expect(answer).rejects.toMatchObject({ name: "RemoteError", message: "division by zero", details: { name: "RangeError" } });
    router.say(["ok", reqOf(frame!), line(0)], ["err", 99, ["RemoteError", "X", "", 0]]);
  });

  test("[P7] in flight at a cut: unknown; not yet sent: waits for the connection", async () => {
    const router = new ScriptedRouter();
    router.opensAtOnce = false;
    const client = router.client();
    const first = client.request("a");
    const failed = expect(first).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_CONNECTION_LOST", retryable: true });
    await settle();
    await router.clock.advance(1_000);
    router.open();
    expect((await router.take("req")).map(({ args }) => args[1])).toEqual([9_000]);
    router.cut();
    const second = client.request("b");
    await failed;
    router.open();
    const frames = await router.take("req");
    expect(frames.map(({ lines }) => lines[0]![1])).toEqual(["b"]);
    router.say(["ok", reqOf(frames[0]!), line(0, "b", 2)]);
    expect((await second).payload).toBe(2);
  });

  test("too late or aborted: the router is told that nobody waits", async () => {
    const { router, client } = await connected();
    const control = new AbortController();
    const answers = [client.request("a", null, { timeout: 100 }), client.request("b", null, { signal: control.signal })].map((one) => one.catch((error: unknown) => error));
    const reqs = (await router.take()).map(reqOf);
    await router.clock.advance(100);
    control.abort("enough");
    expect((await router.take()).map(({ name, args }) => [name, ...args])).toEqual([["cancel", reqs[0]], ["cancel", reqs[1]]]);
    expect(await Promise.all(answers)).toMatchObject([{ code: "ERR_TIMEOUT", retryable: true }, "enough"]);
    await expect(client.request("a", null, { signal: AbortSignal.abort("early") })).rejects.toBe("early");
    expect(await router.take()).toEqual([]);
  });

  test("call() asks the router itself", async () => {
    const { router, client } = await connected();
    const answer = client.call("stats", { since: 1 });
    const [frame] = await router.take();
    expect([frame!.name, ...frame!.args.slice(1)]).toEqual(["call", "stats", { since: 1 }]);
    router.say(["ok", reqOf(frame!), { events: 3 }]);
    expect(await answer).toEqual({ events: 3 });
  });
});

describe("answering", () => {
  const ask = (router: ScriptedRouter, number: number, type: string, payload: unknown): void => router.say(["ask", number, 5_000, line(0, type, payload)]);

  test("an offer goes out before what is asked after it; it is made again on a new pipe, and stopped", async () => {
    const { router, client } = await connected();
    const responder = client.respond(["a.*", "b"], () => 1);
    void client.request("b").catch(() => {});
    await expect.poll(() => router.messages).not.toEqual([]);
    const [serve, request] = await router.take();
    expect([serve!.name, serve!.args[1], request!.name]).toEqual(["serve", ["a.*", "b"], "req"]);
    router.say(["on", serve!.args[0] as number, "e1", 0]);
    expect(await responder.ready).toBe(responder);
    await router.bounce();
    expect((await router.take("serve")).map(({ args }) => args)).toEqual([serve!.args]);
    const stopped = responder.stop();
    expect((await router.take()).map(({ name, args }) => [name, ...args])).toEqual([["unsub", serve!.args[0]]]);
    router.say(["end", serve!.args[0] as number]);
    await stopped;
  });

  test("what the handler returns is the answer; what it throws crosses by name and message, never its stack", async () => {
    const { router, client } = await connected();
    client.respond("ok.*", async (request) => ({ twice: (request.payload as number) * 2 }));
    client.respond("bad.*", (request) => {
      if (request.type === "bad.bigint") return 1n;
      if (request.type === "bad.text") throw "plain";
      throw new RangeError("too far");
    });
    await expect.poll(() => router.messages).not.toEqual([]);
    await router.take();
    ask(router, 1, "ok.x", 4);
    ask(router, 2, "bad.x", 0);
    ask(router, 3, "bad.text", 0);
    ask(router, 4, "bad.bigint", 0);
    ask(router, 5, "nobody", 0);
    const answers = (await router.take()).sort((a, b) => reqOf(a) - reqOf(b));
    expect(answers.find(({ name }) => name === "answer")).toMatchObject({ args: [1], lines: [{ twice: 8 }] });
    expect(answers.filter(({ name }) => name === "fail").map(({ args }) => args)).toMatchObject([
      [2, ["RemoteError", "ERR_REMOTE", "too far", 0, { name: "RangeError" }]],
      [3, ["RemoteError", "ERR_REMOTE", "plain", 0, { name: "Error" }]],
      [4, ["RemoteError", "ERR_PAYLOAD", expect.stringContaining("bigint"), 0, { name: "ValidationError" }]],
      [5, ["RemoteError", "ERR_RESPONDER_STOPPED", expect.anything(), 0, { name: "SubscriptionError" }]],
    ]);
  });

  test("a schema checks requests, and hands on what it makes of them", async () => {
    const { router, client } = await connected();
    const schema: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: async (value) => (typeof value === "string" ? { value: value.length } : { issues: [{ message: "Expected a string" }] }) } };
    client.respond("a", { schema }, (request) => request.payload);
    await expect.poll(() => router.messages).not.toEqual([]);
    await router.take();
    ask(router, 1, "a", "four");
    ask(router, 2, "a", 4);
    expect((await router.take()).sort((a, b) => reqOf(a) - reqOf(b)).map(({ name, args, lines }) => [name, args[0], lines[0] ?? (args[1] as unknown[])[1]])).toEqual([["answer", 1, 4], ["fail", 2, "ERR_SCHEMA"]]);
  });

  test("an answer to a question of an older session is for nobody", async () => {
    const { router, client } = await connected();
    let answer: (payload: unknown) => void = () => {};
    client.respond("a", () => new Promise((resolve) => { answer = resolve; }));
    await expect.poll(() => router.messages).not.toEqual([]);
    ask(router, 1, "a", 0);
    await router.bounce();
    await router.take();
    answer(1);
    expect(await router.take()).toEqual([]);
  });

  test("a refusal rejects ready; if nobody asks for it, onError is told once", async () => {
    const { router, client } = await connected();
    const told = vi.fn();
    client.onError((error) => told(error));
    const seen = client.respond("a", () => {});
    client.respond("b", () => {});
    const waiting = expect(seen.ready).rejects.toMatchObject({ code: "ERR_PERMISSION" });
    await expect.poll(() => router.messages).not.toEqual([]);
    for (const { args } of await router.take()) router.say(["end", args[0] as number, ["PermissionError", "ERR_PERMISSION", "no", 0]]);
    await waiting;
    await settle();
    expect(told.mock.calls).toMatchObject([[{ code: "ERR_PERMISSION" }]]);
  });
});

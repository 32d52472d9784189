import { transformSync } from "esbuild";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { Handler } from "../../src/client/handle-events.ts";
import { EventEnabledAgent, eventHandler, EventRouterClient, type HandlerMap, type RouterEvent } from "../../src/index.ts";
import { publishAndWait } from "../../src/patterns/publish-and-wait.ts";
import { inProcess } from "../contract/router/homes.ts";
import { collector, type Home } from "../contract/router/kit.ts";
import { ScriptedRouter } from "../client/scripted-router.ts";

const homes: Home[] = [];
async function home(): Promise<Home> {
  const one = await inProcess("memory")();
  homes.push(one);
  return one;
}
afterEach(() => Promise.all(homes.splice(0).map((one) => one.close())));

describe("handlers", () => {
  test("are inherited, may be several patterns for one method, and have options of subscriptions", async () => {
    const { connect } = await home();
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    class Base extends EventEnabledAgent {
      static override readonly handlers: HandlerMap = { "a.* b": "low", end: "end" };
      low({ type }: RouterEvent): void { seen.push(`low ${type}`); }
      end(): void { done.resolve(); }
    }
    class Derived extends Base {
      static override readonly handlers: HandlerMap = { c: { method: "high", filter: { payload: { $gt: 1 } }, retry: { maxRetries: 1, delay: 1 } } };
      high({ payload }: RouterEvent, { attempt }: { attempt: number }): void {
        seen.push(`high ${String(payload)} ${attempt}`);
        if (attempt === 1) throw new Error("again");
      }
    }
    const client = connect();
    await using _agent = await new Derived(client, { id: "d" }).start();
    for (const [type, payload] of [["a.x", 1], ["b", 1], ["c", 1], ["c", 2]] as const) await client.publish(type, payload);
    await expect.poll(() => seen.length).toBe(4);
    await client.publish("end", 1);
    await done.promise;
    expect(seen.sort()).toEqual(["high 2 1", "high 2 2", "low a.x", "low b"]);
  });

  test("a decorator says the same; applied as a compiler of standard decorators applies it", async () => {
    const { connect } = await home();
    const got = collector();
    class Agent extends EventEnabledAgent {
      handleTask(event: RouterEvent): void { got.handler(event); }
    }
    const initializers: ((this: unknown) => void)[] = [];
    eventHandler("task.assigned")(Agent.prototype.handleTask as never, { kind: "method", name: "handleTask", addInitializer: (initializer) => void initializers.push(initializer) });
    const client = connect();
    const agent = new Agent(client, { id: "a" });
    for (const initialize of initializers) initialize.call(agent);
    await agent.start();
    await client.publish("task.assigned", { id: 1 });
    expect((await got.count(1)).map(({ payload }) => payload)).toEqual([{ id: 1 }]);
  });

  test("with the decorator's syntax, compiled", async () => {
    const { connect } = await home();
    const folder = mkdtempSync(fileURLToPath(new URL("./compiled-", import.meta.url)));
    try {
      const source = `import { EventEnabledAgent, eventHandler } from ${JSON.stringify(fileURLToPath(new URL("../../src/index.ts", import.meta.url)))};
        export class Agent extends EventEnabledAgent {
          #tasks = [];
          get tasks() { return this.#tasks; }
          @eventHandler("task.assigned other.*", { from: "start" })
          async handleTask(event) { this.#tasks.push(event.type); await this.publish("task.completed", { task_id: event.payload.id }); }
        }`;
      const file = join(folder, "agent.mjs");
      writeFileSync(file, transformSync(source, { loader: "js", target: "es2022" }).code);
      const { Agent } = await import(file) as { Agent: new (...args: ConstructorParameters<typeof EventEnabledAgent>) => EventEnabledAgent & { readonly tasks: readonly string[] } };
      const client = connect();
      const got = collector();
      await client.subscribe("task.completed", got.handler);
      await client.publish("task.assigned", { id: 1 });
      const [one, two] = await Promise.all([new Agent(client, { id: "one" }).start(), new Agent(client, { id: "two" }).start()]);
      await client.publish("other.x", { id: 2 });
      await got.count(4);
      expect([one!.tasks, two!.tasks]).toEqual([["task.assigned", "other.x"], ["task.assigned", "other.x"]]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("what is no method, and a class that is no agent, is told by name", async () => {
    const { connect } = await home();
    class Wrong extends EventEnabledAgent { static override readonly handlers = { a: "handle" }; }
    await expect(new Wrong(connect(), { id: "w" }).start()).rejects.toMatchObject({ name: "ValidationError", message: expect.stringContaining("no method handle") });
    expect(() => eventHandler("a")(() => {}, { kind: "field", name: "x", addInitializer() {} })).toThrow("for methods");
    expect(() => eventHandler("a")(() => {}, { kind: "method", name: "x", addInitializer: (initializer) => initializer.call({}) })).toThrow("EventEnabledAgent");
    expect(() => new EventEnabledAgent(connect(), { id: "" })).toThrow("id must be");
  });

  test("surround puts a middleware round them", async () => {
    const { connect } = await home();
    const attempts: number[] = [];
    class Sturdy extends EventEnabledAgent<ReturnType<typeof connect>> {
      static override readonly handlers = { a: "handle" };
      override surround(handler: Handler): Handler { return this.client.errorHandler({ maxRetries: 2, delay: 1 })(handler); }
      handle(_: RouterEvent, { attempt }: { attempt: number }): void {
        attempts.push(attempt);
        if (attempt < 3) throw new Error("again");
      }
    }
    const client = connect();
    await new Sturdy(client, { id: "s" }).start();
    await client.publish("a", 1);
    await expect.poll(() => attempts).toEqual([1, 2, 3]);
  });
});

describe("the life of an agent", () => {
  test("stopping finishes what runs, then says so; a signal ends the waiting", async () => {
    const { connect } = await home();
    const observer = connect();
    const got = collector();
    await observer.subscribe("**", got.handler);
    const gate = Promise.withResolvers<void>();
    class Slow extends EventEnabledAgent {
      static override readonly handlers = { a: "handle" };
      async handle(event: RouterEvent): Promise<void> {
        await gate.promise;
        await this.reply(event, "b", event.payload);
      }
    }
    const agent = new Slow(connect(), { id: "s" });
    expect(agent.state).toBe("idle");
    expect([await agent.start(), await agent.start(), agent.state]).toEqual([agent, agent, "running"]);
    await observer.publish("a", 7);
    await got.count(2);
    const stopped = agent.stop();
    gate.resolve();
    await stopped;
    expect([(await got.count(4)).map(({ type, correlationId }) => [type, correlationId]), agent.state]).toEqual([[["agent.started", undefined], ["a", undefined], ["b", got.events[1]!.id], ["agent.stopped", undefined]], "stopped"]);

    const began = Promise.withResolvers<void>();
    class Stuck extends Slow {
      override async handle(): Promise<void> {
        began.resolve();
        await new Promise(() => {});
      }
    }
    const stuck = await new Stuck(connect(), { id: "stuck" }).start();
    await observer.publish("a", 8);
    await began.promise;
    await expect(stuck.stop({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("one that cannot subscribe does not start, and leaves nothing", async () => {
    const { connect } = await home();
    class Refused extends EventEnabledAgent { static override readonly handlers = { "a.": "handle", b: "handle" }; handle(): void {} }
    const client = connect();
    const agent = new Refused(client, { id: "r" });
    await expect(agent.start()).rejects.toMatchObject({ code: "ERR_PATTERN" });
    expect(agent.state).toBe("stopped");
    expect(await client.call("subscriptions")).toEqual([]);
  });
});

describe("publishAndWait", () => {
  test("an answer that comes with the receipt is not missed", async () => {
    const { connect } = await home();
    const [client, worker] = [connect(), connect()];
    await worker.subscribe("ask", (event) => worker.publish("answer", (event.payload as number) + 1, { correlationId: event.correlationId! }));
    for (let i = 0; i < 20; i++) expect((await publishAndWait(client, "ask", i, { waitFor: ["answer", "no"] })).payload).toBe(i + 1);
    expect((await client.call("subscriptions") as { topics: string[] }[]).map(({ topics }) => topics)).toEqual([["ask"]]);
  });

  test("no answer in time leaves neither timer nor subscription; a closed client waits no longer", async () => {
    const router = new ScriptedRouter();
    const client = router.client();
    await client.connect();
    await router.take();
    const ask = async (): Promise<{ answer: Promise<unknown>; sub: number }> => {
      const answer = publishAndWait(client, "ask", 1, { waitFor: "answer", timeout: "5s" });
      answer.catch(() => {});
      const [sub] = await router.take("sub");
      router.say(["on", sub!.args[0] as number, "e1", 0]);
      router.acknowledge(await router.take("pub"), 1);
      await router.take();
      return { answer, sub: sub!.args[0] as number };
    };
    const { answer, sub } = await ask();
    expect(router.clock.timers).toBe(1);
    await router.clock.advance(5_000);
    expect((await router.take("unsub")).map(({ args }) => args[0])).toEqual([sub]);
    router.say(["end", sub]);
    await expect(answer).rejects.toMatchObject({ name: "TimeoutError", code: "ERR_TIMEOUT" });
    const other = await ask();
    const closed = client.close();
    await router.take();
    router.say(["end", other.sub]);
    await closed;
    await expect(other.answer).rejects.toMatchObject({ code: "ERR_CLOSED" });
    expect(router.clock.timers).toBe(0);
  });
});

test("an application's client, with events of its own, runs agents", async () => {
  await using client = new EventRouterClient();
  const agent: EventEnabledAgent<EventRouterClient> = new EventEnabledAgent(client, { id: "x" });
  expect(agent.client).toBe(client);
});

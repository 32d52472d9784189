import { transformSync } from "esbuild";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { discoverAgents, EventEnabledAgent, OrchestratorMixin } from "../../src/index.ts";
import type { PatternClient } from "../../src/pattern-client.ts";
import { webSocket } from "../contract/router/homes.ts";
import { collector, type Home } from "../contract/router/kit.ts";

const text = readFileSync(new URL("../../docs/patterns.md", import.meta.url), "utf8");
/** Examples by the heading they stand under. */
const examples = new Map([...text.matchAll(/^## (.+)\n[\s\S]*?```ts\n([\s\S]*?)```/gm)].map(([, heading, code]) => [heading!, code!]));

let home: Home;
let client: PatternClient;
beforeAll(async () => {
  home = await webSocket("sqlite")();
  client = home.connect();
});
afterAll(() => home.close());

/** Runs an example with what it takes for granted, and returns a variable of it. */
function run<T = void>(heading: string, given: Readonly<Record<string, unknown>> = {}, result = "undefined"): Promise<T> {
  const all = { client, ...given };
  const { code } = transformSync(`return (async () => { ${examples.get(heading)!}\nreturn ${result}; })()`, { loader: "js", target: "es2022" });
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the page's own examples
  const program = new Function(...Object.keys(all), code) as (...values: unknown[]) => Promise<T>;
  return program(...Object.values(all));
}

const printed = () => {
  const lines: string[] = [];
  return { lines, console: { log: (line: string) => lines.push(line) } };
};

test("Retry and dead letters", async () => {
  const { lines, console } = printed();
  await run("Retry and dead letters", { console });
  await client.publish("user.created", { id: 7 });
  await expect.poll(() => lines).toEqual(["user 7, attempt 3"]);
});

test("Circuit breaker", async () => {
  class ApiError extends Error {}
  const called: unknown[] = [];
  client.onError(() => {});
  await run("Circuit breaker", { ApiError, externalApi: { call(payload: unknown) {
    called.push(payload);
    if (called.length <= 2) throw new ApiError("503");
  } } });
  await client.publishBatch([1, 2, 3, 4].map((n) => ["external.api.call", n] as const));
  await expect.poll(() => called).toEqual([1, 2, 3, 4]);
});

test("Work shared by processes", async () => {
  const done: unknown[] = [];
  await run("Work shared by processes", { resize: (payload: unknown) => void done.push(payload), audit: (payload: unknown) => void done.push(payload) });
  expect(done).toEqual([]);
  await client.publish("audit.login", { who: "Ada" });
  await expect.poll(() => done).toEqual([{ who: "Ada" }, { file: "a.png" }]);
});

test("Windows", async () => {
  const averages = collector();
  await client.subscribe("average.metrics", averages.handler);
  const running = run("Windows");
  await expect.poll(async () => (await client.call("subscriptions") as { topics: string[] }[]).some(({ topics }) => topics.includes("metrics.*"))).toBe(true);
  await client.publishBatch([1, 2, 6].map((value) => ["metrics.cpu", { value }] as const));
  await running;
  expect((await averages.count(1)).map(({ payload }) => payload)).toContainEqual({ value: 3 });
});

test("Event streams", async () => {
  const { lines, console } = printed();
  expect(await run("Event streams", { console }, "order")).toEqual({ items: ["book"], total: 9 });
  expect(lines).toEqual(["Version 0: order.created", "Version 1: order.priced", "Version 2: order.paid"]);
});

test("Sagas", async () => {
  const got = collector();
  await client.subscribe(["inventory.reserve", "payment.process", "shipping.create", "inventory.release"], got.handler);
  expect(await run("Sagas", {}, "status")).toBeUndefined();
  await expect.poll(async () => (await client.call("subscriptions") as { group?: string }[]).some(({ group }) => group === "saga:process_order")).toBe(true);
  const end = async (key: string, status: string): Promise<void> => expect.poll(async () => (await client.sagas("process_order").get(key))?.status).toBe(status);
  await client.publish("order.created", { id: "o-1", items: ["book"] });
  await client.publish("inventory.reserved", { order_id: "o-1" });
  await client.publish("payment.completed", { order_id: "o-1" });
  await end("o-1", "completed");
  await client.publish("order.created", { id: "o-2", items: ["unicorn"] });
  await client.publish("inventory.failed", { order_id: "o-2", error: "out of stock" });
  await end("o-2", "compensated");
  expect((await got.count(5)).map(({ type }) => type)).toEqual(["inventory.reserve", "payment.process", "shipping.create", "inventory.reserve", "inventory.release"]);
});

test("Agents", async () => {
  const got = collector();
  await client.subscribe(["workflow.*", "review.needed", "agent.stopped"], got.handler);
  expect(await run("Agents", { EventEnabledAgent, OrchestratorMixin, discoverAgents }, "found")).toEqual([{ id: "reviewer-1", capabilities: ["review"] }]);
  expect((await got.count(3)).map(({ type }) => type)).toEqual(["workflow.started", "review.needed", "agent.stopped"]);
});

test("each example is run", () => {
  expect([...examples.keys()]).toEqual(["Retry and dead letters", "Circuit breaker", "Work shared by processes", "Windows", "Event streams", "Sagas", "Agents"]);
  expect([...text.matchAll(/```ts/g)]).toHaveLength(examples.size);
});

import { expect, test } from "vitest";
import { EventRouterClient, type RouterEvent } from "../../src/index.ts";
import { publishSystemMetrics } from "../../src/cli/system-metrics.ts";
import { startRouter } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

type Numbers = Readonly<Record<string, number>>;

test("with --system-metrics each second brings cpu, memory and loop of the machine", async () => {
  const { router, url } = await startRouter(["--system-metrics"]);
  await using _ = router;
  await using client = new EventRouterClient({ url: url.replace(/^http/, "ws") });
  const events: RouterEvent[] = [];
  for await (const event of client.stream("system.*", { from: "start" })) if (events.push(event) === 6) break;
  expect(events.map(({ type }) => type)).toEqual(["system.cpu", "system.memory", "system.loop", "system.cpu", "system.memory", "system.loop"]);
  expect(new Set(events.map(({ source }) => source))).toEqual(new Set(["system"]));
  for (const { type, payload } of events as (RouterEvent & { payload: Numbers })[]) {
    for (const [name, value] of Object.entries(payload)) expect(value, `${type} ${name}`).toBeGreaterThanOrEqual(0);
    if (type === "system.cpu") {
      expect(payload).toEqual({ percent: expect.any(Number), cores: expect.any(Number), load1: expect.any(Number) });
      expect(payload.percent).toBeLessThanOrEqual(100);
      expect(payload.cores).toBeGreaterThanOrEqual(1);
    } else if (type === "system.memory") {
      expect(payload).toEqual({ percent: expect.any(Number), used: expect.any(Number), total: expect.any(Number), rss: expect.any(Number) });
      expect(payload.percent).toBeCloseTo((payload.used! / payload.total!) * 100, 0);
      expect(payload.rss).toBeGreaterThan(10 * 1024 * 1024);
      expect(payload.rss).toBeLessThan(payload.total!);
    } else {
      expect(payload).toEqual({ mean: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) });
      expect(payload.p99).toBeLessThanOrEqual(payload.max! + 0.1);
    }
  }
  router.child.kill("SIGTERM");
  expect(await router.ended).toMatchObject({ code: 0, err: "event-router: stopped\n" });
});

test("a streak of failures is told once, and ends nothing", async () => {
  const stop = new AbortController();
  const told: unknown[] = [];
  // Two fail, one works, one fails, and then it is over.
  const outcomes = [false, false, true, false];
  let calls = 0;
  const client = { publishEvents: () => (outcomes[calls++] ? Promise.resolve([]) : Promise.reject(new Error(`no ${calls}`))) } as unknown as EventRouterClient;
  const onError = (error: unknown): void => {
    told.push((error as Error).message);
    if (calls === outcomes.length) stop.abort();
  };
  await publishSystemMetrics({ client, signal: stop.signal, onError });
  expect(told).toEqual(["no 1", "no 4"]);
});

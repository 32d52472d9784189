import { expect, test } from "vitest";
import { prometheusMetrics } from "../../src/http/prometheus.ts";
import { httpApp } from "./http-app.ts";

const facts = () => ({ cpuSeconds: 1.5, startSeconds: 1_700_000_000, residentBytes: 1_000, heapBytes: 500 });

test("stats are those of the seed and more, in snake_case", async () => {
  const { post, get, join } = httpApp();
  const reader = await join();
  reader.subscribe(1, "a.*");
  await expect.poll(() => reader.named("on").length).toBe(1);
  await post("/api/v1/events", [{ type: "a.b" }, { type: "c.d" }]);
  await post("/api/v1/events", { type: "not*a*type" });
  const { body } = await get("/api/v1/stats");
  expect(body).toMatchObject({ events_published: 2, events_delivered: 1, events_refused: 1, active_subscriptions: 1, queue_depth: 0, total_events: 2, error_rate: 1 / 3, uptime: expect.any(Number) });
  expect(Object.keys(body).filter((key) => /[A-Z]/.test(key))).toEqual([]);
});

test("subscriptions are listed", async () => {
  const { get, join } = httpApp();
  const reader = await join();
  reader.subscribe(7, { topics: ["a.*", "b"] } as never);
  await expect.poll(() => reader.named("on").length).toBe(1);
  const session = reader.welcome!.session;
  expect((await get("/api/v1/subscriptions")).body).toEqual([{ id: `${session}:7`, topics: ["a.*", "b"], client_id: session, lag: 0, in_flight: 0 }]);
});

test("health is as in the seed", async () => {
  expect(await httpApp().get("/health")).toMatchObject({ status: 200, body: { status: "healthy", checks: { transport: "ok", persistence: "ok", queue: "ok" } } });
});

/** The rules of `promtool check metrics`: each family has help and type before its samples, counters end in _total and nothing else does, names and units are sound. */
function lint(text: string): string[] {
  const faults: string[] = [];
  const types = new Map<string, string>();
  const helps = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") helps.add(name!);
    else if (kind === "TYPE") types.set(name!, rest!);
    else {
      const [, sample, value] = /^([a-z_][a-z0-9_]*)(?:\{(?:[a-z_]+="[^"\\\n]*",?)*\})? (\S+)$/.exec(line) ?? [];
      if (sample === undefined || Number.isNaN(Number(value))) faults.push(`malformed: ${line}`);
      else if (!types.has(sample) || !helps.has(sample)) faults.push(`no help or type before: ${line}`);
    }
  }
  for (const [name, type] of types) {
    if ((type === "counter") !== name.endsWith("_total")) faults.push(`${name} is a ${type}`);
    if (/_(count|sum|bucket|milliseconds|ms|kilobytes)$/.test(name)) faults.push(`${name} has a bad ending`);
  }
  return faults;
}

test("metrics are Prometheus' text, with the seed's names, and promtool would not complain", async () => {
  let metrics = async () => ({ type: "", text: "" });
  const { post, get, router } = httpApp({ metrics: () => metrics() });
  metrics = prometheusMetrics(router, facts);
  await post("/api/v1/events", [{ type: "a.b" }, { type: "c.d" }]);
  await post("/api/v1/events?namespace=other", { type: "a.b" });
  await get("/metrics");
  const { body, type } = await get("/metrics");
  expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(lint(body)).toEqual([]);
  expect(body).toContain("# TYPE event_router_events_published_total counter");
  expect(body).toContain('event_router_events_published_total{namespace="default"} 2\n');
  expect(body).toContain('event_router_events_published_total{namespace="other"} 1\n');
  for (const line of ["event_router_healthy 1", "event_router_namespaces 2", "process_cpu_seconds_total 1.5", "process_resident_memory_bytes 1000"]) expect(body).toContain(`${line}\n`);
});

test("many namespaces share one label", async () => {
  const { post, router } = httpApp();
  for (let i = 0; i < 60; i++) await post(`/api/v1/events?namespace=n${i}`, { type: "a" });
  const { text } = await prometheusMetrics(router, facts)();
  expect(text.match(/^event_router_events_published_total\{/gm)).toHaveLength(51);
  expect(text).toContain('event_router_events_published_total{namespace="_other"} 10');
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve } from "../../src/hosts/server.ts";
import { processMetrics } from "../../src/hosts/process-facts.ts";
import { exposition } from "../../src/http/exposition.ts";
import { routerMetrics } from "../../src/http/metrics.ts";
import { lintMetrics } from "../support/promtool.ts";
import { httpApp } from "./http-app.ts";

/** The values of a figure, by labels as they are written. */
function figures(text: string, name: string): Record<string, number> {
  return Object.fromEntries([...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, "gm"))].map(([, labels = "", value]) => [labels, Number(value)]));
}

test("promtool finds nothing wrong with the metrics of a router at work, and they agree with what was done", async () => {
  await using server = await serve({ port: 0, limits: { windowEvents: 2 } });
  await using client = new EventRouterClient({ url: server.url, name: "worker" });
  client.onError(() => {});
  const subscriptions = [
    await client.subscribe({ topics: ["job.*"], group: "workers", retry: { maxRetries: 1, delay: 1 }, deadLetter: true, handler: ({ payload }) => { if (payload === 1) throw new Error("no"); } }),
    await client.subscribe({ topics: ["a.*"], durable: "nightly", handler: () => {} }),
  ];
  await client.respond("calculator.add", () => 3).ready;
  await client.request("calculator.add");
  await client.publishBatch([["job.a", 1], ["job.b", 2]]);
  await client.publish("a.b", 1);
  await fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"type":"not*a*type"}' });
  const scrape = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
  await expect.poll(async () => figures(await scrape(), "event_router_handler_duration_seconds_count")).toEqual({ 'namespace="default"': 3 });
  await expect.poll(async () => figures(await scrape(), "event_router_dead_letters")).toEqual({ 'namespace="default"': 1 });
  const text = await scrape();
  expect(lintMetrics(text)).toEqual([]);
  const all = 'namespace="default"';
  expect(figures(text, "event_router_events_redelivered_total")[all]).toBe(1);
  expect(figures(text, "event_router_events_dead_total")[all]).toBe(1);
  expect(figures(text, "event_router_events_refused_total")[all]).toBe(1);
  expect(figures(text, "event_router_request_duration_seconds_count")[all]).toBe(1);
  expect(figures(text, "event_router_publish_duration_seconds_count")[all]).toBeGreaterThanOrEqual(2);
  expect(figures(text, "event_router_store_append_duration_seconds_count")[all]).toBeGreaterThan(0);
  expect(Object.keys(figures(text, "event_router_reader_lag_events")).toSorted()).toEqual([`${all},kind="durable",name="nightly"`, `${all},kind="group",name="workers"`]);
  for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "event_router_healthy"]) expect(figures(text, name)[""]).toBeGreaterThan(0);
  await Promise.all(subscriptions.map((one) => one.unsubscribe()));
});

test("a reader that stalls is counted", async () => {
  const { join, post, router } = httpApp({ router: { limits: { windowEvents: 2 } } });
  const reader = await join();
  reader.subscribe(1, "a");
  await expect.poll(() => reader.named("on").length).toBe(1);
  for (let i = 0; i < 5; i++) await post("/api/v1/events", { type: "a" });
  expect(figures((await routerMetrics(router)()).text, "event_router_credit_stalls_total")['namespace="default"']).toBeGreaterThan(0);
});

test("many namespaces share one label, and so do many readers", async () => {
  const { post, router, join } = httpApp();
  for (let i = 0; i < 60; i++) await post(`/api/v1/events?namespace=n${i}`, { type: "a" });
  const { text } = await routerMetrics(router)();
  expect(Object.keys(figures(text, "event_router_events_published_total"))).toHaveLength(51);
  expect(figures(text, "event_router_events_published_total")['namespace="_other"']).toBe(10);
  expect(figures(text, "event_router_publish_duration_seconds_count")['namespace="_other"']).toBe(10);
  const reader = await join();
  for (let i = 0; i < 60; i++) reader.say(["sub", i + 1, { topics: ["a"], durable: `d${i}` }]);
  await expect.poll(() => reader.named("on").length).toBe(60);
  const { text: later } = await routerMetrics(router)();
  // The log of this reader's namespace came last, so even its name is among the others.
  expect(Object.keys(figures(later, "event_router_reader_lag_events"))).toEqual(['namespace="_other",kind="durable",name="_other"']);
  expect(lintMetrics(later)).toEqual([]);
});

test("labels cannot break the text, and a histogram's buckets add up", () => {
  const { text, type } = exposition([
    { type: "gauge", name: "odd_labels", help: "Back\\slash and\nline", samples: [{ labels: { name: 'a"b\\c\nd' }, value: 1 }] },
    { type: "histogram", name: "some_duration_seconds", help: "Some", samples: [{ buckets: [[0.1, 1], [1, 3]], sum: 5.5, count: 4 }] },
    { type: "gauge", name: "none", help: "None", samples: [] },
    ...processMetrics(),
  ]);
  expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(text).toContain('odd_labels{name="a\\"b\\\\c\\nd"} 1\n');
  expect(text).toContain('some_duration_seconds_bucket{le="0.1"} 1\nsome_duration_seconds_bucket{le="1"} 3\nsome_duration_seconds_bucket{le="+Inf"} 4\nsome_duration_seconds_sum 5.5\nsome_duration_seconds_count 4\n');
  expect(text).not.toContain("none");
  expect(lintMetrics(text)).toEqual([]);
});

test("each figure that the Grafana dashboard shows is there, and none of the router's is left out", async () => {
  const dashboard = readFileSync("docs/grafana-dashboard.json", "utf8");
  const { panels } = JSON.parse(dashboard) as { panels: { id: number; title: string; gridPos: { x: number; w: number }; targets: { expr: string }[] }[] };
  const { router, join } = httpApp();
  const reader = await join();
  reader.say(["sub", 1, { topics: ["a"], durable: "d" }]);
  await expect.poll(() => reader.named("on").length).toBe(1);
  const { text } = await routerMetrics(router, processMetrics)();
  const there = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  const shown = new Set(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => [...expr.matchAll(/\b(?:event_router|process)_\w+/g)].map(([name]) => name.replace(/_bucket$/, "")))));
  expect([...shown].filter((name) => !there.includes(name))).toEqual([]);
  expect(there.filter((name) => !shown.has(name))).toEqual(["event_router_build_info"]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
});

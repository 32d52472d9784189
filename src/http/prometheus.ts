import { Counter, Gauge, Registry } from "prom-client";
import type { Router } from "../core/router.ts";

/** What the host knows of its process. */
export interface ProcessFacts {
  /** Seconds of processor time so far, and seconds since 1970 when it began. */
  readonly cpuSeconds: number;
  readonly startSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** Namespaces that have figures of their own; the others share those of `_other`, so that a scrape stays small. */
const NAMED = 50;

/** Counters and gauges of a namespace: name, the figure of `router.stats()`, what it is. */
const counters = [
  ["event_router_events_published_total", "eventsPublished", "Total events published"],
  ["event_router_events_delivered_total", "eventsDelivered", "Total events sent to subscribers"],
  ["event_router_events_refused_total", "eventsRefused", "Total events that were refused"],
  ["event_router_late_answers_total", "lateAnswers", "Total answers to requests that nobody waited for any more"],
] as const;
const gauges = [
  ["event_router_active_subscriptions", "activeSubscriptions", "Subscriptions that are open"],
  ["event_router_connections", "connections", "Sessions that are open"],
  ["event_router_queue_depth", "queueDepth", "Events that wait to be written or to be sent to a subscriber that is behind"],
  ["event_router_open_requests", "openRequests", "Requests that wait for an answer"],
  ["event_router_log_events", "totalEvents", "Events in the log"],
  ["event_router_log_characters", "totalSize", "Characters of the events in the log"],
] as const;

/** The figures of a router and its process in Prometheus' text format, in a registry of their own. */
export function prometheusMetrics(router: Pick<Router, "stats" | "health">, process: () => ProcessFacts): () => Promise<{ readonly type: string; readonly text: string }> {
  const registry = new Registry();
  const registers = [registry];

  const byNamespace = (key: string): Map<string, number> => {
    const sums = new Map<string, number>();
    let named = 0;
    for (const [namespace, stats] of router.stats()) {
      const label = named++ < NAMED ? namespace : "_other";
      sums.set(label, (sums.get(label) ?? 0) + Number(stats[key]));
    }
    return sums;
  };
  for (const [name, key, help] of counters) {
    new Counter({ name, help, registers, labelNames: ["namespace"], collect() {
      // The router counts; this only shows its counts.
      this.reset();
      for (const [namespace, sum] of byNamespace(key)) this.inc({ namespace }, sum);
    } });
  }
  for (const [name, key, help] of gauges) {
    new Gauge({ name, help, registers, labelNames: ["namespace"], collect() {
      this.reset();
      for (const [namespace, sum] of byNamespace(key)) this.set({ namespace }, sum);
    } });
  }
  const single = (name: string, help: string, value: () => number): void => void new Gauge({ name, help, registers, collect() { this.set(value()); } });
  single("event_router_healthy", "1 if the router is well, else 0", () => (router.health().healthy ? 1 : 0));
  single("event_router_namespaces", "Namespaces that are open", () => router.stats().size);
  new Counter({ name: "process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds", registers, collect() {
    this.reset();
    this.inc(process().cpuSeconds);
  } });
  single("process_start_time_seconds", "Start time of the process since unix epoch in seconds", () => process().startSeconds);
  single("process_resident_memory_bytes", "Resident memory size in bytes", () => process().residentBytes);
  single("process_heap_bytes", "Process heap size in bytes", () => process().heapBytes);

  return async () => ({ type: registry.contentType, text: await registry.metrics() });
}

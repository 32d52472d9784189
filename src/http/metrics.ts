import { BUCKETS, type Histogram } from "../core/histogram.ts";
import type { Measures } from "../core/measures.ts";
import type { Router } from "../core/router.ts";
import { VERSION } from "../core/version.ts";
import { exposition, type Family, type HistogramSample, type Sample } from "./exposition.ts";

/** Namespaces, and named readers of one of them, that have figures of their own; the others share those of `_other`, so that a scrape stays small. */
const NAMED = 50;
const OTHER = "_other";

/** Of a namespace: name, the figure of `router.stats()`, what it is. */
const counters = [
  ["event_router_events_published_total", "eventsPublished", "Total events published"],
  ["event_router_events_delivered_total", "eventsDelivered", "Total events sent to subscribers"],
  ["event_router_events_redelivered_total", "eventsRedelivered", "Total events given to a member of a group again"],
  ["event_router_events_dead_total", "eventsDead", "Total events that failed for good"],
  ["event_router_events_refused_total", "eventsRefused", "Total events that were refused"],
  ["event_router_credit_stalls_total", "creditStalls", "Total times a subscription was held up for want of credit"],
  ["event_router_late_acks_total", "lateAcks", "Total acknowledgements that came too late"],
  ["event_router_late_answers_total", "lateAnswers", "Total answers to requests that nobody waited for any more"],
] as const;
const gauges = [
  ["event_router_active_subscriptions", "activeSubscriptions", "Subscriptions that are open"],
  ["event_router_connections", "connections", "Sessions that are open"],
  ["event_router_queue_depth", "queueDepth", "Events that wait to be written or to be sent to a subscriber that is behind"],
  ["event_router_dead_letters", "deadLetters", "Dead letters that are open"],
  ["event_router_delayed_events", "delayedEvents", "Events that are held back until their time"],
  ["event_router_open_requests", "openRequests", "Requests that wait for an answer"],
  ["event_router_log_events", "totalEvents", "Events in the log"],
  ["event_router_log_characters", "totalSize", "Characters of the events in the log"],
] as const;
const histograms = [
  ["event_router_publish_duration_seconds", "publish", "From a publish to its answer"],
  ["event_router_store_append_duration_seconds", "append", "Transactions of the store"],
  ["event_router_handler_duration_seconds", "handler", "From an event given to a member of a group to its acknowledgement"],
  ["event_router_request_duration_seconds", "request", "From a request to its responder's answer"],
] as const;

/** The figures of a router in Prometheus' text format, and those its host adds. The router counts; this only shows its counts. */
export function routerMetrics(router: Pick<Router, "stats" | "measures" | "lags" | "health">, own: () => readonly Family[] = () => []): () => Promise<{ readonly type: string; readonly text: string }> {
  return async () => {
    const stats = router.stats();
    const labelOf = labels([...stats.keys()]);
    const sums = (key: string): Sample[] => summed([...stats].map(([namespace, figures]) => [labelOf(namespace), Number(figures[key])]));
    return exposition([
      { type: "gauge", name: "event_router_build_info", help: "1, with the version", samples: [{ labels: { version: VERSION }, value: 1 }] },
      single("event_router_healthy", "1 if the router is well, else 0", router.health().healthy ? 1 : 0),
      single("event_router_namespaces", "Namespaces that are open", stats.size),
      ...counters.map(([name, key, help]): Family => ({ type: "counter", name, help, samples: sums(key) })),
      ...gauges.map(([name, key, help]): Family => ({ type: "gauge", name, help, samples: sums(key) })),
      { type: "gauge", name: "event_router_reader_lag_events", help: "Events that a durable subscription or a group has not finished", samples: await lagSamples(router, labelOf) },
      ...histograms.map(([name, key, help]): Family => ({ type: "histogram", name, help, samples: histogramSamples(router.measures(), key, labelOf) })),
      ...own(),
    ]);
  };
}

export function single(name: string, help: string, value: number, type: "gauge" | "counter" = "gauge"): Family {
  return { type, name, help, samples: [{ value }] };
}

/** The first so many have a label of their own. */
function labels(names: readonly string[]): (name: string) => string {
  const named = new Set(names.slice(0, NAMED));
  return (name) => (named.has(name) ? name : OTHER);
}

function summed(figures: readonly (readonly [namespace: string, value: number])[]): Sample[] {
  const sums = new Map<string, number>();
  for (const [namespace, value] of figures) sums.set(namespace, (sums.get(namespace) ?? 0) + value);
  return [...sums].map(([namespace, value]) => ({ labels: { namespace }, value }));
}

/** Those that are furthest behind by name, the others together. */
async function lagSamples(router: Pick<Router, "lags">, labelOf: (namespace: string) => string): Promise<Sample[]> {
  const sums = new Map<string, { labels: { namespace: string; kind: string; name: string }; value: number }>();
  for (const [namespace, lags] of await router.lags()) {
    const label = labelOf(namespace);
    lags.toSorted((a, b) => b.lag - a.lag).forEach(({ kind, name, lag }, i) => {
      const one = { namespace: label, kind, name: label === OTHER || i >= NAMED ? OTHER : name };
      const key = JSON.stringify(one);
      sums.set(key, { labels: one, value: (sums.get(key)?.value ?? 0) + lag });
    });
  }
  return [...sums.values()];
}

function histogramSamples(all: ReadonlyMap<string, Measures>, key: keyof Measures, labelOf: (namespace: string) => string): HistogramSample[] {
  const merged = new Map<string, { counts: Float64Array; sum: number; count: number }>();
  for (const [namespace, measures] of all) {
    const histogram: Histogram = measures[key];
    const label = labelOf(namespace);
    const into = merged.get(label) ?? { counts: new Float64Array(BUCKETS.length + 1), sum: 0, count: 0 };
    histogram.counts.forEach((count, i) => { into.counts[i]! += count; });
    merged.set(label, { counts: into.counts, sum: into.sum + histogram.sum, count: into.count + histogram.count });
  }
  return [...merged].map(([namespace, { counts, sum, count }]) => {
    let below = 0;
    return { labels: { namespace }, buckets: BUCKETS.map((bound, i) => [bound / 1_000, (below += counts[i]!)] as const), sum: sum / 1_000, count };
  });
}

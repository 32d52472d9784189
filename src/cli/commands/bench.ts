import { ConnectionError, type EventRouterClient } from "../../index.ts";
import { defineCommand, type Values } from "../command.ts";
import { exitCode } from "../failure.ts";
import { latencies, type Latencies } from "../latencies.ts";
import { counted, Progress } from "../progress.ts";
import { readCount, readSize } from "../quantity.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import type { Shell } from "../shell.ts";
import { json } from "../text.ts";

const flags = {
  events: { type: "string", value: "N", about: "publish so many events (default: 10000)" },
  size: { type: "string", value: "SIZE", about: "with a payload of so many bytes, as 100 or 4kb (default: 100)" },
  publishers: { type: "string", value: "N", about: "from so many connections (default: 1)" },
  subscribers: { type: "string", value: "N", about: "to so many connections, each of which gets all (default: 1)" },
  "in-flight": { type: "string", value: "N", about: "events of a publisher that wait for their answer at a time (default: 256)" },
  ephemeral: { type: "boolean", about: "publish events that are not stored" },
  ...routerFlags,
  namespace: { type: "string", value: "NAME", about: "the log to use; the events stay in it (default: bench)" },
} as const;

interface Load { readonly events: number; readonly payload: string; readonly publishers: number; readonly subscribers: number; readonly inFlight: number; readonly ephemeral: boolean }

export const bench = defineCommand({
  name: "bench",
  about: "measure how many events a router takes and delivers, and how fast",
  operands: [],
  flags,
  examples: [
    ["bench", "10,000 events of 100 bytes, one publisher, one subscriber"],
    ["bench --events 100000 --publishers 4 --subscribers 10 --size 1kb", "more of everything"],
    ["bench --in-flight 1 --json", "one at a time: what a single publish takes"],
  ],
  async run({ flags: given }, shell) {
    const router = routerAccess("bench", { ...given, namespace: given.namespace ?? "bench" }, shell);
    const load = readLoad(given);
    await router.reach(shell.stop);
    const clients = Array.from({ length: load.publishers + load.subscribers }, () => router.connect());
    try {
      const result = await measure(clients, load, shell);
      await shell.print(given.json ? json(result) : report(load, result));
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
    return exitCode.done;
  },
});

function readLoad(given: Values<typeof flags>): Load {
  const count = (name: "events" | "publishers" | "subscribers" | "in-flight", least: number, most: number, otherwise: number): number =>
    (given[name] === undefined ? otherwise : readCount(given[name], `--${name}`, "bench", [least, most]));
  const size = given.size === undefined ? 100 : readSize(given.size, "--size", "bench");
  return {
    events: count("events", 1, 10_000_000, 10_000), payload: "x".repeat(Math.max(size - 2, 0)), ephemeral: given.ephemeral ?? false,
    publishers: count("publishers", 1, 1_000, 1), subscribers: count("subscribers", 0, 1_000, 1), inFlight: count("in-flight", 1, 5_000, 256),
  };
}

interface Result {
  readonly published: number;
  readonly publish_seconds: number;
  readonly published_per_second: number;
  readonly publish_latency_ms: Latencies;
  readonly delivered: number;
  readonly delivered_per_second: number;
  readonly delivery_latency_ms: Latencies;
}

async function measure(clients: readonly EventRouterClient[], { events, payload, publishers, inFlight, ephemeral }: Load, shell: Shell): Promise<Result> {
  // Events of other runs, and of other programs, are not counted.
  const run = `r${Math.random().toString(36).slice(2, 12)}`;
  const type = `bench.${run}`;
  const progress = new Progress(shell, (count) => count / events);
  const sentAt = new Float64Array(events);
  const acks: number[] = [];
  const deliveries: number[] = [];
  const subscribers = clients.slice(publishers);
  let left = events * subscribers.length;
  const complete = Promise.withResolvers<void>();
  if (left === 0) complete.resolve();
  for (const client of subscribers) client.onStateChange((state) => { if (state === "offline") complete.reject(new ConnectionError("ERR_CONNECTION_LOST", "the connection of a subscriber was lost; see the router's log")); });
  // Publishing may end before anybody waits for this.
  complete.promise.catch(() => {});
  await Promise.all(subscribers.map((client) => client.subscribe(type, (event) => {
    deliveries.push(performance.now() - sentAt[Number(event.correlationId)]!);
    if (--left === 0) complete.resolve();
  })));
  const start = performance.now();
  let next = 0;
  const lane = async (client: EventRouterClient): Promise<void> => {
    while (next < events && !shell.stop.aborted) {
      const mine = next++;
      const at = (sentAt[mine] = performance.now());
      await client.publish({ type, payload, correlationId: String(mine), ephemeral });
      acks.push(performance.now() - at);
      progress.add(1, acks.length);
    }
  };
  await Promise.all(clients.slice(0, publishers).flatMap((client) => Array.from({ length: inFlight }, () => lane(client))));
  const seconds = (performance.now() - start) / 1_000;
  // Ephemeral ones may be dropped on their way to a subscriber that is slow.
  await Promise.race([complete.promise, ended(shell.stop, ephemeral ? 1_000 : undefined)]);
  const allSeconds = (performance.now() - start) / 1_000;
  progress.end();
  shell.stop.throwIfAborted();
  return {
    published: acks.length, publish_seconds: round(seconds), published_per_second: Math.round(acks.length / seconds), publish_latency_ms: latencies(acks),
    delivered: deliveries.length, delivered_per_second: Math.round(deliveries.length / allSeconds), delivery_latency_ms: latencies(deliveries),
  };
}

/** Resolves when it is time to wait no longer. */
function ended(stop: AbortSignal, patience: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    stop.addEventListener("abort", () => resolve(), { once: true });
    if (patience !== undefined) setTimeout(resolve, patience).unref();
  });
}

function report({ payload, publishers, subscribers, inFlight }: Load, result: Result): string {
  const line = (name: string, perSecond: number, { p50, p95, p99, max }: Latencies): string => `${name}: ${perSecond.toLocaleString("en-US")} events/s; latency p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
  return [
    `${counted(result.published)} of ${payload.length + 2} bytes, ${counted(publishers, "publisher")} with ${inFlight} in flight, ${counted(subscribers, "subscriber")}`,
    line("Publish", result.published_per_second, result.publish_latency_ms),
    ...(subscribers === 0 ? [] : [line("Deliver", result.delivered_per_second, result.delivery_latency_ms)]),
  ].join("\n");
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

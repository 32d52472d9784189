// Fan-out of 200-byte events that are published to one router: to subscribers of that router, and to as many of which half are at a second router on the
// same Redis. All servers share a processor, so the second cannot add deliveries here; what it costs to reach them over Redis is the CPU that a delivery
// costs the routers together, and the latency.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bench } from "./lib/bench.mjs";
import { ourRest } from "./lib/event.mjs";
import { measureFanOut } from "./lib/fan-out.mjs";
import { wires } from "./lib/raw-sockets.mjs";

const MEMORY = "1 router, memory", ONE = "1 router, Redis", TWO = "2 routers, Redis";

const setups = {};
for (const [subscribers, inFlight, rate] of [[100, 64, 100], [1_000, 16, 20]]) {
  setups[`${subscribers} subscribers, ${inFlight} in flight`] = { subscribers, inFlight };
  setups[`${subscribers} subscribers, paced at ${rate} events/s`] = { subscribers, inFlight, rate };
}

const wire = () => wires.router(ourRest);

await bench(import.meta.url, {
  contenders: {
    [MEMORY]: { wire, server: () => ["router.mjs", "memory"] },
    [ONE]: { wire, redis: true, server: () => ["redis-routers.mjs", "FOLDER", "1"] },
    [TWO]: { wire, redis: true, server: () => ["redis-routers.mjs", "FOLDER", "2"] },
  },
  setups,
  measure(contender, where) {
    if (!contender.redis) return measureFanOut(contender, where);
    const { routers } = JSON.parse(readFileSync(join(where.folder, "ports.json"), "utf8"));
    return measureFanOut(contender, { ...where, ports: routers.map(({ port }) => port), pids: routers.map(({ pid }) => pid) });
  },
  metrics: {
    perSecond: { unit: "deliveries/s" },
    serverMicros: { unit: "routers' CPU µs each", digits: 2 },
    serverBusy: { unit: "routers busy", digits: 2 },
    loadBusy: { unit: "load busy", digits: 2 },
    p50: { unit: "p50 ms", digits: 2 },
    p99: { unit: "p99 ms", digits: 2 },
  },
  against: [ONE],
  goals: [{ setup: /^1000 .* in flight/, contender: TWO, metric: "serverMicros", against: ONE, most: 1.2 }],
});

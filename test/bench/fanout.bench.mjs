// Fan-out of 200-byte events: one publisher, N subscribers, server and load generator in a process each.
//   throughput   a closed loop with so many events in flight (an event is in flight until every subscriber has it)
//   paced        latency from publish to each subscriber, at a fixed moderate rate
// Where the load generator is the bottleneck (its CPU is near 1), the server's CPU per delivery is the figure to trust.
import { bench } from "./lib/bench.mjs";
import { eventJson, ourRest } from "./lib/event.mjs";
import { measureFanOut } from "./lib/fan-out.mjs";
import { peerWires } from "./lib/peer-wires.mjs";
import { wires } from "./lib/raw-sockets.mjs";

const EACH = "ws, a frame per event", LIMIT = "ws, coalesced", PEER = "Socket.IO", NATS = "NATS server", REDIS = "Redis pub/sub", OURS = "event-router, memory", DURABLE = "event-router, SQLite";

const setups = {};
for (const [subscribers, inFlight, rate] of [[100, 64, 100], [1_000, 16, 20]]) {
  setups[`${subscribers} subscribers, ${inFlight} in flight`] = { subscribers, inFlight };
  setups[`${subscribers} subscribers, 1 in flight`] = { subscribers, inFlight: 1 };
  setups[`${subscribers} subscribers, paced at ${rate} events/s`] = { subscribers, inFlight, rate };
}

await bench(import.meta.url, {
  contenders: {
    [LIMIT]: { server: () => ["ws.mjs", "coalesced"], wire: () => wires.ws(eventJson) },
    [EACH]: { server: () => ["ws.mjs", "frame"], wire: () => wires.ws(eventJson) },
    [PEER]: { server: () => ["socket-io.mjs"], wire: () => wires.socketIo(eventJson) },
    aedes: { server: () => ["aedes.mjs"], wire: () => peerWires.mqtt(eventJson) },
    mosquitto: { needs: "mosquitto", server: () => ["peer.mjs", "mosquitto", "FOLDER"], wire: () => peerWires.mqtt(eventJson) },
    [NATS]: { needs: "nats-server", server: () => ["peer.mjs", "nats", "FOLDER"], wire: () => peerWires.nats(eventJson) },
    [REDIS]: { needs: "redis-server", server: () => ["peer.mjs", "redis", "FOLDER"], wire: () => peerWires.redis(eventJson) },
    [OURS]: { server: () => ["router.mjs", "memory"], wire: () => wires.router(ourRest) },
    [DURABLE]: { server: () => ["router.mjs", "sqlite:FOLDER/log.db"], wire: () => wires.router(ourRest) },
  },
  setups,
  measure: measureFanOut,
  metrics: {
    perSecond: { unit: "deliveries/s" },
    serverMicros: { unit: "server CPU µs each", digits: 2 },
    serverBusy: { unit: "server busy", digits: 2 },
    loadBusy: { unit: "load busy", digits: 2 },
    p50: { unit: "p50 ms", digits: 2 },
    p99: { unit: "p99 ms", digits: 2 },
  },
  against: [LIMIT, EACH, PEER, NATS, REDIS],
  goals: [
    ...[[LIMIT, 0.8], [PEER, 20], [NATS, 1.2], [REDIS, 1.2]].map(([against, least]) => ({ setup: / (64|16) in flight/, contender: OURS, metric: "perSecond", against, least })),
    { setup: / (64|16) in flight/, contender: OURS, metric: "serverMicros", against: LIMIT, most: 1.25 },
    { setup: / 1 in flight/, contender: OURS, metric: "perSecond", against: EACH, least: 0.95 },
    ...["p50", "p99"].map((metric) => ({ setup: /paced/, contender: OURS, metric, against: EACH, most: 1.1 })),
  ],
});

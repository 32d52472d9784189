// Fan-out of 200-byte events: one publisher, N subscribers, server and load generator in a process each.
//   throughput   a closed loop with so many events in flight (an event is in flight until every subscriber has it)
//   paced        latency from publish to each subscriber, at a fixed moderate rate
// Where the load generator is the bottleneck (its CPU is near 1), the server's CPU per delivery is the figure to trust.
import { setTimeout as sleep } from "node:timers/promises";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourRest } from "./lib/event.mjs";
import { cpuSeconds } from "./lib/processes.mjs";
import { openSocket, openSockets, wires } from "./lib/raw-sockets.mjs";
import { quantiles } from "./lib/statistics.mjs";

const EACH = "ws, a frame per event", LIMIT = "ws, coalesced", PEER = "Socket.IO", OURS = "event-router, memory", DURABLE = "event-router, SQLite";
const WARM = 400, MEASURED = 1_200, PACED = 2_000;

async function measure({ wire }, { subscribers, rate, inFlight, port, pid }) {
  const speaks = wire();
  // By subscriber; byte counters count in fractions.
  const had = new Float64Array(subscribers);
  let total = 0;
  let sent = 0;
  let flooding = false;
  let arrived = () => {};
  await openSockets(speaks, port, subscribers, "sub", (i, events) => {
    had[i] += events;
    total += events;
    arrived(i);
  });
  const publisher = await openSocket(speaks, port, "pub");
  const bytesOf = speaks.publisher();
  const publish = (count) => {
    sent += count;
    publisher.write(bytesOf(count));
  };
  /** Keeps so many events in flight. */
  const refill = () => {
    const room = Math.floor(inFlight - sent + total / subscribers + 1e-6);
    if (flooding && room > 0) publish(room);
  };
  const flood = () => {
    flooding = true;
    arrived = refill;
    refill();
  };
  /** Ends a flood: everybody has everything, nobody anything twice. */
  const calm = async () => {
    flooding = false;
    for (let waited = 0; waited < 10_000 && total < sent * subscribers - 1e-3; waited += 10) await sleep(10);
    await sleep(30);
    if (had.some((events) => Math.abs(events - sent) > 1e-3)) throw new Error(`${total} of ${sent * subscribers} deliveries came`);
  };

  publish(1);
  await calm();
  return rate === undefined ? throughput() : paced();

  async function paced() {
    // A server that has been at work for a while.
    flood();
    await sleep(WARM);
    await calm();
    const latencies = [];
    const times = [];
    const first = sent;
    const seen = new Uint32Array(subscribers).fill(first);
    arrived = (i) => {
      const now = performance.now();
      for (const events = Math.floor(had[i] + 1e-6); seen[i] < events; seen[i]++) latencies.push(now - times[seen[i] - first]);
    };
    const begun = performance.now();
    for (let i = 0; i * 1_000 < rate * PACED; i++) {
      const early = begun + (i * 1_000) / rate - performance.now();
      if (early > 0) await sleep(early);
      times.push(performance.now());
      publish(1);
    }
    await calm();
    return quantiles(latencies);
  }

  async function throughput() {
    flood();
    await sleep(WARM);
    const before = { at: performance.now(), total, server: cpuSeconds(pid), load: process.cpuUsage() };
    await sleep(MEASURED);
    const seconds = (performance.now() - before.at) / 1_000;
    const deliveries = total - before.total;
    const server = cpuSeconds(pid) - before.server;
    const load = process.cpuUsage(before.load);
    await calm();
    return { perSecond: deliveries / seconds, serverMicros: (server * 1e6) / deliveries, serverBusy: server / seconds, loadBusy: (load.user + load.system) / 1e6 / seconds };
  }
}

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
    [OURS]: { server: () => ["router.mjs", "memory"], wire: () => wires.router(ourRest) },
    [DURABLE]: { server: () => ["router.mjs", "sqlite:FOLDER/log.db"], wire: () => wires.router(ourRest) },
  },
  setups,
  measure,
  metrics: {
    perSecond: { unit: "deliveries/s" },
    serverMicros: { unit: "server CPU µs each", digits: 2 },
    serverBusy: { unit: "server busy", digits: 2 },
    loadBusy: { unit: "load busy", digits: 2 },
    p50: { unit: "p50 ms", digits: 2 },
    p99: { unit: "p99 ms", digits: 2 },
  },
  against: [LIMIT, EACH, PEER],
  goals: [
    { setup: / (64|16) in flight/, contender: OURS, metric: "perSecond", against: LIMIT, least: 0.5 },
    { setup: / (64|16) in flight/, contender: OURS, metric: "serverMicros", against: LIMIT, most: 2 },
    { setup: / (64|16) in flight/, contender: OURS, metric: "perSecond", against: PEER, least: 10 },
    { setup: /paced/, contender: OURS, metric: "p50", against: EACH, most: 1 },
    { setup: /paced/, contender: OURS, metric: "p99", against: EACH, most: 1 },
  ],
});

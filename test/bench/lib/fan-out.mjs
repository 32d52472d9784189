// One publisher, N subscribers: throughput of a closed loop, or with a `rate` the latency at that rate.
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "./processes.mjs";
import { openSocket, openSockets } from "./raw-sockets.mjs";
import { quantiles } from "./statistics.mjs";

const WARM = 400, MEASURED = 1_200, PACED = 2_000;

/** @param where.ports of several routers that share a log: subscribers are spread over them, and the first has the publisher */
export async function measureFanOut({ wire }, { subscribers, rate, inFlight, port, pid, ports = [port], pids = [pid] }) {
  const speaks = wire();
  // By subscriber; byte counters count in fractions.
  const had = new Float64Array(subscribers);
  let total = 0;
  let sent = 0;
  let flooding = false;
  let arrived = () => {};
  for (const [p, one] of ports.entries()) {
    const before = Math.ceil((subscribers * p) / ports.length);
    await openSockets(speaks, one, Math.ceil((subscribers * (p + 1)) / ports.length) - before, "sub", (i, events) => {
      had[before + i] += events;
      total += events;
      arrived(before + i);
    });
  }
  const publisher = await openSocket(speaks, ports[0], "pub");
  const serverSeconds = () => pids.reduce((sum, one) => sum + cpuSeconds(one), 0);
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
    const before = { at: performance.now(), total, server: serverSeconds(), load: process.cpuUsage() };
    await sleep(MEASURED);
    const seconds = (performance.now() - before.at) / 1_000;
    const deliveries = total - before.total;
    const server = serverSeconds() - before.server;
    const load = process.cpuUsage(before.load);
    await calm();
    return { perSecond: deliveries / seconds, serverMicros: (server * 1e6) / deliveries, serverBusy: server / seconds, loadBusy: (load.user + load.system) / 1e6 / seconds };
  }
}

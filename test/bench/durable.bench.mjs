// Durable publish with acknowledgement, 200-byte events, one publisher with 1 and 256 in flight; everything is on the disk (WAL, synchronous=FULL).
//   the loop   bare node:sqlite in its own process, no network: 256 inserts a transaction, and one: what SQLite and the disk allow
//   group commit   a plain `ws` server that writes what came in one turn in one transaction; one event a message
//   raw wire   our server, with a client written by hand: a frame for each event, those of one turn in one message
//   client     our server and our client
import { join } from "node:path";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourMeta, ourPayload } from "./lib/event.mjs";
import { closedLoop, fifoSocket } from "./lib/load.mjs";
import { rawPublish } from "./lib/raw-publish.mjs";
import { quantiles } from "./lib/statistics.mjs";

const LOOP = "node:sqlite loop", PLAIN = "ws, group commit", RAW = "event-router, raw wire", CLIENT = "event-router, client";
const WARM = 400, MEASURED = 1_500;

/** Work that blocks, `per` events at a time. */
function blockingLoop(work, per) {
  const run = (budget, latencies) => {
    const begun = performance.now();
    let count = 0;
    for (let at = begun; at - begun < budget; count += per) {
      work();
      const now = performance.now();
      latencies.push(now - at);
      at = now;
    }
    return (count * 1_000) / (performance.now() - begun);
  };
  run(WARM, []);
  const latencies = [];
  return { perSecond: run(MEASURED, latencies), ...quantiles(latencies) };
}

async function sqliteLoop({ folder, inFlight }) {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(join(folder, "loop.db"));
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (seq INTEGER PRIMARY KEY, topic TEXT, body TEXT)");
  const insert = database.prepare("INSERT INTO log (topic, body) VALUES (?, ?)");
  return blockingLoop(() => {
    if (inFlight > 1) database.exec("BEGIN");
    for (let i = 0; i < inFlight; i++) insert.run("user.created", eventJson);
    if (inFlight > 1) database.exec("COMMIT");
  }, inFlight);
}

async function plainServer({ port, pid, inFlight }) {
  const { send } = await fifoSocket(`ws://127.0.0.1:${port}/`);
  return closedLoop(() => send(eventJson), inFlight, { pid, milliseconds: MEASURED, warmUp: WARM });
}

async function client({ port, pid, inFlight }) {
  const { EventRouterClient } = await import("../../src/event-router.ts");
  const router = new EventRouterClient({ url: `ws://127.0.0.1:${port}/ws` });
  return closedLoop(() => router.publish("user.created", ourPayload, ourMeta), inFlight, { pid, milliseconds: MEASURED, warmUp: WARM });
}

await bench(import.meta.url, {
  contenders: {
    [LOOP]: { run: sqliteLoop },
    [PLAIN]: { run: plainServer, server: () => ["ws-durable.mjs", "FOLDER/log.db"] },
    [RAW]: { run: ({ port, ...where }) => rawPublish({ ports: [port], ...where, warmUp: WARM, milliseconds: MEASURED }), server: () => ["router.mjs", "sqlite:FOLDER/log.db"] },
    [CLIENT]: { run: client, server: () => ["router.mjs", "sqlite:FOLDER/log.db"] },
  },
  setups: { "1 in flight": { inFlight: 1 }, "256 in flight": { inFlight: 256 } },
  measure: ({ run }, where) => run(where),
  metrics: { perSecond: { unit: "events/s" }, p50: { unit: "p50 ms", digits: 2 }, p99: { unit: "p99 ms", digits: 2 }, serverMicros: { unit: "server CPU µs", digits: 1 }, loadMicros: { unit: "load CPU µs", digits: 1 } },
  against: [LOOP, PLAIN],
  goals: [
    { setup: /^256/, contender: RAW, metric: "perSecond", against: LOOP, least: 0.3 },
    { setup: /^256/, contender: CLIENT, metric: "perSecond", against: LOOP, least: 0.3 },
    { setup: /^1 /, contender: RAW, metric: "perSecond", against: PLAIN, least: 0.95 },
  ],
});

// Durable publish with acknowledgement, 200-byte events, one publisher with 1 and 256 in flight; everything is on the disk (WAL, synchronous=FULL).
//   the loop   bare node:sqlite in its own process, no network: 256 inserts a transaction, and one: what SQLite and the disk allow
//   group commit   a plain `ws` server that writes what came in one turn in one transaction; one event a message
//   raw wire   our server, with a client written by hand: a frame for each event, those of one turn in one message
//   client     our server and our client
//   Redis XADD, fsynced   appendfsync always, the `redis` package: what comes while one fsync runs shares the next, as with us
//   BullMQ, JetStream     their own clients on servers as they come, which fsync once a second (Redis) or once in two minutes (NATS)
import { join } from "node:path";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourMeta, ourPayload } from "./lib/event.mjs";
import { closedLoop, fifoSocket } from "./lib/load.mjs";
import { rawPublish } from "./lib/raw-publish.mjs";
import { quantiles } from "./lib/statistics.mjs";

const LOOP = "node:sqlite loop", PLAIN = "ws, group commit", RAW = "event-router, raw wire", CLIENT = "event-router, client", REDIS = "Redis XADD, fsynced", BULLMQ = "BullMQ, not fsynced", JETSTREAM = "JetStream, not fsynced";
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

/** An operation of a peer's own client, in a closed loop. */
const peer = (open) => async ({ port, pid, inFlight }) => closedLoop(await open(port), inFlight, { pid, milliseconds: MEASURED, warmUp: WARM });

const redis = peer(async (port) => {
  const { createClient } = await import("redis");
  const client = await createClient({ socket: { port }, RESP: 2 }).connect();
  return () => client.sendCommand(["XADD", "log", "*", "e", eventJson]);
});
const bullmq = peer(async (port) => {
  const { Queue } = await import("bullmq");
  const queue = new Queue("queue", { connection: { host: "127.0.0.1", port } });
  await queue.waitUntilReady();
  const data = JSON.parse(eventJson);
  return () => queue.add("user.created", data);
});
const jetStream = peer(async (port) => {
  const [{ connect }, { jetstream, jetstreamManager }] = await Promise.all([import("@nats-io/transport-node"), import("@nats-io/jetstream")]);
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  await (await jetstreamManager(connection)).streams.add({ name: "S", subjects: ["user.>"], storage: "file" });
  const stream = jetstream(connection);
  return () => stream.publish("user.created", eventJson, { timeout: 10_000 });
});

await bench(import.meta.url, {
  contenders: {
    [LOOP]: { run: sqliteLoop },
    [PLAIN]: { run: plainServer, server: () => ["ws-durable.mjs", "FOLDER/log.db"] },
    [REDIS]: { needs: "redis-server", run: redis, server: () => ["peer.mjs", "redis-always", "FOLDER"] },
    [BULLMQ]: { needs: "redis-server", run: bullmq, server: () => ["peer.mjs", "redis-everysec", "FOLDER"] },
    [JETSTREAM]: { needs: "nats-server", run: jetStream, server: () => ["peer.mjs", "jetstream", "FOLDER"] },
    [RAW]: { run: ({ port, ...where }) => rawPublish({ ports: [port], ...where, warmUp: WARM, milliseconds: MEASURED }), server: () => ["router.mjs", "sqlite:FOLDER/log.db"] },
    [CLIENT]: { run: client, server: () => ["router.mjs", "sqlite:FOLDER/log.db"] },
  },
  setups: { "1 in flight": { inFlight: 1 }, "256 in flight": { inFlight: 256 } },
  measure: ({ run }, where) => run(where),
  metrics: { perSecond: { unit: "events/s" }, p50: { unit: "p50 ms", digits: 2 }, p99: { unit: "p99 ms", digits: 2 }, serverMicros: { unit: "server CPU µs", digits: 1 }, loadMicros: { unit: "load CPU µs", digits: 1 } },
  against: [LOOP, PLAIN, REDIS, BULLMQ, JETSTREAM],
  goals: [RAW, CLIENT].flatMap((contender) => [
    ...[[LOOP, 0.5], [REDIS, 2], [JETSTREAM, 6]].map(([against, least]) => ({ setup: /^256/, contender, metric: "perSecond", against, least })),
    ...[PLAIN, REDIS].map((against) => ({ setup: /^1 /, contender, metric: "perSecond", against, least: 0.95 })),
  ]),
});

// Durable publish with acknowledgement on one redis-server (AOF, everysec), 200-byte events, against what Redis takes from one client that pipelines.
//   bare XADD     the `redis` package: an XADD for each event, so many in flight
//   store         our store in the load's process, as a router uses it: so many events, each a batch of its own, in an append
//   1 router, 2 routers   servers on it, each in a process, with clients written by hand; what is in flight is shared by the routers
// redis-server and the routers share a processor, the load has the other: two routers cannot be faster here than one, only dearer. What a machine of its
// own for each would do is told by the CPU that an event costs each process.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourMeta, ourPayload } from "./lib/event.mjs";
import { closedLoop } from "./lib/load.mjs";
import { cpuSeconds } from "./lib/processes.mjs";
import { rawPublish } from "./lib/raw-publish.mjs";

const BARE = "bare XADD, pipelined", STORE = "store", ONE = "1 router", TWO = "2 routers";
const WARM = 400, MEASURED = 1_500;

const portsOf = (folder) => JSON.parse(readFileSync(join(folder, "ports.json"), "utf8"));

/** With the CPU that an event costs redis-server. */
async function withRedis(folder, run) {
  const { redisPid, redis, routers } = portsOf(folder);
  const begun = performance.now();
  const before = cpuSeconds(redisPid);
  const figures = await run(redis, routers);
  // Over warm-up and measurement alike.
  const events = figures.perSecond * ((performance.now() - begun) / 1_000);
  return { ...figures, redisMicros: ((cpuSeconds(redisPid) - before) * 1e6) / events };
}

const bare = ({ folder, inFlight }) => withRedis(folder, async (port) => {
  const { createClient } = await import("redis");
  const client = await createClient({ socket: { port }, RESP: 2 }).connect();
  return closedLoop(() => client.sendCommand(["XADD", "log", "*", "e", eventJson]), inFlight, { pid: 0, milliseconds: MEASURED, warmUp: WARM });
});

const store = ({ folder, inFlight }) => withRedis(folder, async (port) => {
  const { redisStore } = await import("../../src/stores/redis.ts");
  const { eventIds } = await import("../../src/core/event-id.ts");
  const log = await (await redisStore(`redis://127.0.0.1:${port}`)).open("default");
  const nextId = eventIds("instance000", Date.now);
  const own = `,"user.created",${JSON.stringify(ourPayload)},${JSON.stringify(ourMeta)}]`;
  const batch = () => {
    const id = nextId(), time = Date.now(), stamps = `,${time},0,`;
    return { publisher: "", run: true, drafts: [{ id, type: "user.created", time, body: `${stamps}"${id}"${own}`, own: stamps.length }] };
  };
  const { perSecond, ...figures } = await closedLoop(() => log.append(Array.from({ length: inFlight }, batch)), 1, { pid: 0, milliseconds: MEASURED, warmUp: WARM });
  return { perSecond: perSecond * inFlight, p50: figures.p50, p99: figures.p99, loadMicros: figures.loadMicros / inFlight };
});

const routed = ({ folder, inFlight }) => withRedis(folder, async (_, routers) => {
  const before = routers.map(({ pid }) => cpuSeconds(pid));
  const begun = performance.now();
  const figures = await rawPublish({ ports: routers.map(({ port }) => port), pid: routers[0].pid, inFlight, warmUp: WARM, milliseconds: MEASURED });
  const events = figures.perSecond * ((performance.now() - begun) / 1_000);
  return { ...figures, serverMicros: (routers.reduce((sum, { pid }, i) => sum + cpuSeconds(pid) - before[i], 0) * 1e6) / events };
});

await bench(import.meta.url, {
  contenders: {
    [BARE]: { run: bare, server: () => ["redis-routers.mjs", "FOLDER", "0"] },
    [STORE]: { run: store, server: () => ["redis-routers.mjs", "FOLDER", "0"] },
    [ONE]: { run: routed, server: () => ["redis-routers.mjs", "FOLDER", "1"] },
    [TWO]: { run: routed, server: () => ["redis-routers.mjs", "FOLDER", "2"] },
  },
  setups: { "1 in flight": { inFlight: 1 }, "256 in flight": { inFlight: 256 } },
  measure: ({ run }, where) => run(where),
  metrics: {
    perSecond: { unit: "events/s" }, p50: { unit: "p50 ms", digits: 2 }, p99: { unit: "p99 ms", digits: 2 },
    redisMicros: { unit: "redis CPU µs", digits: 1 }, serverMicros: { unit: "routers' CPU µs", digits: 1 }, loadMicros: { unit: "load CPU µs", digits: 1 },
  },
  against: [BARE],
  goals: [
    { setup: /^256/, contender: STORE, metric: "perSecond", against: BARE, least: 0.5 },
    { setup: /^256/, contender: ONE, metric: "perSecond", against: BARE, least: 0.5 },
    { setup: /^256/, contender: TWO, metric: "perSecond", against: BARE, least: 0.5 },
  ],
});

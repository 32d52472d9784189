// One of 50 subscribers stalls, at 5,000 events/s for 20 s: what the others' latency and the server's memory are with and without him. SQLite, 200-byte events.
//   nobody    all 50 keep up          a handler    one's handler does not finish (credit)          a socket    one does not read his socket
// The same load comes first at full speed, so that the server's heap has its size; growth is the most that its RSS is above that, until he has had all.
// SECONDS=20 sets how long. Fails if anybody gets anything out of its order, or not at all.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { EventRouterClient } from "../../src/index.ts";
import { Crowd, pausable } from "../support/crowd.ts";
import { bench } from "./lib/bench.mjs";
import { ourPayload } from "./lib/event.mjs";
import { quantiles } from "./lib/statistics.mjs";

const SUBSCRIBERS = 50, RATE = 5_000, SECONDS = Number(process.env.SECONDS ?? 20), WARM_UP = 50_000, BATCH = 500;
const NOBODY = "nobody stalls", HANDLER = "a handler stalls", SOCKET = "a socket stalls";

/** Most RSS ever and now, MiB. */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]) / 1_024;
  return { peak: read("VmHWM"), now: read("VmRSS") };
}

/** Subscribes, and can stop and go on. */
const stalling = {
  async [HANDLER](url, got) {
    let gate, go;
    const client = new EventRouterClient({ url });
    await client.subscribe("**", async (event) => {
      await gate;
      got(event);
    });
    return { stall: () => { gate = new Promise((resolve) => { go = resolve; }); }, go: () => go() };
  },
  async [SOCKET](url, got) {
    const { WebSocket, pause, resume } = pausable();
    await new EventRouterClient({ url, WebSocket }).subscribe("**", got);
    return { stall: pause, go: resume };
  },
};

async function measure({ name }, { port, pid }) {
  const url = `http://127.0.0.1:${port}`;
  const latencies = new Float64Array(SUBSCRIBERS * RATE * SECONDS);
  let measured = 0;
  const others = await Crowd.join(url, SUBSCRIBERS - (name in stalling ? 1 : 0), "**", ({ payload: { at } }) => {
    if (at !== undefined) latencies[measured++] = performance.now() - at;
  });
  let last = 0;
  let reached = () => {};
  const one = await stalling[name]?.(url, ({ seq }) => {
    if (seq !== last + 1) throw new Error(`the stalled one got seq ${seq} after ${last}`);
    last = seq;
    reached();
  });
  const publisher = new EventRouterClient({ url });

  for (let sent = 0; sent < WARM_UP; sent += BATCH) await publisher.publishBatch(Array.from({ length: BATCH }, () => ["user.created", ourPayload]));
  await others.reaches(WARM_UP);
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = memory(pid).now;

  one?.stall();
  const total = RATE * SECONDS;
  const acks = [];
  const begun = performance.now();
  for (let sent = 0; sent < total;) {
    for (const due = Math.min(total, ((performance.now() - begun) / 1_000) * RATE); sent < due; sent++) acks.push(publisher.publish("user.created", { ...ourPayload, at: performance.now() }));
    await sleep(1);
  }
  await Promise.all(acks);
  await others.reaches(WARM_UP + total);
  const stalled = WARM_UP + total - last;
  one?.go();
  if (one !== undefined) await new Promise((resolve) => { (reached = () => { if (last === WARM_UP + total) resolve(); })(); });
  if (others.wrong.length > 0) throw new Error(others.wrong.slice(0, 5).join("; "));
  if (one !== undefined && stalled < total / 2) throw new Error(`the stalled one was only ${stalled} events behind`);
  return { ...quantiles(latencies.subarray(0, measured)), grown: memory(pid).peak - before, rss: before };
}

const server = () => ["router.mjs", "sqlite:FOLDER/log.db"];
await bench(import.meta.url, {
  contenders: Object.fromEntries([NOBODY, HANDLER, SOCKET].map((name) => [name, { name, server }])),
  setups: { [`${SUBSCRIBERS} subscribers, ${RATE} events/s, ${SECONDS} s`]: {} },
  measure,
  metrics: {
    p99: { unit: "p99 ms", digits: 2 },
    p50: { unit: "p50 ms", digits: 2 },
    grown: { unit: "RSS growth, MiB", digits: 1 },
    rss: { unit: "RSS before", digits: 0 },
  },
  against: [NOBODY],
  goals: [HANDLER, SOCKET].map((contender) => ({ setup: /./, contender, metric: "p99", against: NOBODY, most: 1.25 })),
});

// At the edge, in one workerd: durable publish of 200-byte events, against a bare object that keeps each message in a row and answers it.
import { setTimeout as sleep } from "node:timers/promises";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourMeta, ourPayload, ourRest } from "./lib/event.mjs";
import { closedLoop } from "./lib/load.mjs";
import { routerLines } from "./lib/raw-sockets.mjs";

const ONE = "bare object, an event a message", MANY = "bare object, 64 events a message", RAW = "event-router, raw wire", CLIENT = "event-router, client";
const WARM = 1_000, MEASURED = 2_000, PER = 64;

/** Messages of `per` events in flight; `answersIn` counts what one message answers. */
async function messages(port, path, { per, inFlight, hello, make, answersIn }) {
  const { default: WebSocket } = await import("ws");
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
  let events = 0;
  let received = 0;
  let acked = 0;
  const send = (count) => { for (let i = 0; i < count; i++) socket.send(make()); };
  await new Promise((resolve) => socket.once("open", resolve));
  if (hello !== undefined) {
    socket.send(hello);
    received += await new Promise((resolve) => socket.once("message", (data) => resolve(data.length)));
  }
  socket.on("message", (data) => {
    const answers = answersIn(data);
    received += data.length;
    if (hello !== undefined && received - acked > 64 * 1024) socket.send(`["ack",${acked = received}]`);
    events += answers * per;
    send(answers);
  });
  send(Math.max(1, inFlight / per));
  await sleep(WARM);
  const before = { events, at: performance.now() };
  await sleep(MEASURED);
  return { perSecond: ((events - before.events) * 1_000) / (performance.now() - before.at) };
}

const bare = (per) => ({ port, inFlight }) => {
  const text = Array.from({ length: per }, () => eventJson).join("\n");
  return messages(port, "/store", { per, inFlight, make: () => text, answersIn: () => 1 });
};

function raw({ port, inFlight }) {
  const line = routerLines(ourRest);
  let req = 0;
  const make = () => `["pub",${++req},${PER},{"as":"each","run":1}]\n${Array.from({ length: PER }, line).join("\n")}`;
  return messages(port, "/ws", { per: PER, inFlight, hello: '["hello",{"v":1}]', make, answersIn: (data) => data.toString("latin1").split('["pub",').length - 1 });
}

async function client({ port, inFlight }) {
  const { EventRouterClient } = await import("../../src/event-router.ts");
  const router = new EventRouterClient({ url: `ws://127.0.0.1:${port}/ws` });
  return closedLoop(() => router.publish("user.created", ourPayload, ourMeta), inFlight, { pid: process.pid, milliseconds: MEASURED, warmUp: WARM });
}

const server = () => ["workerd.mjs", "FOLDER"];

await bench(import.meta.url, {
  contenders: { [ONE]: { run: bare(1), server }, [MANY]: { run: bare(PER), server }, [RAW]: { run: raw, server }, [CLIENT]: { run: client, server } },
  setups: { "publish, 256 in flight": { inFlight: 256 }, "publish, 1,024 in flight": { inFlight: 1_024 } },
  measure: ({ run }, where) => run(where),
  metrics: { perSecond: { unit: "events/s" } },
  against: [ONE, MANY],
  goals: [
    { setup: /publish/, contender: RAW, metric: "perSecond", against: MANY, least: 0.7 },
    { setup: /publish/, contender: CLIENT, metric: "perSecond", against: MANY, least: 0.7 },
  ],
});

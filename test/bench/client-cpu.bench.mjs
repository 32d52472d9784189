// What a client costs per delivery: so many real clients in one process, each with a handler that reads the payload; one publisher beside them keeps events in
// flight. The limit is bare `ws` and JSON.parse on a bare server. The process measured is the load's own; the publisher's share in it is the same for all, and small.
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourPayload, ourRest } from "./lib/event.mjs";
import { peerWires } from "./lib/peer-wires.mjs";
import { openSocket, wires } from "./lib/raw-sockets.mjs";

const LIMIT = "ws + JSON.parse", COALESCED = "ws + JSON.parse, coalesced writes", PEER = "Socket.IO's", NATS = "NATS's", REDIS = "ioredis", OURS = "ours", OWN = "ours, the platform's WebSocket";
const WARM = 600, MEASURED = 1_500;

/** Each opens one client that calls back for every event with its payload. */
const clients = {
  async ws(port, on) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    socket.on("message", (data) => on(JSON.parse(data).payload));
    await new Promise((resolve) => socket.once("open", resolve));
  },
  async socketIo(port, on) {
    const { io } = await import("socket.io-client");
    const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], forceNew: true, query: { role: "sub" } });
    socket.on("ev", ({ payload }) => on(payload));
    await new Promise((resolve) => socket.once("connect", resolve));
  },
  async nats(port, on) {
    const { connect } = await import("@nats-io/transport-node");
    const connection = await connect({ servers: `127.0.0.1:${port}` });
    connection.subscribe("ev", { callback: (error, message) => on(message.json().payload) });
    await connection.flush();
  },
  async ioredis(port, on) {
    const { Redis } = await import("ioredis");
    const client = new Redis(port, "127.0.0.1");
    client.on("message", (channel, text) => on(JSON.parse(text).payload));
    await client.subscribe("ev");
  },
  ours: (port, on) => subscribed(port, on, { WebSocket }),
  own: (port, on) => subscribed(port, on, {}),
};

async function subscribed(port, on, options) {
  const { EventRouterClient } = await import("../../src/index.ts");
  const client = new EventRouterClient({ url: `ws://127.0.0.1:${port}`, ...options });
  await client.subscribe("user.*", ({ payload }) => on(payload));
}

async function measure({ wire, client }, { count, inFlight, port }) {
  let got = 0;
  let sent = 0;
  let going = false;
  const refill = () => {
    const room = Math.floor(inFlight - sent + got / count);
    if (!going || room <= 0) return;
    sent += room;
    publisher.write(bytesOf(room));
  };
  const on = ({ id }) => {
    if (id !== ourPayload.id) throw new Error("another payload came");
    if (++got % count === 0) refill();
  };
  for (let i = 0; i < count; i++) await clients[client](port, on);
  const speaks = wire();
  const publisher = await openSocket(speaks, port, "pub");
  const bytesOf = speaks.publisher();
  await sleep(100);
  sent = 1;
  publisher.write(bytesOf(1));
  for (let waited = 0; waited < 5_000 && got < count; waited += 10) await sleep(10);
  if (got !== count) throw new Error(`${got} of ${count} deliveries came`);
  going = true;
  refill();
  await sleep(WARM);
  const before = { at: performance.now(), got, cpu: process.cpuUsage() };
  await sleep(MEASURED);
  const { user, system } = process.cpuUsage(before.cpu);
  const deliveries = got - before.got;
  return { micros: (user + system) / deliveries, perSecond: (deliveries * 1_000) / (performance.now() - before.at), busy: (user + system) / 1_000 / (performance.now() - before.at) };
}

const bare = (mode) => ({ server: () => ["ws.mjs", mode], wire: () => wires.ws(eventJson), client: "ws" });
const router = (client) => ({ server: () => ["router.mjs", "memory"], wire: () => wires.router(ourRest), client });

await bench(import.meta.url, {
  contenders: {
    [LIMIT]: bare("frame"), [COALESCED]: bare("coalesced"),
    [PEER]: { server: () => ["socket-io.mjs"], wire: () => wires.socketIo(eventJson), client: "socketIo" },
    [NATS]: { needs: "nats-server", server: () => ["peer.mjs", "nats", "FOLDER"], wire: () => peerWires.nats(eventJson), client: "nats" },
    [REDIS]: { needs: "redis-server", server: () => ["peer.mjs", "redis", "FOLDER"], wire: () => peerWires.redis(eventJson), client: "ioredis" },
    [OURS]: router("ours"), [OWN]: router("own"),
  },
  setups: { "100 clients, 16 in flight": { count: 100, inFlight: 16 }, "100 clients, 1 in flight": { count: 100, inFlight: 1 } },
  measure,
  metrics: { micros: { unit: "client CPU µs each", digits: 2 }, perSecond: { unit: "deliveries/s" }, busy: { unit: "load busy", digits: 2 } },
  against: [LIMIT, COALESCED, PEER, NATS, REDIS],
  goals: [[COALESCED, 1.3], [PEER, 1], [REDIS, 1]].map(([against, most]) => ({ setup: /./, contender: OURS, metric: "micros", against, most })),
});

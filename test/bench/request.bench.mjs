// Request and reply, 200-byte bodies, 1 and 64 in flight.
//   echo    2 hops: the server itself answers       relay    4 hops: the server passes it to a responder and back, the limit for a router
// Ours goes through the router (4 hops), with our client on both ends.
import { bench } from "./lib/bench.mjs";
import { eventJson, ourPayload } from "./lib/event.mjs";
import { closedLoop, fifoSocket } from "./lib/load.mjs";

const ECHO = "ws, echo", RELAY = "ws, relay", PEER = "Socket.IO, emitWithAck (2 hops)", NATS = "NATS", OURS = "event-router";

async function echo(where) {
  const { send } = await fifoSocket(`ws://127.0.0.1:${where.port}/`);
  return closedLoop(() => send(eventJson), where.inFlight, where);
}

async function relay(where) {
  const { socket } = await fifoSocket(`ws://127.0.0.1:${where.port}/responder`);
  socket.removeAllListeners("message").on("message", (data) => socket.send(data, { binary: false }));
  const { send } = await fifoSocket(`ws://127.0.0.1:${where.port}/`);
  return closedLoop(() => send(`00000000${eventJson}`), where.inFlight, where);
}

async function socketIo(where) {
  const { io } = await import("socket.io-client");
  const socket = io(`http://127.0.0.1:${where.port}`, { transports: ["websocket"] });
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
  const data = JSON.parse(eventJson);
  return closedLoop(() => socket.emitWithAck("req", data), where.inFlight, where);
}

async function nats(where) {
  const { connect } = await import("@nats-io/transport-node");
  const [requester, responder] = await Promise.all([0, 1].map(() => connect({ servers: `127.0.0.1:${where.port}` })));
  responder.subscribe("calc", { callback: (error, message) => message.respond(message.data) });
  await responder.flush();
  return closedLoop(() => requester.request("calc", eventJson, { timeout: 5_000 }), where.inFlight, where);
}

async function ours(where) {
  const { EventRouterClient } = await import("../../src/event-router.ts");
  const [responder, requester] = [0, 1].map(() => new EventRouterClient({ url: `ws://127.0.0.1:${where.port}/ws` }));
  await responder.respond("calculator.add", ({ payload }) => payload).ready;
  return closedLoop(() => requester.request("calculator.add", ourPayload), where.inFlight, where);
}

await bench(import.meta.url, {
  contenders: {
    [ECHO]: { run: echo, server: () => ["ws.mjs", "echo"] },
    [RELAY]: { run: relay, server: () => ["ws.mjs", "relay"] },
    [PEER]: { run: socketIo, server: () => ["socket-io.mjs"] },
    [NATS]: { needs: "nats-server", run: nats, server: () => ["peer.mjs", "nats", "FOLDER"] },
    [OURS]: { run: ours, server: () => ["router.mjs", "memory"] },
  },
  setups: { "1 in flight": { inFlight: 1 }, "64 in flight": { inFlight: 64 } },
  measure: ({ run }, where) => run(where),
  metrics: { perSecond: { unit: "requests/s" }, p50: { unit: "p50 ms", digits: 3 }, p99: { unit: "p99 ms", digits: 3 }, serverMicros: { unit: "server CPU µs", digits: 1 }, loadMicros: { unit: "load CPU µs", digits: 1 } },
  against: [ECHO, RELAY, PEER, NATS],
  goals: [
    { setup: /./, contender: OURS, metric: "perSecond", against: RELAY, least: 0.8 },
    { setup: /^64/, contender: OURS, metric: "perSecond", against: NATS, least: 2 },
  ],
});

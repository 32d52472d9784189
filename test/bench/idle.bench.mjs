// Memory of a server per idle connection: so many sockets that listen to one pattern and get nothing; RSS beyond that with one.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourRest } from "./lib/event.mjs";
import { peerWires } from "./lib/peer-wires.mjs";
import { openSocket, openSockets, wires } from "./lib/raw-sockets.mjs";

const BARE = "ws", PEER = "Socket.IO", NATS = "NATS server", OURS = "event-router, memory", EDGE_BARE = "workerd, bare hibernating object", EDGE = "workerd, event-router";

function rss(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1_024;
}

async function measure({ wire }, { connections, port, pid }) {
  const speaks = wire();
  await openSocket(speaks, port, "sub");
  await sleep(500);
  const before = rss(pid);
  const begun = performance.now();
  await openSockets(speaks, port, connections, "sub", () => {});
  const perSecond = (connections * 1_000) / (performance.now() - begun);
  await sleep(2_500);
  return { bytes: (rss(pid) - before) / connections, base: before / 2 ** 20, perSecond };
}

const edge = () => ["workerd.mjs", "FOLDER"];
await bench(import.meta.url, {
  contenders: {
    [BARE]: { server: () => ["ws.mjs", "frame"], wire: () => wires.ws(eventJson) },
    [PEER]: { server: () => ["socket-io.mjs"], wire: () => wires.socketIo(eventJson) },
    [NATS]: { needs: "nats-server", server: () => ["peer.mjs", "nats", "FOLDER"], wire: () => peerWires.nats(eventJson) },
    [OURS]: { server: () => ["router.mjs", "memory"], wire: () => wires.router(ourRest) },
    [EDGE_BARE]: { server: edge, wire: () => wires.ws(eventJson) },
    [EDGE]: { server: edge, wire: () => wires.router(ourRest) },
  },
  setups: { "5,000 connections": { connections: 5_000 } },
  measure,
  metrics: { bytes: { unit: "B each", digits: 0 }, base: { unit: "MiB with one", digits: 0 }, perSecond: { unit: "accepted/s" } },
  against: [BARE, EDGE_BARE],
  goals: [
    { setup: /./, contender: OURS, metric: "bytes", against: BARE, most: 1.5 },
    { setup: /./, contender: EDGE, metric: "bytes", against: EDGE_BARE, most: 1.1 },
  ],
});

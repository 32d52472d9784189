// From nothing to the first event, each in a fresh process: importing the built package, then connecting, subscribing and publishing until the handler has it.
// The server runs already. In Chromium the page is open, and its modules come from this machine. In workerd the process has just begun, and the first event
// is from connecting to a namespace whose object there is not yet: importing it is a part of workerd's own start.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bench } from "./lib/bench.mjs";
import { eventJson, ourRest } from "./lib/event.mjs";
import { openSocket, wires } from "./lib/raw-sockets.mjs";

const built = new URL("../../test-results/cold-start/", import.meta.url);
const MEMORY = "Node, memory", SOCKET = "Node, WebSocket", WS = "Node, bare ws", PEER = "Node, Socket.IO", PAGE = "Chromium, WebSocket", EDGE = "workerd", EDGE_BARE = "workerd, bare object";

async function timed(load, first) {
  const begun = performance.now();
  const loaded = await load();
  const took = performance.now() - begun;
  await first(loaded);
  const total = performance.now() - begun;
  return { load: took, first: total - took, total };
}

const ours = (options) => timed(() => import(new URL("index.js", built)), ({ EventRouterClient }) => new Promise((resolve, reject) => {
  const client = new EventRouterClient(options);
  client.on("user.created", resolve);
  client.publish("user.created", { id: 1 }).catch(reject);
}));

const bare = ({ port }) => timed(() => import("ws"), ({ default: WebSocket }) => new Promise((resolve) => {
  const reader = new WebSocket(`ws://127.0.0.1:${port}/sub`).on("message", resolve);
  reader.on("open", () => { const writer = new WebSocket(`ws://127.0.0.1:${port}/pub`).on("open", () => writer.send(eventJson)); });
}));

const socketIo = ({ port }) => timed(() => import("socket.io-client"), ({ io }) => new Promise((resolve) => {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], query: { role: "sub" } });
  socket.on("ev", resolve);
  socket.emit("pub", JSON.parse(eventJson));
}));

async function page() {
  const [{ Chromium }, { PageStage }, { serve }] = await Promise.all([import("../support/engines/chromium.ts"), import("../support/page-stage.ts"), import("../../src/hosts/server.ts")]);
  const stage = await PageStage.start("test/bench/lib/cold-page.ts");
  await using server = await serve({ port: 0, store: "memory", origins: [stage.origin] });
  const chromium = await new Chromium().start();
  try {
    return await (await chromium.open(stage.url)).call("cold-page", "coldStart", server.url);
  } finally {
    await chromium.close();
    await stage.close();
  }
}

const edge = (wire) => async ({ port }) => {
  const begun = performance.now();
  let arrived;
  const event = new Promise((resolve) => { arrived = resolve; });
  await openSocket(wire, port, "sub", arrived);
  (await openSocket(wire, port, "pub")).write(wire.publisher()(1));
  await event;
  const total = performance.now() - begun;
  return { first: total, total };
};

if (process.argv[2] !== "--child") {
  rmSync(built, { recursive: true, force: true });
  execFileSync(process.execPath, [fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url)), "-p", fileURLToPath(new URL("../../tsconfig.build.json", import.meta.url)), "--outDir", fileURLToPath(built)]);
}
const router = () => ["router.mjs", "memory"], workerd = () => ["workerd.mjs", "FOLDER"];
await bench(import.meta.url, {
  contenders: {
    [WS]: { run: bare, server: () => ["ws.mjs", "frame"] },
    [PEER]: { run: socketIo, server: () => ["socket-io.mjs"] },
    [MEMORY]: { run: () => ours({ transport: "memory" }) },
    [SOCKET]: { run: ({ port }) => ours({ url: `ws://127.0.0.1:${port}` }), server: router },
    [PAGE]: { run: page },
    [EDGE_BARE]: { run: edge(wires.ws(eventJson)), server: workerd },
    [EDGE]: { run: edge(wires.router(ourRest)), server: workerd },
  },
  setups: { "first event": {} },
  measure: ({ run }, where) => run(where),
  metrics: { total: { unit: "ms in all", digits: 1 }, load: { unit: "ms to import", digits: 1 }, first: { unit: "ms from there", digits: 1 } },
  against: [WS, EDGE_BARE],
});

// Catching up: a million events of 200 bytes from SQLite, from the first to the last. The limit is SELECT in pages and JSON.parse of each, in one process without
// network. Growth: the most that the server's RSS (the limit: its own) is above what it was before. EVENTS=1000000 sets how many.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench } from "./lib/bench.mjs";
import { ourMeta, ourPayload, ourRest } from "./lib/event.mjs";
import { cpuSeconds } from "./lib/processes.mjs";
import { openSocket, wires } from "./lib/raw-sockets.mjs";

const EVENTS = Number(process.env.EVENTS ?? 1_000_000), PAGE = 256, TYPE = "user.created";
const LIMIT = "SELECT and JSON.parse", RAW = "event-router, raw wire", CLIENT = "event-router, client";

/** Made once, for all rounds. */
async function makeLog(file) {
  const [{ sqliteStore }, { eventIds }] = await Promise.all([import("../../src/stores/sqlite.ts"), import("../../src/core/event-id.ts")]);
  const store = await sqliteStore(file);
  const log = await store.open("default");
  const nextId = eventIds("instance000", Date.now);
  const own = `,"${TYPE}",${JSON.stringify(ourPayload)},${JSON.stringify(ourMeta)}]`;
  const draft = () => {
    const id = nextId(), time = Date.now(), stamps = `,${time},0,`;
    return { id, type: TYPE, time, body: `${stamps}"${id}"${own}`, own: stamps.length };
  };
  for (let count = 0; count < EVENTS; count += 1_000) await log.append([{ publisher: "", run: true, drafts: Array.from({ length: 1_000 }, draft) }]);
  await store.close();
}

/** The most RSS since `clear` and that of now, MiB. */
function memory(pid) {
  const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1_024;
  return { peak: read("VmHWM"), now: read("VmRSS") };
}

async function timed(pid, run) {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = memory(pid).now, cpu = cpuSeconds(pid), begun = performance.now();
  await run();
  return { perSecond: (EVENTS * 1_000) / (performance.now() - begun), micros: ((cpuSeconds(pid) - cpu) * 1e6) / EVENTS, grown: memory(pid).peak - before };
}

async function limit({ file }) {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file.replace("log.db", "bare.db"));
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, body TEXT); DELETE FROM log; BEGIN");
  const insert = database.prepare("INSERT INTO log (body) VALUES (?)"), body = `["evt_${"0".repeat(25)}",${ourRest}`;
  for (let i = 0; i < EVENTS; i++) insert.run(body);
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  const select = database.prepare(`SELECT seq, body FROM log WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`);
  return timed(process.pid, () => {
    for (let after = 0; after < EVENTS;) {
      const rows = select.all(after);
      for (const row of rows) if (JSON.parse(row.body)[1] !== TYPE) throw new Error("another event came");
      after += rows.length;
    }
  });
}

const raw = ({ port, pid }) => timed(pid, () => new Promise((resolve, reject) => {
  let got = 0;
  openSocket(wires.router(ourRest, { topics: ["**"], from: "start" }), port, "sub", (events) => {
    if ((got += events) >= EVENTS) resolve();
  }).catch(reject);
}));

const client = ({ port, pid }) => timed(pid, async () => {
  const { EventRouterClient } = await import("../../src/event-router.ts");
  const router = new EventRouterClient({ url: `ws://127.0.0.1:${port}/ws` });
  let last = 0;
  await new Promise((resolve, reject) => {
    router.on("**", { from: "start" }, ({ seq }) => {
      if (seq !== ++last) reject(new Error(`seq ${seq} came for ${last}`));
      if (seq === EVENTS) resolve();
    });
  });
});

const child = process.argv[2] === "--child";
const folder = child ? process.env.CATCH_UP : mkdtempSync(join(tmpdir(), "event-router-catch-up-"));
const file = join(folder, "log.db");
if (!child) {
  process.env.CATCH_UP = folder;
  await makeLog(file);
}
const server = () => ["router.mjs", `sqlite:${file}`];
try {
  await bench(import.meta.url, {
    contenders: { [LIMIT]: { run: limit }, [RAW]: { run: raw, server }, [CLIENT]: { run: client, server } },
    setups: { [`${EVENTS.toLocaleString("en")} events`]: { file } },
    measure: ({ run }, where) => run(where),
    metrics: { perSecond: { unit: "events/s" }, micros: { unit: "server CPU µs each", digits: 2 }, grown: { unit: "RSS growth, MiB", digits: 0 } },
    against: [LIMIT],
    goals: [RAW, CLIENT].flatMap((contender) => [
      { setup: /./, contender, metric: "perSecond", against: LIMIT, least: 0.5 },
      { setup: /./, contender, metric: "grown", most: 64 },
    ]),
  });
} finally {
  if (!child) rmSync(folder, { recursive: true });
}

// The SQLite store against a bare node:sqlite loop over one row per event, both WAL and synchronous=FULL on the same disk.
//   append 256   256 publishes a commit: 256 batches of one event in one call; the loop: 256 inserts in a transaction
//   append 1     one publish a commit
//   read         EVENTS events in pages of 256, to where their fields are parsed: written 256 a commit and (`singly`) one a commit
// Events have 200 bytes of JSON. The store also keeps publishers' marks and answers repeats (P4); the loop does neither. Making the events is not timed.
import { join } from "node:path";
import { bench } from "./lib/bench.mjs";

const MS = 800, EVENTS = 200_000;
const PAGE = 256;
const OURS = "SQLite store", BARE = "bare node:sqlite";
const payload = { id: "u_12345678", name: "Ada Lovelace", email: "ada@example.com", plan: "pro", tags: ["a", "b", "c"], note: "" };
payload.note = "x".repeat(200 - JSON.stringify(payload).length);

const contenders = {
  async [OURS](file) {
    const { sqliteStore } = await import("../../src/stores/sqlite.ts");
    const { eventIds } = await import("../../src/core/event-id.ts");
    const log = await (await sqliteStore(file)).open("default");
    const nextId = eventIds("instance000", Date.now);
    const own = `,"user.created",${JSON.stringify(payload)}]`;
    const batch = () => {
      const id = nextId(), time = Date.now(), stamps = `,${time},0,`;
      return { publisher: "", run: true, drafts: [{ id, type: "user.created", time, body: `${stamps}"${id}"${own}`, own: stamps.length }] };
    };
    return {
      make: (count) => Array.from({ length: count }, batch),
      append: async (batches) => void (await log.append(batches)),
      read: async (after) => {
        const events = await log.read(after, { events: PAGE, size: Infinity });
        for (const event of events) if (event.payload.plan !== "pro") throw new Error("wrong event");
        return events.length;
      },
    };
  },
  async [BARE](file) {
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (seq INTEGER PRIMARY KEY, topic TEXT, body TEXT)");
    const insert = db.prepare("INSERT INTO log (topic, body) VALUES (?, ?)");
    const select = db.prepare(`SELECT seq, topic, body FROM log WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`);
    const body = JSON.stringify(payload);
    return {
      make: (count) => Array.from({ length: count }, () => body),
      async append(bodies) {
        if (bodies.length === 1) return void insert.run("user.created", bodies[0]);
        db.exec("BEGIN");
        for (const one of bodies) insert.run("user.created", one);
        db.exec("COMMIT");
      },
      async read(after) {
        const rows = select.all(after);
        for (const row of rows) if (JSON.parse(row.body).plan !== "pro") throw new Error("wrong event");
        return rows.length;
      },
    };
  },
};

async function measure(open, { kind, folder }) {
  const { make, append, read } = await open(join(folder, "bench.db"));
  if (kind.startsWith("append")) {
    const per = kind === "append 1" ? 1 : 256;
    const run = async (budget) => {
      let spent = 0, count = 0;
      while (spent < budget) {
        const events = make(per);
        const start = performance.now();
        await append(events);
        spent += performance.now() - start;
        count += per;
      }
      return (count * 1_000) / spent;
    };
    await run(MS / 4);
    return { perSecond: await run(MS) };
  }
  const per = kind === "read" ? 256 : 1;
  for (let count = 0; count < EVENTS; count += per) await append(make(Math.min(per, EVENTS - count)));
  const run = async () => {
    const start = performance.now();
    let after = 0;
    for (let got = await read(after); got > 0; got = await read(after)) after += got;
    if (after !== EVENTS) throw new Error(`read ${after} events`);
    return (EVENTS * 1_000) / (performance.now() - start);
  };
  await run();
  return { perSecond: await run() };
}

await bench(import.meta.url, {
  contenders,
  setups: Object.fromEntries(["append 256", "append 1", "read", "read singly"].map((kind) => [kind, { kind }])),
  measure,
  metrics: { perSecond: { unit: "events/s" } },
  against: [BARE],
});

// How cost grows: one router in this process, without network, and one thing of which there is ten times as much from row to row.
//   listeners    sessions that get every event: what is to be linear, so the figure is per delivery
//   others       sessions that listen to another type each        patterns    subscriptions of one session, of which none matches
//   namespaces   with a session each, one of which publishes
//   log          events in a SQLite file: appends of 256, a page of 256 from anywhere in it, opening it
// Each row should cost as much processor time as the one before. What costs twice as much or more has grown too fast for what the processor's caches explain, and is told.
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { bench } from "./lib/bench.mjs";
import { ourMeta, ourPayload, ourRest } from "./lib/event.mjs";
import { routerLines } from "./lib/raw-sockets.mjs";
import { median } from "./lib/statistics.mjs";

const OURS = "event-router", TOGETHER = 64, MS = 400, PAGE = 256;
const NO_WINDOW = { windowEvents: 1e9, windowSize: 1e12, subscriptions: 1e6 };

/** Sessions that read and forget. */
class Crowd {
  static async start() {
    const [{ Router }, { memoryStore }, { randomBytes, serverSurroundings }] = await Promise.all([import("../../src/core/router.ts"), import("../../src/stores/memory.ts"), import("../../src/hosts/surroundings.ts")]);
    const crowd = new Crowd();
    // The log is kept short: it is not what grows here.
    crowd.router = new Router({ store: memoryStore({ randomBytes }), surroundings: serverSurroundings(() => crowd.router.tick()), limits: NO_WINDOW, retention: { maxEvents: 10_000 }, namespaces: 1e6, onError: (error) => { throw error; } });
    return crowd;
  }

  async join(namespace = "default") {
    const session = { messages: 0, last: "" };
    const inner = this.router.connect({ send(messages) { session.messages += messages.length; session.last = messages.at(-1).text; }, close(code, reason) { throw new Error(reason); } });
    session.say = (text) => inner.receive(text);
    session.say(JSON.stringify(["hello", { v: 1, namespace }]));
    while (!session.last.startsWith('["welcome"')) await turn();
    return session;
  }

  async subscribe(session, id, topic) {
    session.say(JSON.stringify(["sub", id, { topics: [topic] }]));
    if (id % 100 === 0) await turn();
  }
}

/** µs of processor time for each event that is published, so many in a turn. */
async function publishing(publisher, listeners) {
  const line = routerLines(ourRest);
  let req = 0;
  const round = async () => {
    const before = listeners.map(({ messages }) => messages), answers = publisher.messages;
    publisher.say(`["pub",${++req},${TOGETHER},{"as":"each","run":1}]\n${Array.from({ length: TOGETHER }, line).join("\n")}`);
    while (publisher.messages === answers || listeners.some(({ messages }, i) => messages === before[i])) await turn();
    return TOGETHER;
  };
  return timed(round);
}

async function timed(round) {
  const run = async (budget) => {
    // What other programs take of the processor is no cost of ours, nor is the wait for the disk, which other tables show.
    const begun = performance.now(), before = process.cpuUsage();
    let count = 0;
    for (;;) {
      count += await round();
      if (performance.now() - begun < budget) continue;
      const { user, system } = process.cpuUsage(before);
      return (user + system) / count;
    }
  };
  await run(MS / 2);
  return { micros: await run(MS) };
}

const kinds = {
  async listeners(n) {
    const crowd = await Crowd.start();
    const listeners = [];
    for (let i = 0; i < n; i++) await crowd.subscribe((listeners[i] = await crowd.join()), 0, "user.*");
    const { micros } = await publishing(await crowd.join(), listeners);
    return { micros: micros / n };
  },
  async others(n) {
    const crowd = await Crowd.start();
    for (let i = 0; i < n; i++) await crowd.subscribe(await crowd.join(), 0, `t${i}.*`);
    const one = await crowd.join();
    await crowd.subscribe(one, 0, "user.*");
    return publishing(await crowd.join(), [one]);
  },
  async patterns(n) {
    const crowd = await Crowd.start();
    const one = await crowd.join();
    for (let i = 0; i < n; i++) await crowd.subscribe(one, i + 1, `t${i}.*`);
    await crowd.subscribe(one, 0, "user.*");
    return publishing(await crowd.join(), [one]);
  },
  async namespaces(n) {
    const crowd = await Crowd.start();
    for (let i = 0; i < n; i++) await crowd.subscribe(await crowd.join(`n${i}`), 0, "**");
    const one = await crowd.join();
    await crowd.subscribe(one, 0, "user.*");
    return publishing(await crowd.join(), [one]);
  },
  "log, append": (n, folder) => onLog(n, folder, async (log, drafts) => {
    await log.append(drafts());
    return PAGE;
  }),
  "log, page": (n, folder) => onLog(n, folder, async (log) => (await log.read(Math.floor(Math.random() * (n - PAGE)), { events: PAGE, size: Infinity })).length),
  "log, open": (n, folder) => onLog(n, folder, async (log, drafts, reopen) => {
    await reopen();
    return 1;
  }),
};

async function onLog(n, folder, round) {
  const [{ sqliteStore }, { eventIds }] = await Promise.all([import("../../src/stores/sqlite.ts"), import("../../src/core/event-id.ts")]);
  const file = join(folder, "log.db");
  let store, log;
  const reopen = async () => {
    await store?.close();
    store = await sqliteStore(file);
    log = await store.open("default");
  };
  await reopen();
  const nextId = eventIds("instance000", Date.now), own = `,"user.created",${JSON.stringify(ourPayload)},${JSON.stringify(ourMeta)}]`;
  const batch = () => {
    const id = nextId(), time = Date.now(), stamps = `,${time},0,`;
    return { publisher: "", run: true, drafts: [{ id, type: "user.created", time, body: `${stamps}"${id}"${own}`, own: stamps.length }] };
  };
  const drafts = () => Array.from({ length: PAGE }, batch);
  for (let count = 0; count < n; count += PAGE) await log.append(drafts());
  return timed(() => round(log, drafts, reopen));
}

const sizes = { listeners: [10, 100, 1_000, 10_000], others: [10, 100, 1_000, 10_000], patterns: [10, 100, 1_000, 10_000, 100_000], namespaces: [10, 100, 1_000, 10_000], "log, append": [1_000, 10_000, 100_000, 1_000_000], "log, page": [10_000, 100_000, 1_000_000], "log, open": [1_000, 10_000, 100_000, 1_000_000] };
const nameOf = (kind, n) => `${kind}: ${n.toLocaleString("en")}`;

const results = await bench(import.meta.url, {
  contenders: { [OURS]: OURS },
  setups: Object.fromEntries(Object.entries(sizes).flatMap(([kind, all]) => all.map((n) => [nameOf(kind, n), { kind, n }]))),
  measure: (_, { kind, n, folder }) => kinds[kind](n, folder),
  metrics: { micros: { unit: "CPU µs" } },
  against: [],
});
for (const [kind, all] of Object.entries(sizes)) {
  const costs = all.map((n) => results[nameOf(kind, n)]?.[OURS].map(({ micros }) => micros)).filter((one) => one !== undefined).map(median);
  const steps = costs.slice(1).map((cost, i) => cost / costs[i]);
  if (steps.length > 0) console.log(`${Math.max(...steps) < 2 ? "met   " : "MISSED"} ${kind}: ten times as many cost × ${steps.map((step) => step.toFixed(2)).join(", × ")} each`);
}

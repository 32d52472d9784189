// Guards the hot paths in CI: node test/bench/guard.mjs. Each is timed by turns with a fixed loop that does the least of the same work, in slices of some
// milliseconds; what counts is the fastest slice of each, so that neither other programs nor a slow machine matter much, and the ratio of both. Every path has
// processes of its own (what one does to the engine's inline caches is not another's problem), and the best of its ratios is judged.
//   least, most   what 8 to 20 runs brought on a machine of 2 processors, of which other programs kept more than one busy; `--measure N` takes N runs anew
//   bound         1.2 × most: all noise seen is below `most`, and a path that takes a third as long again is told. Instruction counts would be sharper, but
//                 virtual machines, such as CI runs on, seldom have them.
// Planted slow-downs that it tells: the type split anew at each step of a match, a copy of a filter's tests for each event, a clone of what is encoded, a
// frame made for each reader instead of once.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const SLICE = 4, SLICES = 120, PROCESSES = 2, MOST_PROCESSES = 6, MARGIN = 1.2;

const paths = {
  match: { least: 2.74, most: 2.88, make: match },
  filter: { least: 1.13, most: 1.24, make: filter },
  encode: { least: 1.15, most: 1.74, make: encode },
  cursor: { least: 3.10, most: 3.58, make: cursor },
};

/** A type that no cache knows, among a thousand patterns. Reference: the first segment in a Map. */
async function match() {
  const { TopicIndex } = await import("../../src/core/topic-index.ts");
  const index = new TopicIndex(), map = new Map();
  for (let i = 0; i < 1_000; i++) {
    index.add(`t${i}.*`, i);
    map.set(`t${i}`, [i]);
  }
  const types = Array.from({ length: 50_000 }, (_, i) => `t${(i * 7_919) % 1_000}.e${i}`);
  let next = 0, sum = 0;
  const type = () => types[next = (next + 1) % types.length];
  return {
    own: () => { for (const one of index.match(type())) sum += one; },
    reference() {
      const own = type();
      for (const one of map.get(own.slice(0, own.indexOf(".")))) sum += one;
    },
  };
}

/** Three conditions. Reference: the same by hand. */
async function filter() {
  const [{ compileFilter }, { compileRegex }] = await Promise.all([import("../../src/core/filter.ts"), import("../../src/core/regex.ts")]);
  const test = compileFilter({ priority: { $gte: 7 }, source: { $in: ["order_service", "payment_service"] }, "payload.amount": { $gt: 100 } }, { regex: compileRegex });
  const events = Array.from({ length: 1_024 }, (_, i) => ({ id: `evt_${i}`, type: "payment.done", source: ["order_service", "payment_service", "audit", "web"][i % 4], priority: (i * 7) % 10, payload: { id: i, amount: (i * 37) % 173 } }));
  let next = 0, _passed = 0;
  const event = () => events[next = (next + 1) & 1_023];
  return {
    own: () => { if (test(event())) _passed++; },
    reference() {
      const { priority, source, payload } = event();
      if (priority >= 7 && (source === "order_service" || source === "payment_service") && payload.amount > 100) _passed++;
    },
  };
}

/** The text of an event that is published. Reference: JSON.stringify of the same. */
async function encode() {
  const [{ lineOf, plainText }, { ourMeta, ourPayload: payload }] = await Promise.all([import("../../src/client/encode-event.ts"), import("./lib/event.mjs")]);
  const event = { type: "user.created", payload, ...ourMeta };
  let size = 0;
  return {
    own: () => { size += lineOf(plainText(event), "evt_0Vd3kQx2aaaaaaaaaaa000001").length; },
    reference: () => { size += JSON.stringify(["evt_0Vd3kQx2aaaaaaaaaaa000001", "user.created", payload, ourMeta]).length; },
  };
}

/** 64 events through a router in memory to the cursors of 100 sessions. Reference: parsing each, and 100 calls with what they join to. */
async function cursor() {
  const [{ Router }, { memoryStore }, { ourRest }, { routerLines }] = await Promise.all([import("../../src/core/router.ts"), import("../../src/stores/memory.ts"), import("./lib/event.mjs"), import("./lib/raw-sockets.mjs")]);
  const randomBytes = (count) => crypto.getRandomValues(new Uint8Array(count));
  const deferred = [];
  const turn = async () => {
    await new Promise(setImmediate);
    for (const callback of deferred.splice(0)) callback();
  };
  const router = new Router({ store: memoryStore({ randomBytes }), surroundings: { now: Date.now, randomBytes, defer: (callback) => void deferred.push(callback), wakeAt() {} }, limits: { windowEvents: 1e9, windowSize: 1e12 }, retention: { maxEvents: 4_096 }, onError: (error) => { throw error; } });
  const sessions = [];
  for (let i = 0; i <= 100; i++) {
    const session = { messages: 0 };
    const inner = router.connect({ send: (messages) => { session.messages += messages.length; }, close(code, reason) { throw new Error(reason); } });
    session.say = (text) => inner.receive(text);
    session.say('["hello",{"v":1}]');
    while (session.messages === 0) await turn();
    if (i > 0) session.say('["sub",1,{"topics":["user.*"]}]');
    await turn();
    sessions.push(session);
  }
  const line = routerLines(ourRest), [publisher, ...readers] = sessions;
  let req = 0, size = 0;
  const calls = Array.from({ length: 100 }, () => (text) => { size += text.length; });
  const lines = () => Array.from({ length: 64 }, line);
  return {
    async own() {
      const answered = publisher.messages, [{ messages }] = readers;
      publisher.say(`["pub",${++req},64,{"as":"each","run":1}]\n${lines().join("\n")}`);
      while (publisher.messages === answered || readers[0].messages === messages) await turn();
    },
    async reference() {
      const texts = lines();
      for (const text of texts) if (JSON.parse(text)[1] !== "user.created") throw new Error("another event");
      await turn();
      const joined = texts.join(",");
      for (const call of calls) call(joined);
    },
  };
}

if (process.argv[2] === "--child") {
  const { own, reference } = await paths[process.argv[3]].make();
  const isAsync = own.constructor.name === "AsyncFunction";
  /** ns for one, in a slice. */
  const slice = async (run) => {
    const begun = process.hrtime.bigint();
    let count = 0, elapsed;
    do {
      if (isAsync) await run();
      else for (let i = 0; i < 64; i++) run();
      count += isAsync ? 1 : 64;
      elapsed = Number(process.hrtime.bigint() - begun);
    } while (elapsed < SLICE * 1e6);
    return elapsed / count;
  };
  const fastest = { own: Infinity, reference: Infinity };
  for (let i = 0; i < SLICES; i++) {
    fastest.reference = Math.min(fastest.reference, await slice(reference));
    fastest.own = Math.min(fastest.own, await slice(own));
  }
  console.log(fastest.own / fastest.reference);
  process.exit(0);
}

const ratioOf = (name) => new Promise((resolve, reject) => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "--child", name], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (data) => { out += data; });
  child.on("close", (code) => (code === 0 ? resolve(Number(out)) : reject(new Error(`${name} ended with ${code}`))));
});

/** Of two processes; of more while none is within the bound, so that a machine under siege does not fail what is as fast as ever. */
const best = async (name, bound = Infinity) => {
  let ratio = Infinity;
  for (let i = 0; i < PROCESSES || (ratio > bound && i < MOST_PROCESSES); i++) ratio = Math.min(ratio, await ratioOf(name));
  return ratio;
};

if (process.argv[2] === "--measure") {
  for (const name of Object.keys(paths)) {
    const ratios = [];
    for (let i = 0; i < Number(process.argv[3] ?? 20); i++) ratios.push(await best(name));
    console.log(`${name}: least ${Math.min(...ratios).toFixed(2)}, most ${Math.max(...ratios).toFixed(2)}`);
  }
} else {
  for (const [name, { least, most }] of Object.entries(paths)) {
    const bound = most * MARGIN;
    const ratio = await best(name, bound);
    console.log(`${ratio <= bound ? "ok  " : "SLOW"} ${name}: ${ratio.toFixed(2)} × its reference (it was ${least} to ${most}; bound ${bound.toFixed(2)})`);
    if (ratio > bound) process.exitCode = 1;
  }
  if (process.exitCode === 1) console.error("a hot path has become slower: profile it (PROFILE=DIR npm run bench -- NAME), or say in test/bench/guard.mjs why it must be");
}

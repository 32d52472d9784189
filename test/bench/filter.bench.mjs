// Filter matching against sift and mingo: `npx node test/bench/filter.bench.mjs [rounds] [ms]`.
// Each round runs every contender in a process of its own (what one does to the engine's inline caches is not another's problem), the first one
// rotating; the ratio is the median of the ratios within the rounds, so a noisy neighbour hits both sides of it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const rounds = Math.max(5, Number(process.argv[2] ?? 5) || 5);
const milliseconds = Number(process.argv[3] ?? 150) || 150;
const contenders = ["ours", "sift", "mingo"];

const cases = {
  "three conditions (10 % pass)": { priority: { $gte: 7 }, source: { $in: ["order_service", "payment_service"] }, "payload.amount": { $gt: 100 } },
  "one condition, top level": { priority: { $gte: 7 } },
  "one condition, payload": { "payload.amount": { $gt: 100 } },
  "implicit equality": { source: "audit", "payload.currency": "EUR" },
  "$or of three": { $or: [{ priority: 9 }, { "payload.amount": { $lt: 10 } }, { source: "web" }] },
  "array of strings": { "payload.tags": "gold" },
  "array of objects": { "payload.items.qty": { $gte: 9 } },
  "$elemMatch": { "payload.items": { $elemMatch: { sku: "b", qty: { $gt: 5 } } } },
  "$not, $exists, $ne": { "payload.amount": { $not: { $gt: 100 } }, "payload.coupon": { $exists: false }, source: { $ne: "web" } },
  "$regex": { "payload.customer": { $regex: "^customer-1[0-9]*$" } },
};

/** A router runs many filters by turns, so that the engine cannot specialise on one: all of the above in one loop. */
const ALL = "all ten, by turns";

const events = () => Array.from({ length: 1_024 }, (_, i) => ({
  id: `evt_${i}`, type: "payment.done", source: ["order_service", "payment_service", "audit", "web"][i % 4], priority: (i * 7) % 10, seq: i, epoch: "e", timestamp: "2026-01-01T00:00:00.000Z",
  payload: {
    id: i, amount: (i * 37) % 173, currency: i % 3 ? "EUR" : "USD", customer: `customer-${i % 300}`, note: "x".repeat(40),
    tags: ["new", i % 5 ? "silver" : "gold", "eu"], items: [{ sku: "a", qty: i % 10 }, { sku: "b", qty: (i * 3) % 10 }],
  },
}));

async function compile(contender, filter) {
  if (contender === "sift") return (await import("sift")).default(filter);
  if (contender === "mingo") {
    const { Query } = await import("mingo");
    const query = new Query(filter);
    return (event) => query.test(event);
  }
  const [{ compileFilter }, { compileRegex }] = await Promise.all([import("../../src/core/filter.ts"), import("../../src/core/regex.ts")]);
  return compileFilter(filter, { regex: compileRegex });
}

function matchesPerSecond(test, documents, budget) {
  const begun = performance.now();
  let count = 0;
  let passed = 0;
  let now = begun;
  while (now - begun < budget) {
    for (const document of documents) if (test(document)) passed++;
    count += documents.length;
    now = performance.now();
  }
  // `passed` is used, so that no engine may leave the matching out.
  return passed < 0 ? 0 : (count * 1_000) / (now - begun);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const self = fileURLToPath(import.meta.url);

if (process.argv[2] === "--child") {
  const [, , , contender, name, budget] = process.argv;
  const documents = events();
  const tests = await Promise.all((name === ALL ? Object.values(cases) : [cases[name]]).map((filter) => compile(contender, filter)));
  let turn = 0;
  const test = tests.length === 1 ? tests[0] : (event) => tests[turn = (turn + 1) % tests.length](event);
  const passed = documents.filter((document) => test(document)).length;
  matchesPerSecond(test, documents, budget / 2);
  process.stdout.write(JSON.stringify({ passed, perSecond: matchesPerSecond(test, documents, Number(budget)) }));
} else {
  const rows = [];
  for (const name of [...Object.keys(cases), ALL]) {
    const figures = Object.fromEntries(contenders.map((contender) => [contender, []]));
    const passed = new Set();
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < contenders.length; i++) {
        const contender = contenders[(i + round) % contenders.length];
        const result = JSON.parse(execFileSync(process.execPath, [self, "--child", contender, name, String(milliseconds)], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
        figures[contender].push(result.perSecond);
        passed.add(result.passed);
      }
    }
    if (passed.size !== 1) throw new Error(`${name}: the contenders disagree on how many events pass: ${[...passed].join(", ")}`);
    const ratio = (peer) => median(figures.ours.map((figure, round) => figure / figures[peer][round]));
    rows.push({ case: name, ours: median(figures.ours), sift: median(figures.sift), mingo: median(figures.mingo), toSift: ratio("sift"), toMingo: ratio("mingo") });
  }
  console.table(Object.fromEntries(rows.map(({ case: name, ours, sift, mingo, toSift, toMingo }) => [name, {
    "ours (million/s)": (ours / 1e6).toFixed(2), "sift (million/s)": (sift / 1e6).toFixed(2), "mingo (million/s)": (mingo / 1e6).toFixed(2), "× sift": toSift.toFixed(1), "× mingo": toMingo.toFixed(1),
  }])));
  for (const row of rows) console.log(JSON.stringify({ bench: "filter", ...row, unit: "matches/s", rounds, node: process.version }));
}

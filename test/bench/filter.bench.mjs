// Filter matching against sift and mingo. What one contender does to the engine's inline caches is not another's problem: each has processes of its own.
import { bench } from "./lib/bench.mjs";

const MS = 150;
const OURS = "ours", SIFT = "sift", MINGO = "mingo";

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
  if (contender === SIFT) return (await import("sift")).default(filter);
  if (contender === MINGO) {
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

async function measure(contender, { filters }) {
  const documents = events();
  const tests = await Promise.all(filters.map((filter) => compile(contender, filter)));
  let turn = 0;
  const test = tests.length === 1 ? tests[0] : (event) => tests[turn = (turn + 1) % tests.length](event);
  const passed = documents.filter((document) => test(document)).length;
  matchesPerSecond(test, documents, MS / 2);
  return { passed, perSecond: matchesPerSecond(test, documents, MS) };
}

const results = await bench(import.meta.url, {
  contenders: { [OURS]: OURS, [SIFT]: SIFT, [MINGO]: MINGO },
  setups: { ...Object.fromEntries(Object.entries(cases).map(([name, filter]) => [name, { filters: [filter] }])), [ALL]: { filters: Object.values(cases) } },
  measure,
  metrics: { perSecond: { unit: "matches/s" } },
  against: [SIFT, MINGO],
  goals: [SIFT, MINGO].map((against) => ({ setup: /./, contender: OURS, metric: "perSecond", against, least: 8 })),
});
for (const [name, byContender] of Object.entries(results)) {
  const passed = new Set(Object.values(byContender).flat().map((figures) => figures.passed));
  if (passed.size > 1) throw new Error(`${name}: the contenders disagree on how many events pass: ${[...passed].join(", ")}`);
}

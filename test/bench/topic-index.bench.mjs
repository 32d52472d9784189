// Topic matching and one call per match: ours, eventemitter2 (wildcard mode), and a Map lookup as the limit.
// N patterns `t<i>.*` are registered and every event is for exactly one of them (`exact`: N plain types instead).
//   cached    64 types in turn
//   uncached  200,000 types in turn, far more than any cache keeps, for 64 of the patterns
//   spread    the same for all patterns: what the processor's own caches miss is included, for every contender
import { bench } from "./lib/bench.mjs";
import { ratioByRound } from "./lib/statistics.mjs";

const MS = 200;
const LIMIT = "Map lookup", OURS = "TopicIndex", PEER = "eventemitter2";

const contenders = {
  async [LIMIT](kind) {
    const handlers = new Map();
    // A cached type is the key itself; of one never seen before, at least the first segment must be cut out.
    const keyOf = kind === "exact" || kind === "cached" ? (type) => type : (type) => type.slice(0, type.indexOf("."));
    return {
      on: (pattern, handler, types) => { for (const type of types) handlers.set(keyOf(type), handler); },
      emit: (type, event) => handlers.get(keyOf(type))(event),
    };
  },
  async [OURS]() {
    const { TopicIndex } = await import("../../src/core/topic-index.ts");
    const index = new TopicIndex();
    return {
      on: (pattern, handler) => index.add(pattern, handler),
      emit: (type, event) => { for (const handler of index.match(type)) handler(event); },
    };
  },
  async [PEER]() {
    const { default: EventEmitter2 } = await import("eventemitter2");
    const emitter = new EventEmitter2({ wildcard: true, delimiter: ".", maxListeners: 0 });
    return { on: (pattern, handler) => emitter.on(pattern, handler), emit: (type, event) => emitter.emit(type, event) };
  },
};

async function measure(open, { kind, n }) {
  const { on, emit } = await open(kind);
  const few = kind === "cached" || kind === "exact";
  const types = Array.from({ length: few ? 64 : 200_000 }, (_, i) =>
    `t${kind === "spread" ? (i * 7_919) % n : Math.floor(((i % 64) * n) / 64)}.${few ? "created" : `e${i}`}`);
  const byPattern = Map.groupBy(types, (type) => type.slice(0, type.indexOf(".")));
  let calls = 0;
  for (let i = 0; i < n; i++) on(kind === "exact" ? `t${i}.created` : `t${i}.*`, () => { calls++; }, byPattern.get(`t${i}`) ?? []);
  const event = { type: types[0], payload: { id: 1 } };
  let next = 0;
  const run = (budget) => {
    let count = 0;
    const start = performance.now();
    for (;;) {
      for (let i = 0; i < 256; i++) {
        emit(types[next], event);
        if (++next === types.length) next = 0;
      }
      count += 256;
      const elapsed = performance.now() - start;
      if (elapsed >= budget) return { count, perSecond: (count * 1_000) / elapsed };
    }
  };
  const warm = run(MS / 2), { count, perSecond } = run(MS);
  if (calls !== warm.count + count) throw new Error(`${calls} calls for ${warm.count + count} events`);
  return { perSecond };
}

const kinds = ["exact", "cached", "uncached", "spread"], sizes = [100, 10_000, 100_000];
const nameOf = (kind, n) => `${kind}, ${n} patterns`;
const results = await bench(import.meta.url, {
  contenders,
  setups: Object.fromEntries(kinds.flatMap((kind) => sizes.map((n) => [nameOf(kind, n), { kind, n }]))),
  measure,
  metrics: { perSecond: { unit: "publishes/s" } },
  against: [PEER, LIMIT],
  goals: [{ setup: /./, contender: OURS, metric: "perSecond", against: PEER, least: 1 }],
});
for (const kind of kinds) {
  const [few, many] = [10_000, 100_000].map((n) => results[nameOf(kind, n)]);
  if (few === undefined || many === undefined) continue;
  const growth = Object.keys(few).map((name) => `${name} ${ratioByRound(few[name].map(({ perSecond }) => perSecond), many[name].map(({ perSecond }) => perSecond))}`);
  console.log(`growth of the time from 10,000 to 100,000 patterns, ${kind}: ${growth.join(", ")}`);
}

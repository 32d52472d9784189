// Topic matching and one call per match: ours, eventemitter2 (wildcard mode), and a Map lookup as the limit.
//   npx node test/bench/topic-index.bench.mjs        [ROUNDS=5] [MS=200]
// N patterns `t<i>.*` are registered and every event is for exactly one of them (`exact`: N plain types instead).
//   cached    64 types in turn
//   uncached  200,000 types in turn, far more than any cache keeps, for 64 of the patterns
//   spread    the same for all patterns: what the processor's own caches miss is included, for every contender
// Rounds are interleaved, each measurement in a fresh process; ratios are medians of the ratios per round.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.env.ROUNDS ?? 5), MS = Number(process.env.MS ?? 200);
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

async function measure({ contender, kind, n }) {
  const { on, emit } = await contenders[contender](kind);
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
  if (calls !== warm.count + count) throw new Error(`${contender}: ${calls} calls for ${warm.count + count} events`);
  return perSecond;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const child = process.argv.indexOf("--child");
if (child > 0) {
  process.stdout.write(String(await measure(JSON.parse(process.argv[child + 1]))));
} else {
  const self = fileURLToPath(import.meta.url), names = Object.keys(contenders), table = [];
  const isolated = (work) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [self, "--child", JSON.stringify(work)], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return Number(stdout);
  };
  for (const kind of ["exact", "cached", "uncached", "spread"]) {
    // Growth is a ratio of small differences, so the sizes take turns as well.
    const sizes = [100, 10_000, 100_000], runs = Object.fromEntries(sizes.map((n) => [n, Object.fromEntries(names.map((name) => [name, []]))]));
    for (let round = 0; round < ROUNDS; round++)
      for (let i = 0; i < names.length; i++)
        for (const n of sizes) runs[n][names[(i + round) % names.length]].push(isolated({ contender: names[(i + round) % names.length], kind, n }));
    const ratio = (a, b) => Number(median(a.map((value, round) => value / b[round])).toFixed(2));
    for (const n of sizes) {
      const row = { kind, patterns: n };
      for (const name of names) row[name] = Math.round(median(runs[n][name]));
      row["× eventemitter2"] = ratio(runs[n][OURS], runs[n][PEER]);
      row["of limit"] = ratio(runs[n][OURS], runs[n][LIMIT]);
      if (n === 100_000) for (const name of names) row[`growth ${name}`] = ratio(runs[10_000][name], runs[n][name]);
      console.log(JSON.stringify({ bench: "topic-index", unit: "publishes/s", rounds: ROUNDS, node: process.version, ...row }));
      table.push(row);
    }
  }
  console.table(table);
}

// npm run simulate -- --seed N [--trace]   replays a seed: what it violated, the hash of its trace, and if it fails a shortened trace
// npm run simulate -- --seeds FROM-TO      runs a range on all cores
// npm run simulate -- --fresh COUNT        runs seeds that no run had before
// --fault "cut at up:pub" puts one more fault into the plan of a seed.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { cellOf, cells } from "./faults.ts";
import { planOf, planWith, type Plan } from "./plan.ts";
import { runSeedsOnCores, tryRareOnCores } from "./seeds.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulation.ts";

/** How often each fault must have come at each step in a run of so many seeds or more. */
const OFTEN = 20;
const MANY = 2_000;
/** Seeds that are tried for a fault that came too seldom. */
const TRIES = 400;
/** Lines of a trace that are shown. */
const LINES = 80;

const { values } = parseArgs({ options: { seed: { type: "string" }, seeds: { type: "string" }, fresh: { type: "string" }, trace: { type: "boolean" }, cells: { type: "boolean" }, fault: { type: "string" }, hunt: { type: "string" } } });

async function replay(seed: number): Promise<boolean> {
  const plan = values.fault === undefined ? planOf(seed) : planWith(seed, values.fault);
  const result = await simulate(plan);
  if (values.trace === true) for (const line of result.trace) console.log(line);
  for (const one of result.violations) console.log(one);
  if (result.violations.length > 0 && values.trace !== true) {
    const small = await shrink(plan, result);
    const { violations, trace } = await simulate(small);
    console.log(`\nseed ${seed} fails with ${small.ops.length} of ${plan.ops.length} operations and ${small.faults.length} of ${plan.faults.length} faults:\n${optionsOf(small)}\n`);
    for (const line of shortened(trace)) console.log(line);
    for (const one of violations) console.log(one);
  }
  console.log(`trace ${result.hash}`);
  return result.violations.length === 0;
}

function optionsOf(plan: Plan): string {
  return JSON.stringify(plan, undefined, 1).replace(/\n\s{2,}/g, " ");
}

function shortened(trace: readonly string[]): readonly string[] {
  if (trace.length <= LINES) return trace;
  return [...trace.slice(0, LINES / 2), `… ${trace.length - LINES} more, see --trace …`, ...trace.slice(-LINES / 2)];
}

async function range(from: number, to: number): Promise<boolean> {
  const start = performance.now();
  const { seeds, steps, events, delivered, failed, faults } = await runSeedsOnCores(from, to, availableParallelism(), (seed, violations) => {
    console.log(`seed ${seed}: ${violations.slice(0, 3).join("\n  ").slice(0, 1_000)}\n  replay: npm run simulate -- --seed ${seed}`);
  });
  const counts = cells.map(([at, verdict]) => ({ at, cell: cellOf(at, verdict), count: faults.get(cellOf(at, verdict)) ?? 0 })).sort((a, b) => a.count - b.count);
  if (values.cells === true) for (const { cell, count } of counts) console.log(`${count} ${cell}`);
  const round = (count: number): string => Math.round(count).toLocaleString("en");
  let bad = failed.length;
  let more = 0;
  const never: string[] = [];
  if (seeds >= MANY) {
    const tried = await tryRareOnCores(counts.filter(({ count }) => count < OFTEN), { from, often: OFTEN, most: TRIES }, availableParallelism(), (seed, violations, cell) => {
      bad++;
      console.log(`seed ${seed} with ${cell}: ${violations.slice(0, 3).join("\n  ").slice(0, 1_000)}\n  replay: npm run simulate -- --seed ${seed} --fault "${cell}"`);
    });
    for (const { cell, count, seeds: spent } of tried) {
      more += spent;
      counts.find((one) => one.cell === cell)!.count = count;
      if (count < OFTEN) never.push(`${cell} (${count})`);
    }
  }
  const seconds = (performance.now() - start) / 1_000;
  console.log(`${round(seeds)} seeds (${from}-${to})${more > 0 ? ` and ${more} for what was rare` : ""} in ${seconds.toFixed(1)} s: ${bad} failed. ${round(steps)} steps, ${round(events)} events, ${round(delivered)} deliveries, ${round(counts.reduce((sum, { count }) => sum + count, 0))} faults; each of ${cells.length} kinds at least ${Math.min(...counts.map(({ count }) => count))} times`);
  if (never.length > 0) console.log(`too seldom, less than ${OFTEN} times: ${never.join(", ")}`);
  return bad === 0 && never.length === 0;
}

/** Stops at the first seed that fails. */
async function hunt(from: number, to: number): Promise<boolean> {
  for (let seed = from; seed <= to; seed++) {
    const { violations } = await simulate(planOf(seed));
    if (violations.length === 0) continue;
    console.log(`seed ${seed}: ${violations[0]}`);
    return false;
  }
  return true;
}

const bounds = (text = ""): number[] => /^(\d+)-(\d+)$/.exec(text)?.slice(1).map(Number) ?? [];

let good = false;
if (values.seed !== undefined) good = await replay(Number(values.seed));
else if (values.fresh !== undefined) {
  const first = Math.floor(Date.now() / 1_000) * 1_000;
  good = await range(first, first + Number(values.fresh) - 1);
} else {
  const [from, to] = bounds(values.hunt ?? values.seeds);
  if (from !== undefined && to !== undefined && values.hunt !== undefined) good = await hunt(from, to);
  else if (from === undefined || to === undefined) console.error("say --seed N, --seeds FROM-TO or --fresh COUNT");
  else good = await range(from, to);
}
process.exitCode = good ? 0 : 1;

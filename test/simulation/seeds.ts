import { Worker } from "node:worker_threads";
import { cellOf } from "./faults.ts";
import { planOf, planWith, reaches } from "./plan.ts";
import { simulate } from "./simulation.ts";

/** What a run of many seeds found. */
export interface Summary {
  readonly seeds: number;
  readonly steps: number;
  readonly events: number;
  readonly delivered: number;
  readonly failed: readonly { readonly seed: number; readonly violations: readonly string[] }[];
  /** How often each fault came at each step, `verdict at step`. */
  readonly faults: ReadonlyMap<string, number>;
}

/** Runs seeds one after another. */
export async function runSeeds(seeds: Iterable<number>, failed: (seed: number, violations: readonly string[]) => void = () => {}): Promise<Summary> {
  const summary = { seeds: 0, steps: 0, events: 0, delivered: 0, failed: [] as { seed: number; violations: readonly string[] }[], faults: new Map<string, number>() };
  for (const seed of seeds) {
    const result = await simulate(planOf(seed));
    summary.seeds++;
    summary.steps += result.steps;
    summary.events += result.events;
    summary.delivered += result.delivered;
    for (const { at, verdict } of result.faults) summary.faults.set(cellOf(at, verdict), (summary.faults.get(cellOf(at, verdict)) ?? 0) + 1);
    if (result.violations.length === 0) continue;
    summary.failed.push({ seed, violations: result.violations });
    failed(seed, result.violations);
  }
  return summary;
}

/** The same on several cores: worker `i` of `n` takes every n-th seed. */
export async function runSeedsOnCores(from: number, to: number, workers: number, failed: (seed: number, violations: readonly string[]) => void): Promise<Summary> {
  const parts = await Promise.all(Array.from({ length: workers }, (_, i) => onWorker<Summary>({ from: from + i, to, step: workers }, failed)));
  const faults = new Map<string, number>();
  for (const part of parts) for (const [cell, count] of part.faults) faults.set(cell, (faults.get(cell) ?? 0) + count);
  const sum = (of: (part: Summary) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    seeds: sum(({ seeds }) => seeds), steps: sum(({ steps }) => steps), events: sum(({ events }) => events), delivered: sum(({ delivered }) => delivered),
    failed: parts.flatMap((part) => part.failed).sort((a, b) => a.seed - b.seed), faults,
  };
}

/** A fault that came too seldom by itself. */
export interface Rare { readonly at: string; readonly cell: string; count: number }

/** What came of trying it with one seed after another. */
export interface Tried { readonly cell: string; readonly count: number; readonly seeds: number }

/** Runs seeds whose worlds have its step, with one such fault more, until it has come often enough. @param most seeds for each */
export async function tryRare(rare: readonly Rare[], { from, often, most }: { readonly from: number; readonly often: number; readonly most: number }, failed: (seed: number, violations: readonly string[], cell: string) => void): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const { at, cell, count: already } of rare) {
    let count = already;
    let seeds = 0;
    for (let seed = from; count < often && seeds < most && seed < from + 10 * most; seed++) {
      if (!reaches(planOf(seed), at)) continue;
      seeds++;
      const result = await simulate(planWith(seed, cell));
      count += result.faults.filter((one) => cellOf(one.at, one.verdict) === cell).length;
      if (result.violations.length > 0) failed(seed, result.violations, cell);
    }
    tried.push({ cell, count, seeds });
  }
  return tried;
}

/** The same on several cores. */
export async function tryRareOnCores(rare: readonly Rare[], how: { readonly from: number; readonly often: number; readonly most: number }, workers: number, failed: (seed: number, violations: readonly string[], cell: string) => void): Promise<Tried[]> {
  const parts = await Promise.all(Array.from({ length: workers }, (_, i) => onWorker<Tried[]>({ rare: rare.filter((_one, at) => at % workers === i), ...how }, failed)));
  return parts.flat();
}

/** What a worker is asked: a range of seeds, or what is rare. It tells of each failure, and of what came of it all. */
function onWorker<T>(workerData: unknown, failed: (seed: number, violations: readonly string[], cell: string) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./seeds-worker.ts", import.meta.url), { workerData });
    worker.on("message", (message: { seed: number; violations: readonly string[]; cell: string } | { result: T }) => {
      if ("seed" in message) failed(message.seed, message.violations, message.cell);
      else resolve(message.result);
    });
    worker.on("error", reject);
  });
}

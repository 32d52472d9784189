import { Worker } from "node:worker_threads";
import { cellOf } from "./faults.ts";
import { planOf } from "./plan.ts";
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
  const parts = await Promise.all(Array.from({ length: workers }, (_, i) => new Promise<Summary>((resolve, reject) => {
    const worker = new Worker(new URL("./seeds-worker.ts", import.meta.url), { workerData: { from: from + i, to, step: workers } });
    worker.on("message", (message: Summary | { seed: number; violations: readonly string[] }) => {
      if ("seed" in message) failed(message.seed, message.violations);
      else resolve(message);
    });
    worker.on("error", reject);
  })));
  const faults = new Map<string, number>();
  for (const part of parts) for (const [cell, count] of part.faults) faults.set(cell, (faults.get(cell) ?? 0) + count);
  const sum = (of: (part: Summary) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    seeds: sum(({ seeds }) => seeds), steps: sum(({ steps }) => steps), events: sum(({ events }) => events), delivered: sum(({ delivered }) => delivered),
    failed: parts.flatMap((part) => part.failed).sort((a, b) => a.seed - b.seed), faults,
  };
}

import { parentPort, workerData } from "node:worker_threads";
import { runSeeds, tryRare, type Rare } from "./seeds.ts";

// Errors are many here, and where they come from is told by a replay.
Error.stackTraceLimit = 0;

type Task = { readonly from: number; readonly to: number; readonly step: number } | { readonly rare: readonly Rare[]; readonly from: number; readonly often: number; readonly most: number };

const task = workerData as Task;

function* seeds(from: number, to: number, step: number): Iterable<number> {
  for (let seed = from; seed <= to; seed += step) yield seed;
}

const failed = (seed: number, violations: readonly string[], cell?: string): void => parentPort!.postMessage({ seed, violations, cell });
const result = "rare" in task ? await tryRare(task.rare, task, failed) : await runSeeds(seeds(task.from, task.to, task.step), failed);
parentPort!.postMessage({ result });

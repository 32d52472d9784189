import { parentPort, workerData } from "node:worker_threads";
import { runSeeds } from "./seeds.ts";

// Errors are many here, and where they come from is told by a replay.
Error.stackTraceLimit = 0;

const { from, to, step } = workerData as { from: number; to: number; step: number };

function* seeds(): Iterable<number> {
  for (let seed = from; seed <= to; seed += step) yield seed;
}

parentPort!.postMessage(await runSeeds(seeds(), (seed, violations) => parentPort!.postMessage({ seed, violations })));

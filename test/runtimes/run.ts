// Runs the contract suites in whatever runtime executes this file, and writes one JSON line per test: {"name", "ms"} or {"name", "ms", "error"}.
//   npx deno run -A --node-modules-dir=manual test/runtimes/run.ts [part of a name]
//   npx bun test/runtimes/run.ts [part of a name]
import { collect } from "./suites.ts";

/** Ends what hangs, ms. */
const TIMEOUT = 120_000;
const part = process.argv[2] ?? "";
let failed = 0;

for (const { name, run } of collect().filter((test) => test.name.includes(part))) {
  const start = performance.now();
  let error: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error(`not done after ${TIMEOUT} ms`)), TIMEOUT); });
    await Promise.race([run(), late]);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    failed++;
  }
  clearTimeout(timer);
  console.log(JSON.stringify({ name, ms: Math.round(performance.now() - start), error }));
}
// What a failed test left running must not keep the process.
process.exit(failed === 0 ? 0 : 1);

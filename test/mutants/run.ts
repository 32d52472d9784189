// npm run test:mutants [-- NAME]: plants each bug whose name has NAME in it in a copy of the sources, and tells by which seed of the simulator it is caught, or
// else by which test. What the simulator does not play (relays, outboxes, encryption, HTTP, Redis, tabs, sagas, IndexedDB) names the tests that are to catch it.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutants, type Mutant } from "./mutants.ts";

/** The share of planted bugs that must be caught, and the seeds in which; what no seed catches is for the tests of these folders. */
const SHARE = 0.95;
const SEEDS = 2_000;
const TESTS = ["test/core", "test/client", "test/auth"];
/** ms after which a run is taken for one that hangs, which is a way to be caught: far more than all seeds take on a busy machine. */
const HANGS = 600_000;

const root = fileURLToPath(new URL("../..", import.meta.url));
const wanted = process.argv.slice(2).join(" ");

/** A copy of what a simulation and the tests need, with the bug in it. @throws Error if the sources are no longer what the bug is for */
function plant({ name, edits }: Mutant): string {
  const folder = mkdtempSync(join(tmpdir(), "event-router-mutant-"));
  for (const part of ["src", "test", "docs", "README.md", "vitest.config.ts", "package.json", "tsconfig.json"]) cpSync(join(root, part), join(folder, part), { recursive: true, filter: (path) => !path.includes(".wrangler") });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [file, find, replace] of edits) {
    const path = join(folder, "src", file);
    const parts = readFileSync(path, "utf8").split(find);
    if (parts.length !== 2) throw new Error(`"${name}" cannot be planted: in src/${file} this stands ${parts.length - 1} times: ${find}`);
    writeFileSync(path, parts.join(replace));
  }
  return folder;
}

/** By what it is caught; undefined if it is not. */
async function hunt(folder: string, { tests }: Mutant): Promise<string | undefined> {
  if (tests !== undefined) return bySuites(folder, tests);
  return (await run(folder, ["test/simulation/simulate.ts", "--hunt", `1-${SEEDS}`], /^seed .*/m)) ?? bySuites(folder, TESTS);
}

/** Each file runs where it belongs, in Node or in workerd. */
function bySuites(folder: string, tests: Iterable<string>): Promise<string | undefined> {
  return run(folder, ["node_modules/vitest/vitest.mjs", "run", "--bail", "1", "--reporter", "dot", ...tests], /FAIL .*/);
}

/** What a program that fails says of it; undefined if it does not. */
function run(folder: string, args: readonly string[], says: RegExp): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
    let output = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      resolve("it hangs");
    }, HANGS);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => { output += text; });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : (says.exec(output)?.[0] ?? output.trim().split("\n").at(-1) ?? "it fails"));
    });
  });
}

const queue = mutants.filter(({ name }) => name.includes(wanted));
if (queue.length === 0) throw new Error(`no planted bug has ${JSON.stringify(wanted)} in its name; see test/mutants/mutants.ts`);

// What fails without a bug would catch them all.
const sound = plant({ name: "none", edits: [] });
const unsound = await bySuites(sound, new Set(queue.flatMap(({ tests = TESTS }) => tests)));
rmSync(sound, { recursive: true });
if (unsound !== undefined) throw new Error(`the tests fail without any bug: ${unsound}`);

const missed: string[] = [];
let done = 0;
async function work(): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const folder = plant(mutant);
    const started = performance.now();
    const caught = await hunt(folder, mutant);
    rmSync(folder, { recursive: true });
    done++;
    if (caught === undefined) missed.push(mutant.name);
    console.log(`${caught === undefined ? "MISSED" : "caught"}  ${mutant.name}${caught === undefined ? "" : `  (${Math.round((performance.now() - started) / 100) / 10} s) ${caught.slice(0, 160)}`}`);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(`${done - missed.length} of ${done} planted bugs caught${missed.length > 0 ? `; not: ${missed.join("; ")}` : ""}`);
process.exitCode = missed.length > (1 - SHARE) * done ? 1 : 0;

// All benches, or those that are named: node test/bench/run.mjs [NAME…] [--rounds N] [--setup PART] [--only NAME;NAME]. Each prints its tables; its rows take the place of
// those of the same name in test-results/bench.json, of which `npm run bench:report` makes docs/performance.md.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { machine, versions } from "./lib/surroundings.mjs";

const here = new URL(".", import.meta.url);
const out = new URL("../../test-results/bench.json", import.meta.url);
const all = readdirSync(here).filter((file) => file.endsWith(".bench.mjs")).map((file) => file.replace(".bench.mjs", ""));
const args = process.argv.slice(2);
const names = args.slice(0, args.findIndex((one) => one.startsWith("--")) >>> 0);
const options = args.slice(names.length);
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

const results = [];
let failed = false;
for (const name of names.length > 0 ? names : all) {
  console.log(`\n━━ ${name}`);
  const child = spawn(process.execPath, [fileURLToPath(new URL(`${name}.bench.mjs`, here)), ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"bench"')) results.push(JSON.parse(line));
    else console.log(line);
  }
  failed ||= (await ended) !== 0;
}
const key = (row) => [row.bench, row.case, row.contender].join("|");
const own = new Set(results.map(key));
const kept = read().filter((row) => !own.has(key(row)));
const rows = [...kept, ...results].map((row) => `    ${JSON.stringify(row)}`).join(",\n");
mkdirSync(new URL(".", out), { recursive: true });
writeFileSync(out, `{\n  "machine": ${JSON.stringify(machine())},\n  "versions": ${JSON.stringify(versions())},\n  "rows": [\n${rows}\n  ]\n}\n`);
console.log(`\n${results.length} rows in ${fileURLToPath(out)}`);
process.exitCode = failed ? 1 : 0;

/** Rows of earlier runs. */
function read() {
  try {
    return JSON.parse(readFileSync(out, "utf8")).rows ?? [];
  } catch {
    return [];
  }
}

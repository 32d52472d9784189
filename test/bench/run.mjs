// All benches, or those that are named: node test/bench/run.mjs [NAME…]. Each prints its tables; its lines of JSON go to test-results/bench.json.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = new URL(".", import.meta.url);
const out = new URL("../../test-results/bench.json", import.meta.url);
const all = readdirSync(here).filter((file) => file.endsWith(".bench.mjs")).map((file) => file.replace(".bench.mjs", ""));
const names = process.argv.slice(2);
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

const results = [];
let failed = false;
for (const name of names.length > 0 ? names : all) {
  console.log(`\n━━ ${name}`);
  const child = spawn(process.execPath, [fileURLToPath(new URL(`${name}.bench.mjs`, here))], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"bench"')) results.push(JSON.parse(line));
    else console.log(line);
  }
  failed ||= (await ended) !== 0;
}
mkdirSync(new URL(".", out), { recursive: true });
writeFileSync(out, `[\n${results.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
console.log(`\n${results.length} rows in ${fileURLToPath(out)}`);
process.exitCode = failed ? 1 : 0;

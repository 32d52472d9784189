// What a page loads before it can connect, publish, subscribe, resume and request, built as an application is: by Vite, for production. Everything else of
// the client is loaded when it is used. The goal is 10,000 bytes; the budget is where we are, so that it only ever falls.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const GOAL = 10_000;
const BUDGET = 14_500;

const { output } = await build({
  configFile: false,
  logLevel: "silent",
  root: fileURLToPath(new URL("../..", import.meta.url)),
  build: { write: false, target: "es2022", modulePreload: false, rolldownOptions: { input: fileURLToPath(new URL("entry.ts", import.meta.url)), preserveEntrySignatures: "strict" } },
});
const chunks = new Map(output.filter(({ type }) => type === "chunk").map((chunk) => [chunk.fileName, chunk]));
const size = ({ code }) => gzipSync(code, { level: 9 }).length;

const initial = new Set();
const follow = (name) => {
  if (initial.has(name)) return;
  initial.add(name);
  for (const next of chunks.get(name).imports) follow(next);
};
follow([...chunks.values()].find(({ isEntry }) => isEntry).fileName);

const total = [...initial].reduce((sum, name) => sum + size(chunks.get(name)), 0);
console.log(`browser client: ${total} bytes gzip at the start (budget ${BUDGET}, goal ${GOAL})`);
for (const [name, chunk] of chunks) if (!initial.has(name)) console.log(`  later: ${size(chunk)} ${name}`);
if (process.argv.includes("--files")) {
  for (const name of initial) for (const [path, { renderedLength }] of Object.entries(chunks.get(name).modules).sort(([, a], [, b]) => b.renderedLength - a.renderedLength)) console.log(`  ${renderedLength} ${path}`);
}
if (total > BUDGET) {
  console.error(`that is ${total - BUDGET} bytes over the budget: load more of it later, or say it shorter`);
  process.exit(1);
}

// The browser's budget: what a page loads before it can connect, publish, subscribe, resume and request. The rest is loaded when it is used.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";

const BUDGET = 10_000;

const { outputFiles, metafile } = await build({
  stdin: { contents: 'export { EventRouterClient } from "./src/index.ts";', resolveDir: new URL("../..", import.meta.url).pathname, loader: "ts" },
  bundle: true, minify: true, splitting: true, format: "esm", platform: "browser", target: "es2022",
  outdir: "/size", write: false, metafile: true, legalComments: "none",
});

const bytes = new Map(outputFiles.map(({ path, contents }) => [path.replace(/^\/size\//, ""), gzipSync(contents, { level: 9 }).length]));
const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [path.split("/").at(-1), output]));

const initial = new Set();
const follow = (name) => {
  if (initial.has(name)) return;
  initial.add(name);
  for (const { path, kind } of outputs.get(name).imports) if (kind === "import-statement") follow(path.split("/").at(-1));
};
follow([...outputs].find(([, { entryPoint }]) => entryPoint === "<stdin>")[0]);

const total = [...initial].reduce((sum, name) => sum + bytes.get(name), 0);
console.log(`initial: ${total} bytes gzip of ${BUDGET} (${[...initial].map((name) => `${name} ${bytes.get(name)}`).join(", ")})`);
for (const [name, size] of bytes) if (!initial.has(name)) console.log(`lazy: ${size} ${outputs.get(name).entryPoint ?? name}`);
if (process.argv.includes("--files")) {
  for (const [name] of [...outputs].filter(([one]) => initial.has(one))) {
    const inputs = Object.entries(outputs.get(name).inputs).sort((a, b) => b[1].bytesInOutput - a[1].bytesInOutput);
    for (const [path, { bytesInOutput }] of inputs) console.log(`  ${bytesInOutput} ${path}`);
  }
}
if (total > BUDGET) {
  console.error(`the initial chunks are ${total - BUDGET} bytes over their budget: load more of it lazily`);
  process.exit(1);
}

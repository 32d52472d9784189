// What a page loads, minified and gzipped; the budgets are where we are, so that they only ever fall.
//   core         before it is used. What the client loads when it is used stays out.
//   live         to connect, publish, subscribe and resume over a WebSocket, as one file: what nearly every page pays once it is connected.
//   everything   a web application that also asks and answers, works offline (IndexedDB) and encrypts (WebCrypto): all it loads altogether, as one file. Filters over
//                encrypted payloads, sagas and other patterns, tabs, durable subscriptions … are loaded by those that use them.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIVE = ["client/engine", "links/websocket"];
const rows = [
  { name: "browser client", budget: 7_950, goal: 9_000, parts: [] },
  { name: "with its WebSocket", budget: 16_500, goal: 9_000, parts: LIVE },
  { name: "with requests, responders, outbox and encryption", budget: 39_650, goal: 24_000, parts: [...LIVE, "client/requests", "client/responders", "client/offline/open-outbox", "outbox-home", "stores/indexeddb", "client/encryption/open-vault", "client/encryption/web-engine"] },
];

const later = new Set();

/** @param parts of the client that are loaded when they are used: they are in the file too */
async function bundle(parts) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export { EventRouterClient } from "./src/index.ts";\n${parts.map((part, i) => `export * as part${i} from "./src/${part}.ts";`).join("\n")}`, resolveDir: fileURLToPath(new URL("../..", import.meta.url)), loader: "ts" },
    bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false, metafile: true, legalComments: "none",
    plugins: [{
      name: "what is loaded later",
      setup({ onResolve }) {
        onResolve({ filter: /./ }, ({ kind, path }) => {
          if (kind !== "dynamic-import") return undefined;
          later.add(path);
          return { path, external: true };
        });
      },
    }],
  });
  return { size: gzipSync(outputFiles[0].contents, { level: 9 }).length, metafile };
}

for (const { name, budget, goal, parts } of rows) {
  const { size, metafile } = await bundle(parts);
  console.log(`${name}: ${size} bytes gzip (budget ${budget}, goal ${goal})`);
  if (process.argv.includes("--files")) {
    const inputs = Object.entries(Object.values(metafile.outputs)[0].inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
    for (const [path, { bytesInOutput }] of inputs) if (bytesInOutput > 0) console.log(`  ${bytesInOutput} ${path}`);
  }
  if (size <= budget) continue;
  console.error(`that is ${size - budget} bytes over the budget: load more of it later, or say it shorter`);
  process.exitCode = 1;
}
console.log(`later, when used: ${[...later].join(", ")}`);

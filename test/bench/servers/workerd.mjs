// workerd itself, without wrangler's proxy before it, with the router's object and a bare one: workerd.mjs FOLDER
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { fixedPort } from "../../support/fixed-port.ts";
import { endWithParent } from "../lib/processes.mjs";

const [folder] = process.argv.slice(2);
const port = await fixedPort();
await build({
  entryPoints: [fileURLToPath(new URL("edge-worker.ts", import.meta.url))], outfile: join(folder, "worker.js"),
  bundle: true, format: "esm", target: "es2022", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"], logLevel: "error",
});
mkdirSync(join(folder, "objects"));
const object = (name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`;
writeFileSync(join(folder, "workerd.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker), (name = "disk", disk = (path = "${join(folder, "objects")}", writable = true)) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ] );
const worker :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed "worker.js") ],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [ ${object("EventRouterObject")}, ${object("BareObject")} ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ (name = "EVENT_ROUTER", durableObjectNamespace = "EventRouterObject"), (name = "BARE", durableObjectNamespace = "BareObject"), (name = "ALLOW_ANONYMOUS", text = "true") ] );
`);
const { default: program } = createRequire(createRequire(import.meta.url).resolve("wrangler"))("workerd");
const child = spawn(program, ["serve", join(folder, "workerd.capnp")], { stdio: ["ignore", "ignore", "inherit"], env: { HOME: folder } });
child.on("exit", (code) => process.exit(code ?? 1));
process.on("exit", () => child.kill("SIGKILL"));
for (let answer; answer === undefined;) {
  answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
  if (answer === undefined) await new Promise((resolve) => { setTimeout(resolve, 20); });
}
endWithParent();
console.log(`READY ${port} ${child.pid}`);

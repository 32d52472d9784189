import { execFile, execFileSync, spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { build, preview } from "vite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { lintMetrics } from "../support/promtool.ts";
import { examples, FreshProject } from "./fresh-project.ts";

// A project is installed, and programs and a browser start.

let project: FreshProject;
let server: RunningServer;
let responder: EventRouterClient;
/** Where a page of the project is served. */
let pagePort: number;
const [clientExample, serverExample] = examples("README.md", "ts") as [string, string];

beforeAll(async () => {
  project = new FreshProject();
  pagePort = await fixedPort();
  server = await serve({ port: 0, origins: [`http://127.0.0.1:${pagePort}`] });
  responder = server.client();
  await responder.respond("calculator.add", ({ payload: { x, y } }: { payload: { x: number; y: number } }) => ({ result: x + y })).ready;
});
afterAll(async () => {
  await responder.close();
  await server.close();
  project[Symbol.dispose]();
});

/** The README's example at this test's router, and what it has got. */
const clientProgram = (): string => `${clientExample.replace("ws://127.0.0.1:8080", server.url)}\nconsole.log(receipt.status, JSON.stringify(response.payload));\n`;
const serverProgram = `${serverExample.replace("8080", "0")}\nconsole.log((await (await fetch(\`\${server.url}/health\`)).json()).status, (await (await fetch(\`\${server.url}/openapi.json\`)).json()).openapi);\nconsole.log(await (await fetch(\`\${server.url}/metrics\`)).text());\n`;

const runtimes: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["Node", process.execPath, []],
  ["Deno", "node_modules/.bin/deno", ["run", "--allow-all"]],
  ["Bun", "node_modules/.bin/bun", ["run"]],
];

async function run(command: string, args: readonly string[], file: string): Promise<string> {
  const path = command.startsWith("/") ? command : join(process.cwd(), command);
  const { stdout } = await promisify(execFile)(path, [...args, file], { cwd: project.folder, env: { PATH: process.env.PATH, HOME: project.folder, NO_COLOR: "1" } });
  return stdout;
}

test("the package holds what is built, and neither sources nor tests", () => {
  const installed = join(project.folder, "node_modules/@gadugi/event-router");
  expect(readdirSync(installed).toSorted()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "dist", "docs", "package.json"]);
  // What a configuration names as its schema, and what is imported into Grafana.
  expect(readdirSync(join(installed, "docs")).toSorted()).toEqual(["config.schema.json", "grafana-dashboard.json"]);
  const files = readdirSync(installed, { recursive: true }) as string[];
  expect(files.filter((file) => /(^|\/)(test|src)\//.test(file) || (file.endsWith(".ts") && !file.endsWith(".d.ts")))).toEqual([]);
  expect(statSync(join(installed, "dist/cli/main.js")).isFile()).toBe(true);
});

test.each(runtimes)("the README's client and server run in a fresh %s project", async (name, command, args) => {
  const client = await run(command, args, project.write(`client-${name}.mjs`, clientProgram()));
  expect(client).toMatch(/^\d+ user\.created \{ ?\n? *name: "?'?Alice"?'?, ?\n? *age: 30,? ?\n?\}\n/);
  expect(client).toMatch(/published \{"result":30\}\n$/);
  const [first, ...metrics] = (await run(command, args, project.write(`server-${name}.mjs`, serverProgram))).split("\n");
  expect(first).toBe("healthy 3.1.1");
  expect(metrics).toContain("event_router_healthy 1");
  expect(lintMetrics(`${metrics.join("\n").trim()}\n`)).toEqual([]);
});

test("the compiler accepts the README's examples in a fresh TypeScript project", () => {
  project.write("client.ts", clientExample);
  project.write("server.ts", serverExample);
  project.write("tsconfig.json", JSON.stringify({ compilerOptions: { module: "NodeNext", target: "ES2023", lib: ["ES2024", "ESNext.Disposable", "DOM", "DOM.Iterable"], strict: true, noEmit: true, types: [] }, files: ["client.ts", "server.ts"] }));
  execFileSync("node_modules/.bin/tsc", ["-p", project.folder], { stdio: "pipe", encoding: "utf8" });
});

test("the command line runs in a fresh project", async () => {
  const { stdout } = await promisify(execFile)(join(project.folder, "node_modules/.bin/event-router"), ["publish", "user.created", '{"id":123}', "--url", server.url], { env: { PATH: `${join(process.execPath, "..")}:${process.env.PATH}` } });
  expect(stdout).toMatch(/^published evt_\w+ seq \d+\n$/);
});

test("the README's client runs in a fresh Vite project, in a browser", async () => {
  project.write("index.html", '<!doctype html><title>app</title><link rel="icon" href="data:,"><script type="module" src="/main.ts"></script>');
  project.write("main.ts", `${clientProgram()}document.title = "done";\n`);
  const quiet = { root: project.folder, configFile: false, logLevel: "error" } as const;
  await build(quiet);
  const vite = await preview({ ...quiet, preview: { host: "127.0.0.1", port: pagePort, strictPort: true } });
  onTestFinished(() => vite.close());
  const browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(`http://127.0.0.1:${pagePort}/`);
  await page.waitForFunction("document.title === 'done'");
  expect(said).toEqual([expect.stringMatching(/^\d+ user\.created/), 'published {"result":30}']);
});

test("the packed router runs in a fresh Worker project, its metrics are sound, and the README's client works with it", async () => {
  project.write("worker.js", 'import { createWorker } from "@gadugi/event-router/worker";\nexport { EventRouterObject } from "@gadugi/event-router/worker";\nexport default createWorker();\n');
  project.write("wrangler.toml", `name = "fresh"
main = "worker.js"
compatibility_date = "2026-10-01"
durable_objects.bindings = [{ name = "EVENT_ROUTER", class_name = "EventRouterObject" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["EventRouterObject"] }]
vars = { ALLOW_ANONYMOUS = "true" }
`);
  const dev = spawn(join(process.cwd(), "node_modules/.bin/wrangler"), ["dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0", "--show-interactive-dev-session=false"], {
    cwd: project.folder, env: { PATH: `${join(process.execPath, "..")}:${process.env.PATH}`, HOME: project.folder, CI: "1", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" }, detached: true, stdio: ["ignore", "pipe", "pipe"],
  });
  // It has children of its own.
  onTestFinished(() => { if (dev.exitCode === null) process.kill(-dev.pid!, "SIGKILL"); });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    for (const stream of [dev.stdout, dev.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const ready = /Ready on (http:\/\/[\d.:]+)/.exec(said);
        if (ready !== null) resolve(ready[1]!);
      });
    }
    dev.on("close", () => reject(new Error(said)));
  });
  const calculator = new EventRouterClient({ url });
  onTestFinished(() => calculator.close());
  await calculator.respond("calculator.add", ({ payload: { x, y } }: { payload: { x: number; y: number } }) => ({ result: x + y })).ready;
  const said = await run(process.execPath, [], project.write("client-worker.mjs", clientProgram().replace(server.url, url)));
  expect(said).toMatch(/^1 user\.created /);
  expect(said).toMatch(/published \{"result":30\}\n$/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('event_router_events_published_total{namespace="default"} 1\n');
  expect(lintMetrics(metrics)).toEqual([]);
  expect(await (await fetch(`${url}/openapi.json`)).json()).toMatchObject({ openapi: "3.1.1" });
});

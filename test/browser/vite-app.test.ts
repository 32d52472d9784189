import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, createServer, preview } from "vite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { Chromium } from "../support/engines/chromium.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "vite-app-"));
const app = join(folder, "app");
const browser = new Chromium();
let server: RunningServer;
let origin: string;
let stop = async (): Promise<void> => {};

/** A fresh application with the packed package in it. Its script is the two lines of the documentation. */
beforeAll(async () => {
  const staged = join(folder, "package");
  mkdirSync(staged);
  execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", join(staged, "dist")], { cwd: root, stdio: "inherit" });
  for (const name of ["package.json", "README.md", "CHANGELOG.md", "LICENSE"]) cpSync(join(root, name), join(staged, name));
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], { cwd: staged });
  const { name, version, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string; version: string; dependencies: Record<string, string> };
  const installed = join(app, "node_modules", name);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, `${name.slice(1).replace("/", "-")}-${version}.tgz`), "-C", installed, "--strip-components=1"]);
  for (const dependency of Object.keys(dependencies)) {
    const link = join(app, "node_modules", dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", dependency), link);
  }
  const [, lines] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, "docs/tabs.md"), "utf8"))!;
  const [, example] = /```js\n(.*?)```/s.exec(readFileSync(join(root, "docs/ui.md"), "utf8"))!;
  expect(lines!.trim().split("\n")).toHaveLength(2);
  listen.port = await fixedPort();
  origin = `http://127.0.0.1:${listen.port}`;
  server = await serve({ port: 0, allowAnonymous: true, origins: [origin] });
  writeFileSync(join(app, "index.html"), '<!doctype html><title>app</title><link rel="icon" href="data:,"><p id="state"></p><ul id="orders"></ul><script type="module" src="/main.ts"></script>');
  writeFileSync(join(app, "orders.js"), example!);
  writeFileSync(join(app, "main.ts"), `${lines!.replace("wss://router.example.com", server.url)}\nimport { showOrders } from "./orders.js";\nObject.assign(globalThis, { client, EventRouterClient, stop: showOrders(client, globalThis) });\n`);
  await browser.start();
});
afterEach(() => stop());
afterAll(async () => {
  await browser.close();
  await server.close({ timeout: 0 });
  rmSync(folder, { recursive: true, force: true });
});

const listen = { host: "127.0.0.1", port: 0, strictPort: true };
const quiet = { root: app, configFile: false, logLevel: "error" } as const;

const ways: readonly (readonly [string, () => Promise<() => Promise<void>>])[] = [
  ["in development", async () => {
    // The links above lead out of the application's folder; npm would have copied what they lead to.
    const vite = await createServer({ ...quiet, server: { ...listen, fs: { strict: false } } });
    await vite.listen();
    return () => vite.close();
  }],
  ["built", async () => {
    await build(quiet);
    const vite = await preview({ ...quiet, preview: listen });
    return () => vite.close();
  }],
];

test.each(ways)("two lines are all a Vite application needs, %s: its tabs share a worker and a connection", async (_, start) => {
  stop = await start();
  const noise: string[] = [];
  const pages = await Promise.all([0, 1].map(async () => {
    const { page } = await browser.open("about:blank");
    page.on("pageerror", (error) => noise.push(String(error)));
    await page.goto(`${origin}/`);
    await page.waitForFunction("globalThis.client");
    return page;
  }));
  const seen = pages[0]!.evaluate("new Promise((resolve) => client.on('greeting', (event) => resolve(event.payload)).ready.then(() => document.title = 'ready'))");
  await pages[0]!.waitForFunction("document.title === 'ready'");
  expect(await pages[1]!.evaluate("client.publish('greeting', 'hello').then((receipt) => receipt.status)")).toBe("published");
  expect(await seen).toBe("hello");
  await pages[1]!.evaluate("client.publishBatch(Array.from({ length: 12 }, (_, i) => ['order.placed', { id: `${document.title}${i}` }]))");
  await pages[0]!.waitForFunction("orders.firstElementChild?.textContent === 'order.placed: app11'");
  expect(await pages[0]!.evaluate("[state.textContent, orders.children.length]")).toEqual(["Live", 10]);
  expect(await pages[0]!.evaluate("stop()")).toBeUndefined();
  const locks = await pages[0]!.evaluate<string[]>("navigator.locks.query().then(({ held }) => held.map(({ name }) => name))");
  expect(locks.filter((name) => name.startsWith("event-router:hub:"))).toHaveLength(1);
  expect(locks.filter((name) => name.startsWith("event-router:tab:"))).toHaveLength(2);
  expect([server.router.stats().get("default")?.connections, noise]).toEqual([1, []]);
  // Sockets are not for pages, and the bundle has nothing of what needs them.
  const refused = await pages[0]!.evaluate<string[]>("new EventRouterClient({ transport: 'redis', connection: { host: 'redis' }, logger: { error() {} } }).connect().then(() => [], ({ name, code, message }) => [name, code, message])");
  expect(refused).toEqual(["ConnectionError", "ERR_STORE_OPEN", expect.stringMatching(/browsers.*run a router on Redis.*wss:/)]);
  await Promise.all(pages.map((page) => page.close()));
});

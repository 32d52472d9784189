import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { EventRouterClient } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { fixedPort } from "../support/fixed-port.ts";

// Each example is a process of its own.

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Pages whose examples are run here; those of the others have a test of their own, which names the page. */
const here = ["dashboard.md", "http.md", "migration.md", "operating.md"];
const entries: Readonly<Record<string, string>> = { "@gadugi/event-router/server": "src/hosts/server.ts", "@gadugi/event-router/router": "src/router.ts", "@gadugi/event-router": "src/index.ts" };

let server: RunningServer;
let client: EventRouterClient;
let folder: string;
/** Where the examples for a page are served. */
let pagePort: number;

interface Example { readonly page: string; readonly line: number; readonly language: string; readonly text: string }

function examplesOf(page: string): Example[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].map((match) => ({ page, line: text.slice(0, match.index).split("\n").length, language: match[1]!, text: match[2]! }));
}

beforeAll(async () => {
  pagePort = await fixedPort();
  server = await serve({ port: 0, origins: [`http://127.0.0.1:${pagePort}`] });
  client = server.client();
  await client.respond("calculator.add", ({ payload: { x, y } }: { payload: { x: number; y: number } }) => ({ result: x + y })).ready;
  await client.publish("system.cpu", { percent: 12.5 });
  folder = mkdtempSync(join(root, "test/docs/run-"));
  writeFileSync(join(folder, "router.json"), '{ "port": 0, "retainAge": "30d" }');
  writeFileSync(join(folder, "event-router"), `#!/bin/sh\nexec ${process.execPath} ${join(root, "src/cli/main.ts")} "$@"\n`);
  chmodSync(join(folder, "event-router"), 0o755);
});
afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const atServer = (text: string): string => text.replaceAll("ws://127.0.0.1:8080", server.url.replace("http", "ws")).replaceAll("http://127.0.0.1:8080", server.url);

/** Of an example for a page: it is run in one. */
const needsPage = ({ text }: Example): boolean => text.includes("document.");

const all = ["README.md", ...here.map((page) => `docs/${page}`)].flatMap(examplesOf);

test("each page with examples is run here, or by a test that names it", () => {
  const tests = (readdirSync(join(root, "test"), { recursive: true }) as string[]).filter((file) => file.endsWith(".test.ts")).map((file) => readFileSync(join(root, "test", file), "utf8")).join("\n");
  const pages = readdirSync(join(root, "docs")).filter((page) => page.endsWith(".md") && examplesOf(`docs/${page}`).some(({ language }) => language === "ts" || language === "bash"));
  expect(pages.filter((page) => !here.includes(page) && !tests.includes(page))).toEqual([]);
});

test.each(all.filter((one) => one.language === "ts" && one.page !== "README.md" && !needsPage(one)).map((one) => [`${one.page}:${one.line}`, one] as const))("%s runs", async (_name, { text }) => {
  const file = join(folder, `example-${Math.random().toString(36).slice(2)}.ts`);
  const imports = Object.entries(entries).reduce((code, [name, path]) => code.replaceAll(`"${name}"`, JSON.stringify(pathToFileURL(join(root, path)).href)), text);
  writeFileSync(file, atServer(imports));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
  expect(stderr).toBe("");
  expect(stdout).not.toContain("undefined");
});

/** What does not end by itself: until it says that it is at work. */
const lasting: readonly (readonly [begins: RegExp, says: RegExp])[] = [
  [/^event-router start\b/, /is listening/], [/^event-router monitor\b(?!.*--limit)/, /listening to/], [/^curl -N/, /data:|retry:/],
];

/** Those of npm are typed in commands.test.ts. */
const lines = all.filter(({ language }) => language === "bash").flatMap(({ page, line, text }) => text.trim().split("\n").map((command, i) => [`${page}:${line + 1 + i}`, command.replace(/\s+#.*$/, "")] as const)).filter(([, command]) => !command.startsWith("npm "));

test.each(lines)("%s runs: %s", async (_name, command) => {
  const env = { PATH: `${folder}:${process.env.PATH}`, EVENT_ROUTER_URL: server.url, EVENT_ROUTER_PORT: "0", EVENT_ROUTER_PLAYGROUND: "", HOME: folder };
  // What `monitor` waits for comes now and then.
  const feed = setInterval(() => client.publishNowait("system.cpu", { percent: 50 }), 200);
  onTestFinished(() => clearInterval(feed));
  const [, says] = lasting.find(([begins]) => begins.test(command)) ?? [];
  const child = spawn("bash", ["-c", `exec ${atServer(command)}`], { cwd: folder, env: command.includes("--url") ? { ...env, EVENT_ROUTER_URL: undefined } : env });
  let said = "";
  const seen = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (says?.test(said)) resolve();
      });
    }
  });
  const ended = once(child, "close") as Promise<[number]>;
  if (says !== undefined) {
    await Promise.race([seen, ended]);
    expect(said).toMatch(says);
    child.kill("SIGINT");
    await ended;
    return;
  }
  const [code] = await ended;
  expect({ code, said }).toEqual({ code: 0, said: expect.not.stringMatching(/"status":[45]\d\d/) });
});

test("the page of docs/dashboard.md shows what comes, and so does the one without a build", async () => {
  const page = examplesOf("docs/dashboard.md");
  const [html, plain] = page.filter(({ language }) => language === "html");
  const main = page.find(needsPage)!;
  const { outputFiles } = await build({
    stdin: { contents: atServer(main.text), loader: "ts", resolveDir: root }, bundle: true, format: "esm", platform: "browser", target: "es2022", write: false,
    alias: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, path)])), external: ["node:*"], logLevel: "error",
  });
  const pages: Readonly<Record<string, readonly [type: string, body: string]>> = { "/": ["text/html", html!.text], "/plain": ["text/html", atServer(plain!.text)], "/main.ts": ["text/javascript", outputFiles[0]!.text] };
  const host = createServer(({ url }, response) => {
    const [type, body] = pages[url!] ?? ["text/plain", ""];
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  });
  await new Promise<void>((resolve) => host.listen(pagePort, "127.0.0.1", resolve));
  onTestFinished(() => host.close().closeAllConnections());
  const browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
  onTestFinished(() => browser.close());
  const origin = `http://127.0.0.1:${pagePort}`;
  const [built, simple] = [await browser.newPage(), await browser.newPage()];
  await built.goto(`${origin}/`);
  // What was published before it was opened is on it at once.
  await built.waitForFunction("document.getElementById('cpu').textContent.includes('%')");
  expect(await built.textContent("#state")).toBe("connected");
  await simple.goto(`${origin}/plain`);
  const feed = setInterval(() => client.publishNowait("system.cpu", { percent: 77 }), 100);
  onTestFinished(() => clearInterval(feed));
  await simple.waitForFunction("latest.textContent === '77 %'");
  await built.waitForFunction("document.getElementById('cpu').textContent === '77 %' && document.getElementById('average').textContent.endsWith('%')");
});

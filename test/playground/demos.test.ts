import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { faultsOf } from "./accessibility.ts";
import { newStore } from "./stage.ts";

const directory = mkdtempSync(join(tmpdir(), "demos-"));
let browser: Browser;
let server: RunningServer;
beforeAll(async () => {
  for (const name of ["dashboard", "notes", "chat"]) await build({ root: `demo/${name}`, configFile: "vite.config.ts", logLevel: "error", build: { outDir: join(directory, name) } });
  browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server.close();
});
afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(name: string, view: object = {}): Promise<Page> {
  server = await serve({ port: 0, staticFiles: join(directory, name), store: newStore() });
  const page = await (await browser.newContext(view)).newPage();
  await page.goto(server.url);
  await page.getByText("Live", { exact: true }).waitFor();
  return page;
}

test("dashboard: shows what came before it was opened, and what comes", async () => {
  const page = await open("dashboard");
  await using publisher = new EventRouterClient({ transport: "websocket", url: server.url });
  await publisher.publish("system.cpu", { percent: 41.5 });
  await page.reload();
  await page.getByText("41.5 %").waitFor();
  await publisher.publish("system.memory", { percent: 62 });
  await page.getByText("62.0 %").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.screenshot({ path: "test-results/demo-dashboard.png" });
});

test("notes: what is written offline is on show at once, waits over a reload, and is stored once", async () => {
  const page = await open("notes", { viewport: { width: 390, height: 844 } });
  await page.getByLabel("Offline").check();
  await page.getByLabel("Note", { exact: true }).fill("buy maple syrup");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("on this device", { exact: true }).waitFor();
  await page.getByText("1 waiting").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.screenshot({ path: "test-results/demo-notes.png" });
  await page.reload();
  await page.getByText("stored", { exact: true }).waitFor();
  expect(await page.getByText("buy maple syrup").count()).toBe(1);
  await page.getByText("0 waiting").waitFor();
  expect((await server.store.open("default")).head).toBe(1);
});

test("chat: a second window with the link reads it; the router does not", async () => {
  const page = await open("chat", { colorScheme: "dark" });
  const heard: unknown[] = [];
  await using stranger = new EventRouterClient({ transport: "websocket", url: server.url });
  await stranger.subscribe("**", ({ payload }) => { heard.push(payload); });
  await page.getByLabel("Message", { exact: true }).fill("the canoe leaves at nine");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("the canoe leaves at nine").waitFor();
  const second = await page.context().newPage();
  await second.goto(page.url());
  await second.getByText("the canoe leaves at nine").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.screenshot({ path: "test-results/demo-chat.png" });
  await expect.poll(() => heard.length).toBe(1);
  expect(JSON.stringify(heard)).not.toContain("canoe");
});

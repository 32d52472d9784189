import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { Checkout, type Typed } from "../support/checkout.ts";
import { faultsOf } from "./accessibility.ts";

const checkout = new Checkout();
let browser: Browser;
let demo: Typed;
/** Where it says that it is. */
let url: string;
beforeAll(async () => { browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments }); });
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await demo[Symbol.asyncDispose]();
});
afterAll(async () => {
  await browser.close();
  checkout[Symbol.dispose]();
});

/** Types the demo's command and opens its page. */
async function open(name: string, view: object = {}): Promise<Page> {
  // The one at the edge is wrangler's, which takes no port from the environment.
  const edge = name === "chat" ? " -- --ip 127.0.0.1 --port 0 --inspector-port 0 --show-interactive-dev-session=false" : "";
  const ready = /(?:Page {8}|Ready on )(http:\/\/[\d.:]+)/;
  demo = await checkout.start(`npm run demo:${name}${edge}`, ready);
  url = ready.exec(demo.output)![1]!;
  const page = await (await browser.newContext(view)).newPage();
  await page.goto(url);
  await page.getByText("Live", { exact: true }).waitFor();
  return page;
}

async function seq(): Promise<number> {
  return ((await (await fetch(`${url}/api/v1/stats`)).json()) as { head: number }).head;
}

test("dashboard: shows the machine's own figures, and goes on after a reload", async () => {
  const page = await open("dashboard");
  // The machine's own figures come by themselves, each second.
  await page.getByText(/^\d+\.\d %$/).nth(1).waitFor();
  const first = await seq();
  await expect.poll(seq).toBeGreaterThan(first);
  await page.reload();
  await page.getByText(/^\d+\.\d %$/).nth(1).waitFor();
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
  expect(await seq()).toBe(1);
});

test("chat, on workerd: a second window with the link reads it; the router does not", async () => {
  const page = await open("chat", { colorScheme: "dark" });
  const heard: unknown[] = [];
  await using stranger = new EventRouterClient({ transport: "websocket", url });
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

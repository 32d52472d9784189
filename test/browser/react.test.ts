import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { useConnection, useEvents, useLatest } from "../../src/react.ts";
import { Chromium, type ChromiumTab } from "../support/engines/chromium.ts";
import { PageStage } from "../support/page-stage.ts";

const browser = new Chromium();
let stage: PageStage;
let tab: ChromiumTab;

beforeAll(async () => {
  stage = await PageStage.start("test/browser/page/react.ts");
  await browser.start();
  tab = await browser.open(stage.url);
});
afterAll(async () => {
  await browser.close();
  await stage.close();
});

test("the hooks render on a server, and connect nothing", () => {
  const client = new EventRouterClient({ transport: "websocket", url: "ws://nowhere.invalid" });
  const Page = () => createElement("p", null, `${useConnection(client)} ${useEvents(client, "n").length} ${JSON.stringify(useLatest(client, ["a", "b"]))}`);
  expect(renderToString(createElement(Page))).toBe("<p>idle 0 undefined</p>");
  expect(client.state).toBe("idle");
});

test("what a server has rendered comes to life in the page", async () => {
  const [html, state] = await tab.call<[string, string]>("react", "onServer");
  expect([html, state]).toEqual(["<p>idle:  latest undefined</p>", "idle"]);
  await tab.call("react", "hydrate", html);
  await tab.call("react", "shows", "connected:  latest undefined");
  await expect.poll(() => tab.call("react", "subscriptions")).toBe(2);
  await tab.call("react", "publish", "n.a", 1, 5);
  await tab.call("react", "shows", "connected: 2,4 latest 5");
  expect(await tab.call("react", "complained")).toEqual([]);
  await tab.call("react", "remove");
  await expect.poll(() => tab.call("react", "subscriptions")).toBe(0);
  await tab.call("react", "end");
});

test("a component shows the newest events, few renders for many of them, and follows its options", async () => {
  await tab.call("react", "show");
  await tab.call("react", "shows", "connected:  latest undefined");
  await expect.poll(() => tab.call("react", "subscriptions")).toBe(2);
  const before = await tab.call<number>("react", "rendered");
  await tab.call("react", "publish", "n.a", 1, 500);
  await tab.call("react", "shows", "connected: 496,498,500 latest 500");
  expect(await tab.call<number>("react", "rendered") - before).toBeLessThan(100);
  await tab.call("react", "pick", "m.*");
  await tab.call("react", "shows", "connected:  latest undefined");
  await expect.poll(() => tab.call("react", "subscriptions")).toBe(2);
  await tab.call("react", "publish", "n.a", 501, 502);
  await tab.call("react", "publish", "m.a", 1, 2);
  await tab.call("react", "shows", "connected: 2 latest 2");
  await tab.call("react", "remove");
  await expect.poll(() => tab.call("react", "subscriptions")).toBe(0);
  await tab.call("react", "end");
});

import { expect, test } from "vitest";
import { createApiKey } from "../../src/auth/api-keys.ts";
import { faultsOf } from "./accessibility.ts";
import { newStore, refused, Stage } from "./stage.ts";

const stage = new Stage();

test("comes back by itself when the router restarts on its port, and misses nothing", async () => {
  const log = newStore();
  await stage.serve(log);
  await stage.open();
  await stage.publisher.publish("before.cut", {});
  await stage.row("before.cut").waitFor();

  await stage.server.close({ retryAfter: 200 });
  await stage.state("Reconnecting");
  await stage.serve(log, stage.server.port);
  await stage.publisher.publishBatch(Array.from({ length: 50 }, (_, i) => ["during.cut", { i }]));
  await stage.state("Connected");
  await stage.publisher.publish("after.cut", {});
  await stage.row("after.cut").waitFor();
  expect(await stage.seqs()).toEqual(Array.from({ length: 52 }, (_, i) => 52 - i));
  await stage.expectText("#activity li:first-child", /Connected again/);
  // The browser itself tells of each refused connection.
  stage.forgive(refused);
});

test("a log that was lost is said to have begun anew", async () => {
  await stage.open();
  await stage.publisher.publish("first.life", {});
  await stage.row("first.life").waitFor();
  await stage.server.close({ retryAfter: 200 });
  await stage.serve(newStore(), stage.server.port);
  await stage.publisher.publish("second.life", {});
  await stage.row("second.life").waitFor();
  await stage.page.locator("#rows .gap", { hasText: "begun anew" }).waitFor();
  stage.forgive(refused);
});

test("disconnects and connects on demand, to another namespace too", async () => {
  await stage.open();
  await stage.page.getByRole("button", { name: "Disconnect" }).click();
  await stage.state("Not connected");
  await stage.publishForm();
  await stage.expectText("#publish-result", /press Connect/);
  await stage.page.getByLabel("Namespace").fill("other");
  await stage.page.getByRole("button", { name: "Connect", exact: true }).click();
  await stage.state("Connected");
  await stage.publisher.publish("of.default", {});
  await stage.publishForm();
  await stage.expectText("#publish-result", /published\s*seq 1\s/);
  await stage.row("order.placed").waitFor();
  expect(await stage.row("of.default").count()).toBe(0);
  expect(new URL(stage.page.url()).hash).toBe("#/live?namespace=other");
});

test("another router, which the page's own router does not let it reach: the page says so and connects again to its own", async () => {
  await stage.open();
  await stage.page.getByLabel("Router", { exact: true }).fill("ws://127.0.0.1:9");
  await stage.page.getByRole("button", { name: "Switch" }).click();
  await stage.expectText("#connection-hint", /may talk only to the router that serves it, not to ws:\/\/127\.0\.0\.1:9/);
  await stage.page.getByLabel("Router", { exact: true }).fill("nonsense");
  await stage.page.getByRole("button", { name: "Switch" }).click();
  await stage.expectText("#connection-hint", /url must be such as/);
  await stage.page.getByLabel("Router", { exact: true }).fill(stage.server.url);
  await stage.page.getByRole("button", { name: "Connect", exact: true }).click();
  await stage.state("Connected");
  expect(await stage.page.locator("#connection-hint").isHidden()).toBe(true);
  stage.forgive(/Content Security Policy/);
});

test("a router that asks who one is: the page says so, signs in with a key, may only what the key may, and keeps the key to itself", async () => {
  const { key, entry } = await createApiKey({ id: "shop", permissions: ["subscribe:**", "publish:order.*"] });
  await stage.serve(newStore(), undefined, { auth: { apiKeys: [entry] } });
  await stage.open({}, "Refused");
  const credential = stage.page.getByLabel("API key or token");
  await credential.waitFor();
  await stage.expectText("#tail-empty", /The router refused the connection/);
  expect(await stage.page.locator("#activity .code").allTextContents()).toEqual(["ERR_UNAUTHENTICATED"]);
  expect(await faultsOf(stage.page)).toEqual([]);
  // Without the metrics the rest has their room.
  expect(await stage.page.locator(".tail").evaluate((tail) => innerHeight - tail.getBoundingClientRect().bottom)).toBeLessThan(40);
  await stage.page.screenshot({ path: "test-results/sign-in.png" });
  await credential.fill("shop.wrong");
  await credential.press("Enter");
  await stage.state("Refused");
  await credential.fill(key);
  await credential.press("Enter");
  await stage.state("Connected");
  expect(await credential.isHidden()).toBe(true);
  expect(await stage.page.evaluate(() => document.activeElement?.textContent)).toBe("By key");
  await stage.publishForm();
  await stage.row("order.placed").waitFor();
  await stage.page.getByLabel("Type", { exact: true }).fill("user.created");
  await stage.publishForm();
  await stage.expectText("#publish-result", /^ERR_PERMISSION not allowed to publish "user.created"/);
  await stage.page.getByRole("link", { name: "Live as code" }).click();
  await stage.expectText("#panel-code pre", /auth: \{ type: "api_key", key: process\.env\.EVENT_ROUTER_API_KEY! \}/);
  const kept = await stage.page.evaluate(() => [location.href, document.documentElement.outerHTML, JSON.stringify({ ...localStorage, ...sessionStorage })].join());
  expect(kept).not.toContain(key.split(".")[1]);
  await stage.page.getByRole("button", { name: "By key" }).click();
  await stage.page.getByRole("button", { name: "Sign out" }).click();
  await stage.state("Refused");
});

import { expect, test } from "vitest";
import { Stage } from "./stage.ts";

const stage = new Stage();

/** Puts a scenario together as a person does, and takes its link. */
async function linkOf(): Promise<string> {
  await stage.page.getByRole("link", { name: "Scenario", exact: true }).click();
  await stage.page.getByLabel("A shop").check();
  await stage.page.getByRole("slider", { name: "Rate" }).fill("40");
  await stage.page.getByRole("button", { name: "Copy the link" }).click();
  await stage.page.getByText("Copied", { exact: true }).waitFor();
  return stage.page.evaluate(() => navigator.clipboard.readText());
}

test("a link to a scenario brings all of it to another browser: the router in the page, traffic that plays, pattern, filter and faults", async () => {
  await stage.open();
  await stage.page.getByLabel("In page").check();
  await stage.state("Connected");
  await stage.follow("order.*", '{"payload.total": {"$gt": 100}}');
  await stage.page.getByRole("link", { name: "Scenario", exact: true }).click();
  await stage.page.getByRole("slider", { name: "Delay" }).fill("100");
  const link = await linkOf();

  await stage.page.context().close();
  await stage.open();
  // As when it is pasted into another tab.
  await stage.page.goto("about:blank");
  await stage.page.goto(link);
  await stage.state("Connected");
  await stage.row("order.placed").first().waitFor();
  expect(await stage.page.locator("#rows .type").allTextContents()).not.toContain("payment.received");
  expect([await stage.page.getByLabel("Pattern").inputValue(), await stage.page.getByLabel("Filter", { exact: true }).inputValue()]).toEqual(["order.*", '{"payload.total": {"$gt": 100}}']);
  await stage.page.getByRole("link", { name: "Scenario", exact: true }).click();
  expect([await stage.page.getByRole("slider", { name: "Delay" }).inputValue(), await stage.page.getByRole("slider", { name: "Rate" }).inputValue()]).toEqual(["100", "40"]);
  expect((await stage.server.store.open("default")).head).toBe(0);
});

test("a link writes nothing into another's log by itself: on a server's router its traffic waits for Play", async () => {
  await stage.open();
  const link = await linkOf();
  await stage.page.goto("about:blank");
  await stage.page.goto(link);
  await stage.state("Connected");
  await stage.page.getByRole("link", { name: "Scenario", exact: true }).click();
  await stage.page.getByRole("button", { name: "Play", exact: true }).waitFor();
  expect((await stage.server.store.open("default")).head).toBe(0);
  await stage.page.getByRole("button", { name: "Play", exact: true }).click();
  await expect.poll(async () => (await stage.server.store.open("default")).head).toBeGreaterThan(3);
});

test("the panels go with the browser's back and forward, and a link with a user's name and password loses both", async () => {
  await stage.open();
  await stage.page.getByRole("link", { name: "Requests", exact: true }).click();
  await stage.page.getByRole("link", { name: "Charts", exact: true }).click();
  await stage.page.goBack();
  await stage.page.locator("#panel-requests").waitFor();
  await stage.page.goForward();
  await stage.page.locator("#panel-charts").waitFor();
  await stage.page.goto("about:blank");
  await stage.page.goto(`${stage.server.url}/#/streams?url=${encodeURIComponent(`${stage.server.url.replace("http://", "ws://alice:hunter2@")}/?token=abc`)}`);
  await stage.state("Connected");
  await stage.page.locator("#panel-streams").waitFor();
  expect(decodeURIComponent(stage.page.url())).not.toMatch(/hunter2|abc|alice/);
});

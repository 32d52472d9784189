import { expect, test } from "vitest";
import { faultsOf } from "./accessibility.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();
const press = (name: string) => stage.page.getByRole("button", { name, exact: true }).click();

test("pattern and filter are built by choosing among what was seen; the fields say what was built, and what is in them can be built on", async () => {
  await stage.open();
  await stage.publisher.publishBatch([["order.placed", { total: 20 }], ["order.paid", { total: 80, by: { card: "x" } }], ["user.created", {}]]);
  await stage.row("user.created").waitFor();
  await press("Build");
  await press("order.**");
  await stage.page.getByLabel("Field", { exact: true }).fill("payload.total");
  await stage.page.getByLabel("Condition", { exact: true }).selectOption("at least");
  await stage.page.getByLabel("Value", { exact: true }).fill("50");
  expect([await stage.page.getByLabel("Pattern", { exact: true }).inputValue(), await stage.page.getByLabel("Filter", { exact: true }).inputValue()]).toEqual(["order.**", '{"payload.total":{"$gte":50}}']);
  expect(await stage.page.locator("#builder-fields option").evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value))).toEqual(expect.arrayContaining(["payload.total", "payload.by.card", "priority"]));
  await stage.page.getByLabel("from start").check();
  await stage.row("order.paid").waitFor();
  await expect.poll(() => stage.rows).toBe(1);

  await press("Add a condition");
  await stage.page.getByLabel("Field", { exact: true }).last().fill("type");
  await stage.page.getByLabel("Value", { exact: true }).last().fill("order.placed");
  await stage.page.getByLabel("any holds").check();
  await press("Show these");
  await stage.row("order.placed").waitFor();
  await expect.poll(() => stage.rows).toBe(2);
  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    await stage.page.setViewportSize({ width, height });
    await stage.page.locator("#builder").scrollIntoViewIfNeeded();
    expect(await faultsOf(stage.page)).toEqual([]);
    expect(await stage.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await stage.page.screenshot({ path: `test-results/builder-${width}.png` });
  }

  await press("Build");
  await stage.page.getByLabel("Filter", { exact: true }).fill('{"$nor": [{"priority": 1}]}');
  await press("Build");
  await stage.expectText("#builder-note", /more than lines can/);
  await press("Build");
  await stage.page.getByLabel("Filter", { exact: true }).fill("priority:gt:5,source:shop");
  await press("Build");
  expect(await stage.page.getByLabel("Value", { exact: true }).evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value))).toEqual(["5", "shop"]);
  await stage.page.getByRole("button", { name: "Remove" }).first().click();
  expect(await stage.page.getByLabel("Filter", { exact: true }).inputValue()).toBe('{"source":"shop"}');
});

test("what was published comes back from the history with a click, and once however often it was published", async () => {
  await stage.open();
  await press("alert.raised");
  await stage.publishForm();
  await stage.row("alert.raised").waitFor();
  await stage.publishForm();
  await stage.expectText("#head", /^2$/);
  await press("user.created");
  await stage.publishForm();
  await stage.row("user.created").waitFor();
  await stage.page.getByText("History").click();
  await stage.expectText("#history-count", /^2$/);
  await stage.page.locator("#history-list button", { hasText: "alert.raised" }).click();
  expect(await stage.page.getByLabel("Type", { exact: true }).inputValue()).toBe("alert.raised");
  expect(await stage.page.getByLabel("Priority").inputValue()).toBe("9");
  expect(JSON.parse(await stage.page.getByLabel("Payload").inputValue())).toMatchObject({ room: "server-2" });
  await stage.publishForm();
  await expect.poll(() => stage.page.locator("#history-list .again-type").first().textContent()).toBe("alert.raised");
  expect(await faultsOf(stage.page)).toEqual([]);
  await stage.page.screenshot({ path: "test-results/history.png" });
});

test("a schema of a type holds back what does not fit it", async () => {
  await stage.open();
  await stage.page.getByText("Schema", { exact: false }).first().click();
  await press("From the payload");
  await stage.expectText("#schema-note", /Each order\.placed is checked/);
  await stage.page.getByLabel("Payload").fill('{"orderId": "456", "total": 99.99}');
  await stage.publishForm();
  await stage.expectText("#publish-result", /ERR_SCHEMA not published: .*currency.*payload\.orderId: .*integer/);
  expect(await faultsOf(stage.page)).toEqual([]);
  await stage.page.screenshot({ path: "test-results/schema.png" });
  await press("user.created");
  await stage.publishForm();
  await stage.row("user.created").waitFor();
  await press("order.placed");
  await stage.publishForm();
  await stage.row("order.placed").waitFor();
  expect((await stage.server.store.open("default")).head).toBe(2);
  await stage.page.getByLabel("JSON Schema").fill("{");
  await stage.publishForm();
  await stage.expectText("#publish-result", /ERR_SCHEMA not published:\s+the schema is no JSON: line 1, column 2/);
});

test("a shop to look at: it publishes until it is stopped", async () => {
  await stage.open();
  await press("play a shop");
  await stage.row("order.shipped").first().waitFor();
  await stage.page.locator("#play", { hasText: "stop" }).click();
  await press("play a shop");
  await stage.page.getByRole("link", { name: "Scenario", exact: true }).click();
  expect(await stage.page.getByLabel("A shop").isChecked()).toBe(true);
  await press("Stop");
  await stage.page.getByRole("button", { name: "Play", exact: true }).waitFor();
});

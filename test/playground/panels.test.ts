import { expect, test } from "vitest";
import { faultsOf } from "./accessibility.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();
const press = (name: string) => stage.page.getByRole("button", { name, exact: true }).click();
const go = async (name: string) => {
  await stage.page.getByRole("navigation", { name: "Panels" }).getByRole("link", { name, exact: true }).click();
  await stage.page.locator(`main:not([hidden])`).waitFor();
};

/** What makes each panel show something, and how one sees that it does. */
const scenes: Readonly<Record<string, () => Promise<void>>> = {
  Live: async () => {
    await stage.publishForm();
    await stage.row("order.placed").waitFor();
  },
  Subscriptions: () => stage.page.getByRole("cell", { name: "playground" }).first().waitFor(),
  "Dead letters": async () => {
    await stage.page.getByText("No dead letters.").waitFor();
    await press("Make one fail");
    await stage.page.getByText("the warehouse does not answer").waitFor();
  },
  Streams: async () => {
    await stage.page.getByText("This stream has no events yet.").waitFor();
    for (const version of [0, 1, 2]) {
      await press("Append the next event");
      await stage.page.getByText(`version ${version}`).waitFor();
    }
  },
  Sagas: async () => {
    await press("Order that works");
    await stage.page.getByText("completed", { exact: true }).waitFor();
    await press("Order that fails");
    await stage.page.getByText("compensated", { exact: true }).waitFor();
  },
  Requests: async () => {
    await press("Ask");
    await stage.page.getByText("ERR_NO_RESPONDERS").waitFor();
    await press("Answer calculator.add here");
    await stage.page.getByRole("button", { name: "Answer no more" }).waitFor();
    await press("Ask");
    await stage.page.locator(".letter .json-number", { hasText: "30" }).waitFor();
  },
  Charts: async () => {
    await press("10,000 events/s for five seconds");
    await expect.poll(async () => Number((await stage.page.locator("#panel-charts .value").first().textContent())?.replaceAll(",", ""))).toBeGreaterThan(1_000);
    await expect.poll(async () => stage.page.locator("#panel-charts .value").nth(1).textContent()).not.toBe("–");
    // To its end, so that there is a line to see.
    await stage.page.getByRole("button", { name: "10,000 events/s for five seconds" }).waitFor();
  },
  Scenario: () => stage.page.getByText("Off for now: this page talks to a router outside it").waitFor(),
  Code: () => stage.page.getByText("await using client").waitFor(),
};

test("each panel works, and axe finds nothing in light, in dark and at a phone's width; a picture of each is kept", async () => {
  await stage.open();
  for (const [name, play] of Object.entries(scenes)) {
    await go(name);
    await stage.page.locator("main:not([hidden])").screenshot({ path: `test-results/panel-${name.toLowerCase().replace(" ", "-")}-first.png` });
    await play();
    for (const [look, width, height] of [["light", 1440, 900], ["dark", 1440, 900], ["phone", 390, 844]] as const) {
      await stage.page.emulateMedia({ colorScheme: look === "dark" ? "dark" : "light", reducedMotion: "reduce" });
      await stage.page.setViewportSize({ width, height });
      expect(await faultsOf(stage.page), `${name}, ${look}`).toEqual([]);
      expect(await stage.page.evaluate(() => document.documentElement.scrollWidth), `${name}, ${look}`).toBe(width);
      await stage.page.screenshot({ path: `test-results/panel-${name.toLowerCase().replace(" ", "-")}-${look}.png` });
    }
    await stage.page.setViewportSize({ width: 1440, height: 900 });
  }
});

test("a dead letter goes when its handler is repaired and it is retried, or when it is discarded", async () => {
  await stage.open();
  await go("Dead letters");
  await press("Make one fail");
  await stage.page.getByText("the warehouse does not answer").waitFor();
  await press("Repair the handler");
  await press("Retry all");
  await stage.page.getByText("No dead letters.").waitFor();
  await press("Break the handler");
  await press("Make one fail");
  await press("Discard");
  await stage.page.getByText("No dead letters.").waitFor();
});

test("the router in the page behind a bad network: nothing is lost; the link holds the faults and no key", async () => {
  await stage.open();
  await go("Scenario");
  await press("Use the router in this page");
  await stage.state("Connected");
  await stage.page.getByRole("slider", { name: "Delay" }).fill("150");
  await stage.page.getByRole("slider", { name: "Drop" }).fill("8");
  await stage.page.getByLabel("Encrypt what is published").check();
  const key = await stage.page.getByLabel("Key (32 bytes, base64)").inputValue();
  await go("Live");
  // One that begins now and is cut before the router has said where that is begins later.
  await stage.page.getByLabel("from start").check();
  await press("Apply");
  await stage.state("Connected");
  await press("batch of 100");
  await stage.expectText("#tail-total", /^100 events$/);
  await stage.page.goBack();
  expect(stage.page.url()).toContain("transport=memory");
  expect(stage.page.url()).toMatch(/#\/scenario\?.*delay=150&drop=8$/);
  expect(decodeURIComponent(stage.page.url())).not.toContain(key);
  await stage.page.reload();
  expect(await stage.page.getByRole("slider", { name: "Delay" }).inputValue()).toBe("150");
});

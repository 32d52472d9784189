import { expect, test } from "vitest";
import { contrastFaults } from "./contrast.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();

test("light, dark or as the system, remembered; the contrast is AA in both", async () => {
  await stage.open();
  // Without transitions: colours are what they will be at once.
  await stage.page.emulateMedia({ reducedMotion: "reduce" });
  await stage.publishMetrics(3);
  await stage.publisher.publish("order.placed", { total: 1 });
  await stage.row("order.placed").locator(".line").click();
  await stage.page.locator("body").click({ position: { x: 5, y: 895 } });
  await stage.page.getByLabel("Payload").fill("{,}");
  await stage.follow("a..b");
  const ground = () => stage.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  expect(await stage.page.evaluate(contrastFaults)).toEqual([]);
  await stage.page.getByTitle("Dark").click();
  const dark = await ground();
  expect(dark).not.toBe(light);
  expect(await stage.page.evaluate(contrastFaults)).toEqual([]);
  await stage.page.reload();
  expect(await ground()).toBe(dark);
  await stage.page.getByTitle("As the system").click();
  expect(await ground()).toBe(light);
});

test.each([["light", 1440, 900, 1], ["dark", 1440, 900, 1], ["phone", 390, 844, 2]] as const)("%s: fits its width; a picture is kept", async (name, width, height, scale) => {
  await stage.publishMetrics(290);
  await stage.open({ width, height, scale, colors: name === "dark" ? "dark" : "light" });
  await stage.page.emulateMedia({ reducedMotion: "reduce" });
  const types: [string, unknown][] = [
    ["user.created", { id: 123, name: "Alice", roles: ["editor"] }], ["payment.received", { orderId: 456, amount: 99.99, method: "card" }],
    ["sensor.north.reading", { celsius: 20.4 }], ["order.shipped", { orderId: 455, carrier: "canoe" }],
  ];
  for (let i = 0; i < 20; i++) await stage.publisher.publish(...types[i % 4]!, { source: ["accounts", "payments", "greenhouse", "shop"][i % 4]! });
  await stage.publishForm();
  await stage.page.locator("#publish-result .badge").waitFor();
  await stage.row("order.placed").waitFor();
  if (name !== "phone") await stage.page.locator("#rows .line").nth(3).click();
  await expect.poll(() => stage.inkOf("system.cpu")).toBeGreaterThan(50);
  expect(await stage.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  const clipped = await stage.page.evaluate(() => [...document.querySelectorAll("button, input, h1, h2, label, dd, .figure")]
    .filter((element) => (element as HTMLElement).checkVisibility() && element.getBoundingClientRect().right > innerWidth).map((element) => element.outerHTML.slice(0, 80)));
  expect(clipped).toEqual([]);
  expect(await stage.page.locator(".side").evaluate((side) => side.scrollWidth - side.clientWidth)).toBe(0);
  if (name === "phone") await stage.page.setViewportSize({ width, height: await stage.page.evaluate(() => document.documentElement.scrollHeight) });
  await stage.page.evaluate(() => scrollTo(0, 0));
  await stage.page.screenshot({ path: `test-results/playground-${name}.png` });
});

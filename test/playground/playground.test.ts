import { expect, test } from "vitest";
import { faultsOf } from "./accessibility.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();

test("connects by itself, publishes the form with the receipt told, and shows the event with its seq in the tail", async () => {
  await stage.publisher.publish("order.earlier", {});
  await stage.open();
  await stage.page.getByLabel("Type").fill("order.placed");
  await stage.page.getByLabel("Payload").fill('{ "orderId": 7, "note": "<b>no markup</b>" }');
  await stage.page.getByText("Options", { exact: true }).click();
  await stage.page.getByLabel("Priority").fill("8");
  await stage.page.getByLabel("Source").fill("till");
  await stage.page.getByLabel("Correlation id").fill("req-1");
  await stage.page.getByLabel("Payload").press("Control+Enter");
  await stage.expectText("#publish-result", /published\s*seq 2\s*took [\d.]+ ms\s*id evt_/);
  await stage.expectText("#activity li:first-child", /order\.placed published as 2/);

  await stage.row("order.placed").waitFor();
  expect(await stage.row("order.placed").locator(".seq").textContent()).toBe("2");
  expect(await stage.row("order.placed").locator(".source").textContent()).toBe("till");
  expect(await stage.row("order.placed").locator(".payload").textContent()).toBe('{"orderId":7,"note":"<b>no markup</b>"}');
  await stage.row("order.placed").locator(".line").click();
  const shown = JSON.parse((await stage.row("order.placed").locator(".json").textContent())!) as Record<string, unknown>;
  expect(shown).toMatchObject({ type: "order.placed", seq: 2, priority: 8, source: "till", correlationId: "req-1", payload: { orderId: 7 } });
  await stage.row("order.placed").getByRole("button", { name: "Copy" }).click();
  await stage.row("order.placed").getByRole("button", { name: "Copied" }).waitFor();
  expect(JSON.parse(await stage.page.evaluate(() => navigator.clipboard.readText()))).toEqual(shown);

  await stage.expectText("#head", /^2$/);
  await stage.expectText("#received", /^1$/);
  expect(await stage.row("order.earlier").count()).toBe(0);
});

test("an example fills the form; a batch of 100 tells its seqs", async () => {
  await stage.open();
  await stage.page.getByRole("button", { name: "alert.raised" }).click();
  await stage.publishForm();
  await stage.row("alert.raised").waitFor();
  await stage.page.getByRole("button", { name: "batch of 100" }).click();
  await stage.expectText("#publish-result", /seq 2 – 101/);
  await stage.expectText("#tail-total", /^101 events$/);
});

test("a mistake in the JSON is told at its place, and nothing is published", async () => {
  await stage.open();
  await stage.page.getByLabel("Payload").fill('{\n  "total": 99.99 "currency": "CAD"\n}');
  await stage.expectText("#payload-error", /Line 2, column 18: a comma or } is missing before this/);
  await stage.expectText("#payload-error pre", /"total": 99.99 "currency"[^\n]*\n {17}↑/);
  await stage.publishForm();
  await stage.page.getByRole("button", { name: "Go there" }).click();
  expect(await stage.page.evaluate(() => [document.activeElement?.id, (document.activeElement as HTMLTextAreaElement).selectionStart])).toEqual(["payload", 19]);
  expect(await stage.page.locator("#publish-result").isHidden()).toBe(true);
  await stage.page.getByLabel("Payload").fill("{}");
  await stage.page.locator("#payload-error").waitFor({ state: "hidden" });
});

test("what the router refuses is told with its code where it was asked, and in the activity", async () => {
  await stage.open();
  await stage.page.getByLabel("Type").fill("not a type");
  await stage.publishForm();
  await stage.expectText("#publish-result", /^ERR_TYPE .*not a type/);
  await stage.expectText("#activity li:first-child", /ERR_TYPE publishing: /);
});

test("patterns and a filter choose what the tail shows; the page's address keeps them", async () => {
  await stage.open();
  await stage.follow("order.*", '{"payload.total": {"$gt": 50}}');
  await stage.publisher.publishBatch([["order.placed", { total: 20 }], ["user.created", { total: 99 }], ["order.paid", { total: 80 }]]);
  await stage.row("order.paid").waitFor();
  expect(await stage.rows).toBe(1);

  await stage.page.reload();
  expect(await stage.page.getByLabel("Pattern").inputValue()).toBe("order.*");
  await stage.page.getByLabel("from start").check();
  await stage.row("order.paid").waitFor();
  expect(await stage.rows).toBe(1);

  await stage.follow("**", "type:user.*|order.paid,payload.total:gte:80");
  await stage.row("user.created").waitFor();
  await stage.row("order.paid").waitFor();
  expect(await stage.rows).toBe(2);

  const others = await stage.page.locator("#filters option", { hasText: "without the machine" }).getAttribute("value");
  await stage.follow("**", others!);
  await stage.publisher.publishBatch([["system.cpu", {}], ["order.late", {}]]);
  await stage.row("order.late").waitFor();
  expect(await stage.row("system.cpu").count()).toBe(0);

  await stage.follow("user.* order.paid", '{"$or": [{"type": "order.paid"}, {"payload.total": {"$lt": 90}}]}');
  await stage.row("order.paid").waitFor();
  expect(await stage.rows).toBe(1);
});

test("a pattern or filter the router refuses is told inline, and the old subscription goes on", async () => {
  await stage.open();
  await stage.follow("order.*");
  for (const [pattern, filter, message, field] of [
    ["order..*", "", /^ERR_PATTERN .*order\.\.\*/, "#pattern"],
    ["**", "priority:above:5", /^ERR_FILTER .*no operator "above"/, "#filter"],
    ["order.*", "type:user.*", /^ERR_FILTER the filter's type: and the pattern field both name patterns/, "#filter"],
    ["**", '{"priority": {"$above": 5}}', /^ERR_FILTER .*\$above/, "#filter"],
    ["**", '{"priority": {"$gt" 5}}', /^ERR_FILTER column 21: a colon is missing/, "#filter"],
    ["**", '{"priority": {"$where": "1"}}', /^ERR_FILTER .*\$where/, "#filter"],
  ] as const) {
    await stage.follow(pattern, filter);
    await stage.expectText("#tail-error", message);
    expect(await stage.page.locator(field).getAttribute("aria-invalid")).toBe("true");
  }
  await stage.publisher.publish("user.created", {});
  await stage.publisher.publish("order.placed", {});
  await stage.row("order.placed").waitFor();
  expect(await stage.rows).toBe(1);
  await stage.follow("user.*");
  expect(await stage.page.locator("#tail-error").isHidden()).toBe(true);
});

test("a pause holds the rows and tells how many wait; what is being read stays in place", async () => {
  await stage.open();
  await stage.publisher.publishBatch(Array.from({ length: 60 }, (_, i) => ["tick", { i }]));
  await stage.expectText("#tail-total", /^60 events$/);
  await stage.page.getByRole("button", { name: "Pause" }).click();
  await stage.publisher.publishBatch([["tock", 1], ["tock", 2]]);
  await stage.page.getByRole("button", { name: "Resume · 2 new" }).waitFor();
  expect(await stage.row("tock").count()).toBe(0);
  await stage.page.getByRole("button", { name: "Resume" }).click();
  await stage.row("tock").first().waitFor();

  await stage.page.locator("#rows").evaluate((list) => list.scrollTo(0, 300));
  const place = () => stage.page.locator('#rows [data-seq="48"]').evaluate((element) => Math.round(element.getBoundingClientRect().top));
  const before = await place();
  await stage.publisher.publishBatch([["tack", 1], ["tack", 2], ["tack", 3]]);
  await stage.page.getByRole("button", { name: "3 newer" }).waitFor();
  expect(Math.abs(await place() - before)).toBeLessThanOrEqual(1);
  await stage.page.getByRole("button", { name: "3 newer" }).click();
  expect(await stage.page.locator("#rows").evaluate((list) => list.scrollTop)).toBe(0);

  await stage.page.getByRole("button", { name: "Clear" }).click();
  expect(await stage.rows).toBe(0);
  await stage.expectText("#tail-empty", /Waiting for events that match/);
});

test("a search shows those of the events here that have all its words, also while paused; Escape shows all again", async () => {
  await stage.open();
  await stage.publisher.publishBatch([["order.placed", { who: "Alice", total: 5 }], ["order.placed", { who: "Bob" }], ["user.created", { who: "Alice" }]]);
  await stage.row("user.created").waitFor();
  await stage.page.getByRole("button", { name: "Pause" }).click();
  const search = stage.page.getByRole("searchbox", { name: "Search the events on show" });
  await search.fill("ALICE order");
  expect(await stage.rows).toBe(1);
  await stage.page.getByRole("button", { name: "Resume" }).click();
  await stage.publisher.publishBatch([["order.paid", { who: "Bob" }], ["order.paid", { who: "Alice" }]]);
  await stage.row("order.paid").waitFor();
  expect(await stage.rows).toBe(2);
  await search.fill("nobody");
  await stage.expectText("#tail-empty", /No event here has “nobody” in it.*Escape/);
  expect(await faultsOf(stage.page)).toEqual([]);
  await stage.page.screenshot({ path: "test-results/search-empty.png" });
  await stage.page.setViewportSize({ width: 390, height: 844 });
  await stage.page.locator("#search").scrollIntoViewIfNeeded();
  const right = (selector: string) => stage.page.locator(selector).evaluate((element) => element.getBoundingClientRect().right);
  expect(await right("#clear")).toBeLessThan(await right(".card.tail"));
  await stage.page.screenshot({ path: "test-results/search-phone.png" });
  await search.press("Escape");
  expect(await stage.rows).toBe(5);
});

test("the keyboard reaches everything: rows are walked with the arrows and opened with Enter", async () => {
  await stage.open();
  await stage.publisher.publishBatch([["one", 1], ["two", 2]]);
  await stage.row("two").waitFor();
  await stage.page.locator("#rows").focus();
  await stage.page.keyboard.press("ArrowDown");
  await stage.page.keyboard.press("ArrowDown");
  await stage.page.keyboard.press("Enter");
  await stage.row("one").locator(".json").waitFor();
  await stage.page.keyboard.press("Escape");
  expect(await stage.page.evaluate(() => document.activeElement?.id)).toBe("rows");
});

test("20,000 events at full speed are all counted and kept, few are drawn, and each can be gone to by keyboard", async () => {
  await stage.open();
  await stage.page.evaluate(() => {
    const state = globalThis as unknown as { longest: number };
    state.longest = 0;
    let last = performance.now();
    const frame = (now: number) => {
      state.longest = Math.max(state.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const begun = performance.now();
  for (let batch = 0; batch < 40; batch += 4) {
    await Promise.all([0, 1, 2, 3].map((j) => stage.publisher.publishBatch(Array.from({ length: 500 }, (_, i) => ["flood.event", { batch: batch + j, i, text: "something to show in the row" }]))));
  }
  await stage.expectText("#tail-total", /^20,000 events$/);
  const took = performance.now() - begun;
  const longest = await stage.page.evaluate(() => (globalThis as unknown as { longest: number }).longest);
  console.log(`20,000 events in ${Math.round(took)} ms, longest frame ${Math.round(longest)} ms`);
  await stage.expectText("#tail-kept", /^20,000 of at most 50,000 kept · \d\d drawn$/);
  expect(await stage.rows).toBeLessThan(60);

  // Each of them is there for whoever goes to it, and says where it is.
  await stage.page.locator("#rows").focus();
  await stage.page.keyboard.press("End");
  const focused = () => stage.page.evaluate(() => {
    const row = document.activeElement!.closest("li")!;
    return ["data-seq", "aria-posinset", "aria-setsize"].map((name) => row.getAttribute(name)).join();
  });
  expect(await focused()).toBe("1,20000,20000");
  await stage.page.keyboard.press("ArrowUp");
  expect(await focused()).toBe("2,19999,20000");
  await stage.page.locator("#rows").evaluate((frame) => frame.scrollTo(0, frame.scrollHeight / 2));
  await stage.page.waitForFunction(() => [...document.querySelectorAll<HTMLElement>("#rows .row")].some(({ dataset }) => Math.abs(Number(dataset.seq) - 10_000) < 30));
  // What has the focus is scrolled away, and goes on from there.
  expect(await focused()).toBe("2,19999,20000");
  await stage.page.keyboard.press("PageUp");
  const [seq, place] = (await focused()).split(",").map(Number) as [number, number];
  expect([seq > 8, seq < 60, seq + place]).toEqual([true, true, 20_001]);
  await stage.page.keyboard.press("Home");
  expect(await focused()).toBe("20000,1,20000");

  // A search goes through all of them.
  await stage.page.locator("#search").fill('flood.event "i":499,');
  await expect.poll(() => stage.page.locator("#rows .row").first().getAttribute("aria-setsize")).toBe("40");
});

test("the machine's metrics are drawn, those of the last minutes too; without any the page says how to get them", async () => {
  await stage.open();
  await stage.expectText("#metrics-empty", /No machine metrics in this namespace yet/);
  await stage.publishMetrics(20);
  await stage.page.locator("#metrics-empty").waitFor({ state: "hidden" });
  await stage.expectText("[data-type='system.cpu'] .value", /^\d+\.\d$/);
  await stage.expectText("[data-type='system.memory'] .facts", /1\d\.\d GB of 23\.9 GB · router 84\.0 MB/);
  await stage.expectText("[data-type='system.loop'] .facts", /p99 · mean/);
  await stage.page.reload();
  for (const type of ["system.cpu", "system.memory", "system.loop"]) await expect.poll(() => stage.inkOf(type)).toBeGreaterThan(10);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { Chromium } from "../support/engines/chromium.ts";
import type { Engine } from "../support/engines/engine.ts";
import { startFirefox } from "../support/engines/firefox.ts";
import { startWebKit } from "../support/engines/webkit.ts";
import { PageStage } from "../support/page-stage.ts";

let stage: PageStage;
beforeAll(async () => { stage = await PageStage.start("test/browser/page/hello.ts"); });
afterAll(() => stage.close());

const engines: readonly (readonly [string, () => Promise<Engine>])[] = [["Chromium", () => new Chromium().start()], ["Firefox", startFirefox], ["WebKit", startWebKit]];

test.each(engines)("%s runs what a test asks of it, and tells what was thrown", async (name, start) => {
  const engine = await start();
  try {
    expect(engine.name).toBe(name);
    const tab = await engine.open(stage.url);
    const other = await engine.open(stage.url);
    expect(await tab.call("hello", "hello", "you")).toBe("hello you");
    await other.reload();
    expect(await other.call("hello", "hello", "other")).toBe("hello other");
    await other.close();
    await expect(tab.call("hello", "fail")).rejects.toMatchObject({ code: "ERR_TEST", message: expect.stringContaining("as it should") as string });
  } finally {
    await engine.close();
  }
}, 60_000);

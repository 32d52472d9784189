import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Engine, Tab } from "../support/engines/engine.ts";
import { startFirefox } from "../support/engines/firefox.ts";
import { startWebKit } from "../support/engines/webkit.ts";
import { PageStage } from "../support/page-stage.ts";
import { TabCrowd, type How } from "./tab-crowd.ts";

const engines: readonly (readonly [string, () => Promise<Engine>])[] = [["Firefox", startFirefox], ["WebKit", startWebKit]];
const ways: readonly How[] = ["worker", "leader"];

describe.each(engines)("%s", (name, start) => {
  let stage: PageStage;
  let engine: Engine;
  let crowd: TabCrowd<Tab>;

  beforeAll(async () => {
    stage = await PageStage.start("test/browser/page/tabs.ts", "src/hosts/shared-worker.ts");
    engine = await start();
  });
  afterAll(async () => {
    await engine.close();
    await stage.close();
  });
  beforeEach(async () => {
    crowd = new TabCrowd(stage);
    await crowd.serve();
  });
  afterEach(() => crowd.end());

  test.each(ways)("[P1] [P2] [P3] tabs by %s share a socket; the first is closed, the others go on", async (how) => {
    const all = await crowd.open(engine, how, 3);
    expect(crowd.connections).toBe(1);
    await crowd.takeover(`${name}, by ${how}, first tab closed`, async ([first, ...others]) => {
      await first!.close();
      return others;
    }, { pause: 0, enough: 10 });
    expect(all).toHaveLength(3);
  });
});

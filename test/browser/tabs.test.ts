import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Chromium, type ChromiumTab } from "../support/engines/chromium.ts";
import { PageStage } from "../support/page-stage.ts";
import { TabCrowd, type How } from "./tab-crowd.ts";
import type { Result } from "./page/contracts.ts";

const browser = new Chromium();
let stage: PageStage;
let crowd: TabCrowd<ChromiumTab>;

beforeAll(async () => {
  stage = await PageStage.start("test/browser/page/tabs.ts", "test/browser/page/contracts.ts", "test/browser/page/contract-worker.ts", "src/hosts/shared-worker.ts");
  await browser.start();
});
afterAll(async () => {
  await browser.close();
  await stage.close();
});
beforeEach(async () => {
  crowd = new TabCrowd(stage);
  await crowd.serve();
});
afterEach(() => crowd.end());

test("the router contract, with the router in a SharedWorker", async () => {
  const tab = await browser.open(stage.url);
  crowd.tabs.push(tab);
  const results = await tab.call<Result[]>("contracts", "run", "router in a SharedWorker");
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(results.length).toBeGreaterThan(40);
});

const ways: readonly How[] = ["worker", "leader"];

describe.each(ways)("tabs by %s", (how) => {
  test("[P2] [P3] ten tabs: one socket, each event once in each of them", async () => {
    const all = await crowd.open(browser, how, 10);
    expect(crowd.connections).toBe(1);
    await Promise.all(all.map((tab) => tab.call("tabs", "publish", 20)));
    expect(await crowd.head()).toBe(200);
    await crowd.whole(all);
    await all[3]!.call("tabs", "answer", "who", "tab 3");
    expect(await Promise.all([1, 3, 9].map((i) => all[i]!.call("tabs", "ask", "who", null)))).toEqual(["tab 3", "tab 3", "tab 3"]);
    expect(crowd.connections).toBe(1);
  });

  test("without the router above they are offline, with it again they go on", async () => {
    const all = await crowd.open(browser, how, 3);
    await all[0]!.call("tabs", "publish", 5);
    const { port } = crowd.server;
    await crowd.server.close({ retryAfter: 10 });
    await expect.poll(() => crowd.states()).toEqual(["offline", "offline", "offline"]);
    await crowd.serve(port);
    await Promise.all(all.map((tab) => tab.call("tabs", "publish", 5)));
    await expect.poll(() => crowd.states()).toEqual(["connected", "connected", "connected"]);
    expect([await crowd.head(), crowd.connections]).toEqual([15, 1]);
  });
});

async function takeover(how: How, what: string, kill: (all: ChromiumTab[]) => Promise<ChromiumTab[]>): Promise<void> {
  await crowd.open(browser, how, 4);
  await crowd.takeover(what, kill);
}

test("[P1] [P2] the leader is closed: another takes over, nothing lost, nothing twice", () => takeover("leader", "leader closed", async ([leader, ...others]) => {
  await leader!.close();
  return others;
}));

test("[P1] [P2] the leader crashes: another takes over, nothing lost, nothing twice", () => takeover("leader", "leader crashed", async ([leader, ...others]) => {
  const session = await browser.context.newCDPSession(leader!.page);
  session.send("Page.crash").catch(() => {});
  return others;
}));

test("[P1] [P2] the leader freezes: another takes over, nothing lost, nothing twice, and the old one follows when it thaws", () => takeover("leader", "leader frozen", async ([leader, ...others]) => {
  const session = await browser.context.newCDPSession(leader!.page);
  // The page stops at its next step, and holds what it holds; a headless page is never hidden, and Chromium freezes only hidden ones.
  await session.send("Debugger.enable");
  await session.send("Debugger.pause");
  const acked = await Promise.all(others.map((tab) => tab.call<number>("tabs", "acked")));
  await Promise.all(others.map((tab, i) => tab.call("tabs", "published", acked[i]! + 100)));
  await session.send("Debugger.resume");
  await session.send("Debugger.disable");
  return [leader!, ...others];
}));

test("[P1] [P2] the tab that started the worker is closed, then the worker ends: nothing lost, nothing twice", () => takeover("worker", "worker ended", async ([first, ...others]) => {
  await first!.close();
  const session = await browser.browserSession();
  const { targetInfos } = await session.send("Target.getTargets");
  const worker = targetInfos.find(({ type }) => type === "shared_worker")!;
  const { sessionId } = await session.send("Target.attachToTarget", { targetId: worker.targetId, flatten: false });
  // After the debugger has let go: it would hold the next worker at its start.
  await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression: "setTimeout(close, 100)" } }) });
  await session.send("Target.detachFromTarget", { sessionId });
  return others;
}));

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { Chromium, type ChromiumTab } from "../support/engines/chromium.ts";
import { PageStage } from "../support/page-stage.ts";
import type { Result } from "./page/contracts.ts";
import type { Seen } from "./page/tabs.ts";

const browser = new Chromium();
let stage: PageStage;
let server: RunningServer;
const tabs: ChromiumTab[] = [];

beforeAll(async () => {
  stage = await PageStage.start("test/browser/page/tabs.ts", "test/browser/page/contracts.ts", "test/browser/page/contract-worker.ts", "src/hosts/shared-worker.ts");
  await browser.start();
});
afterAll(async () => {
  await browser.close();
  await stage.close();
});
beforeEach(async () => { server = await serve({ port: 0, origins: [new URL(stage.url).origin] }); });
afterEach(async () => {
  await Promise.all(tabs.splice(0).map((tab) => tab.close().catch(() => {})));
  await server.close({ timeout: 0 });
});

type How = "worker" | "leader";

async function open(how: How, count: number): Promise<ChromiumTab[]> {
  for (let i = 0; i < count; i++) {
    const tab = await browser.open(stage.url);
    tabs.push(tab);
    await tab.call("tabs", "start", how, { url: server.url });
  }
  return tabs;
}

const connections = (): unknown => server.router.stats().get("default")?.connections;
const head = async (): Promise<number> => (await server.store.open("default")).head;

/** Everything that came is there, in order, once; everything that was acknowledged is in the log. */
async function whole(all: readonly ChromiumTab[]): Promise<Seen[]> {
  const last = await head();
  const log = await (await server.store.open("default")).read(0, { events: 1_000_000, size: 1e9 });
  expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
  return Promise.all(all.map(async (tab) => {
    await tab.call("tabs", "reached", last);
    const seen = await tab.call<Seen>("tabs", "seen");
    expect(seen.seqs).toEqual(Array.from({ length: last - seen.seqs[0]! + 1 }, (_, i) => seen.seqs[0]! + i));
    expect(seen.failed).toEqual([]);
    expect(seen.gaps).toBe(0);
    expect(new Set(seen.acked).size).toBe(seen.acked.length);
    expect(Math.max(0, ...seen.acked)).toBeLessThanOrEqual(last);
    return seen;
  }));
}

const ways: readonly How[] = ["worker", "leader"];

test("the router contract, with the router in a SharedWorker", async () => {
  const tab = await browser.open(stage.url);
  tabs.push(tab);
  const results = await tab.call<Result[]>("contracts", "run", "router in a SharedWorker");
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(results.length).toBeGreaterThan(40);
}, 120_000);

describe.each(ways)("tabs by %s", (how) => {
  test("[P2] [P3] ten tabs: one socket, each event once in each of them", async () => {
    const all = await open(how, 10);
    expect(connections()).toBe(1);
    await Promise.all(all.map((tab) => tab.call("tabs", "publish", 20)));
    expect(await head()).toBe(200);
    await whole(all);
    await all[3]!.call("tabs", "answer", "who", "tab 3");
    expect(await Promise.all([1, 3, 9].map((i) => all[i]!.call("tabs", "ask", "who", null)))).toEqual(["tab 3", "tab 3", "tab 3"]);
    expect(connections()).toBe(1);
  });

  test("without the router above they are offline, with it again they go on", async () => {
    const all = await open(how, 3);
    await all[0]!.call("tabs", "publish", 5);
    const { port, store } = server;
    const events = await (await store.open("default")).read(0, { events: 10, size: 1e6 });
    expect(events).toHaveLength(5);
    await server.close({ retryAfter: 10 });
    await expect.poll(() => Promise.all(all.map((tab) => tab.call("tabs", "state")))).toEqual(["offline", "offline", "offline"]);
    server = await serve({ port, origins: [new URL(stage.url).origin] });
    await Promise.all(all.map((tab) => tab.call("tabs", "publish", 5)));
    await expect.poll(() => Promise.all(all.map((tab) => tab.call("tabs", "state")))).toEqual(["connected", "connected", "connected"]);
    expect([await head(), connections()]).toEqual([15, 1]);
  });
});

/** Ends the hub while all tabs publish; the others go on. */
async function takeover(how: How, what: string, kill: (all: ChromiumTab[]) => Promise<ChromiumTab[]>): Promise<void> {
  const all = await open(how, 4);
  await Promise.all(all.map((tab, i) => tab.call("tabs", "run", `tab${i}`, 3)));
  await Promise.all(all.map((tab) => tab.call("tabs", "published", 20)));
  const others = await kill([...all]);
  const before = await Promise.all(others.map(async (tab) => (await tab.call<Seen>("tabs", "seen")).acked.length));
  await Promise.all(others.map((tab, i) => tab.call("tabs", "published", before[i]! + 50)));
  await Promise.all(others.map((tab) => tab.call("tabs", "stop")));
  const seen = await whole(others);
  console.log(`takeover, ${what}: ${seen.map(({ longest }) => Math.round(longest)).join(", ")} ms without a receipt`);
  await expect.poll(connections).toBe(1);
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
  const acked = await Promise.all(others.map(async (tab) => (await tab.call<Seen>("tabs", "seen")).acked.length));
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

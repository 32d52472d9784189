import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { Chromium, type ChromiumTab } from "../support/engines/chromium.ts";
import type { Engine, Tab } from "../support/engines/engine.ts";
import { startFirefox } from "../support/engines/firefox.ts";
import { startWebKit } from "../support/engines/webkit.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { violations, type Attempt } from "../support/history.ts";
import { PageStage } from "../support/page-stage.ts";
import { logOf, untold } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";
import type { Result } from "./page/contracts.ts";

/** `LONG=1`: as many as the promise says; else as many as a test run has time for. */
const LONG = process.env.LONG === "1";
const EVENTS = LONG ? 10_000 : 1_000;
const CLOSES = LONG ? 200 : 8;
/** Of the whole browser; `CYCLES=200`, as `npm run test:crash` has it: 30. */
const KILLS = Math.round(Number(process.env.CYCLES ?? 10) * 0.15);

let stage: PageStage;
let port: number;
let server: RunningServer | undefined;

beforeAll(async () => {
  stage = await PageStage.start("test/browser/page/outbox.ts", "test/browser/page/contracts.ts", "src/hosts/shared-worker.ts");
});
afterAll(() => stage.close());

beforeEach(async () => {
  // Nobody answers there until a test goes online.
  port = await fixedPort();
});
afterEach(goOffline);

const url = (): string => `ws://127.0.0.1:${port}`;

async function goOnline(): Promise<void> {
  server = await serve({ port, store: "memory", origins: [stage.origin] });
}

async function goOffline(): Promise<void> {
  await server?.close();
  server = undefined;
}

/** The payloads in the router's log of a type, in its order. */
async function stored(type: string): Promise<unknown[]> {
  await using reader = new EventRouterClient({ url: url() });
  const payloads: unknown[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const page = (await reader.call("read", { after, limit: 1_000, topics: [type] })) as { events: [number, number, unknown, string, string, unknown][]; next: number | null };
    payloads.push(...page.events.map((event) => event[5]));
    after = page.next;
  }
  return payloads;
}

/** Goes online and has this tab send: what was promised to others that are gone, what is in the log and what a subscription gets is a history that keeps all promises. */
async function kept(promised: readonly Attempt[], tab: Tab): Promise<void> {
  await goOnline();
  await using witness = new EventRouterClient({ url: url() });
  const recorder = new Recorder();
  const reading = recorder.reading("witness", ["n"]);
  const subscription = await witness.subscribe("n", { from: "start" }, reading.handler);
  subscription.onGap(reading.gap);
  await tab.call("outbox", "emptied");
  const log = await logOf(witness);
  await recorder.readToTheEnd(log);
  expect(violations({ attempts: [...promised, ...untold(log, new Set())], readings: recorder.readings, log })).toEqual([]);
  // A tab's next event is published when the one before is promised: so none is left out.
  for (const [publisher, own] of Map.groupBy(log.events, (event) => event.publisher)) expect([publisher, own.map(({ number }) => number)]).toEqual([publisher, numbers(1, own.length + 1)]);
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function client(engine: Engine, options = {}): Promise<Tab> {
  const tab = await engine.open(stage.url);
  await tab.call("outbox", "open", url(), options);
  return tab;
}

describe("Chromium", () => {
  const engine = new Chromium();
  beforeAll(async () => { await engine.start(); });
  afterAll(() => engine.close());
  // Each test begins with an empty outbox: it is named after the router's address, which is new.
  afterEach(async () => { for (const page of engine.context.pages().slice(1)) await page.close().catch(() => {}); });
  const tabs = (number: number) => Promise.all(Array.from({ length: number }, () => client(engine))) as Promise<ChromiumTab[]>;

  test(`[P1] [P3] [P4] ${EVENTS} events published offline over a reload, a closed tab and a killed browser: all in the log, once, in order`, async () => {
    const quarter = EVENTS / 4;
    const publish = async (tab: Tab, part: number) => expect(await tab.call("outbox", "publish", "n", part * quarter, (part + 1) * quarter)).toEqual({ queued: quarter });
    let tab = await client(engine);
    await publish(tab, 0);
    await tab.reload();
    await tab.call("outbox", "open", url());
    await publish(tab, 1);
    await tab.close();
    tab = await client(engine);
    await publish(tab, 2);
    await engine.kill();
    await engine.start();
    tab = await client(engine);
    expect(await tab.call("outbox", "size")).toBe(3 * quarter);
    await publish(tab, 3);
    await goOnline();
    await tab.call("outbox", "emptied");
    expect(await stored("n")).toEqual(numbers(0, EVENTS));
  });

  test(`[P1] [P3] [P4] ${CLOSES} tabs closed in the midst of publishing: all that was promised is there, once, each tab's in order`, async () => {
    const witness = await client(engine);
    await witness.call("outbox", "witness");
    // How many promises of a tab have reached the witness when it is closed: for some it is the first write of all that is cut off.
    const promisesOf = (index: number): number => index % 8;
    const close = async (index: number): Promise<void> => {
      const tab = await client(engine);
      await tab.call("outbox", "publishOnAndOn", "n", `tab ${index}`);
      await witness.call("outbox", "witnessedOf", `tab ${index}`, promisesOf(index));
      // Up to 50 ms more: the closes fall on other moments of the write that is under way. Nothing below depends on them.
      await new Promise((resolve) => setTimeout(resolve, (index * 50) / CLOSES));
      await tab.close();
    };
    for (let index = 0; index < CLOSES; index += 4) await Promise.all([0, 1, 2, 3].map((more) => close(index + more)));
    const promised = await witness.call<Attempt[]>("outbox", "witnessed");
    for (let index = 0; index < CLOSES; index++) expect(promised.filter(({ publisher }) => publisher === `tab ${index}`).length).toBeGreaterThanOrEqual(promisesOf(index));
    await kept(promised, witness);
  });

  test(`[P1] [P3] [P4] the browser killed ${KILLS} times in the midst of publishing: all that was promised is there, once, in order`, async () => {
    const promised: Attempt[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const witness = await client(engine);
      await witness.call("outbox", "witness");
      const tab = await client(engine);
      await tab.call("outbox", "publishOnAndOn", "n", `tab ${kill}`);
      await witness.call("outbox", "witnessedOf", `tab ${kill}`, kill % 8);
      promised.push(...await witness.call<Attempt[]>("outbox", "witnessed"));
      await engine.kill();
      await engine.start();
    }
    for (let kill = 0; kill < KILLS; kill++) expect(promised.filter(({ publisher }) => publisher === `tab ${kill}`).length).toBeGreaterThanOrEqual(kill % 8);
    await kept(promised, await client(engine));
  });

  test("one tab sends for all; each of them gets its receipts", async () => {
    await goOnline();
    const all = await tabs(4);
    await Promise.all(all.map((tab) => tab.call("outbox", "connect")));
    await expect.poll(() => all[0]!.call("outbox", "locks")).toEqual({ held: 1, pending: 3 });
    const receipts = await Promise.all(all.map((tab, i) => tab.call("outbox", "publish", `t${i}`, 0, 100)));
    expect(receipts).toEqual(all.map(() => ({ published: 100 })));
    for (const i of [0, 1, 2, 3]) expect(await stored(`t${i}`)).toEqual(numbers(0, 100));
    expect(await all[3]!.call("outbox", "publishAndSettle", "last", 1)).toEqual({ status: "published", settled: { status: "published", seq: 401 } });
  });

  test.each(["worker", "leader"])("ten tabs that share a connection by %s: exactly one socket, one sender; what was published offline is there once, each tab's in order", async (how) => {
    const all = await Promise.all(Array.from({ length: 10 }, async () => {
      const tab = await engine.open(stage.url);
      await tab.call("outbox", "open", url(), {}, how);
      return tab;
    }));
    const queued = await Promise.all(all.map((tab, i) => tab.call("outbox", "publish", `t${i}`, 0, 20)));
    expect(queued).toEqual(all.map(() => ({ queued: 20 })));
    await goOnline();
    await Promise.all(all.map((tab) => tab.call("outbox", "connect")));
    await Promise.all(all.map((tab) => tab.call("outbox", "emptied")));
    await expect.poll(() => all[0]!.call("outbox", "locks")).toEqual({ held: 1, pending: 9 });
    expect(server!.router.stats().get("default")!.connections).toBe(1);
    for (let i = 0; i < 10; i++) expect(await stored(`t${i}`)).toEqual(numbers(0, 20));
    // Whoever sends goes: another does, over the one socket.
    await Promise.all(all.slice(0, 5).map((tab) => tab.close()));
    expect(await all[9]!.call("outbox", "publishAndSettle", "last", 1)).toMatchObject({ settled: { status: "published", seq: 201 } });
    await expect.poll(() => server!.router.stats().get("default")!.connections).toBe(1);
  });

  test.each(["closed", "crashed", "frozen", "stuck in a loop"])("a tab that sends and is %s is replaced: nothing is lost, nothing doubled", async (how) => {
    await goOnline();
    const leader = await client(engine) as ChromiumTab;
    await leader.call("outbox", "connect");
    await expect.poll(() => leader.call("outbox", "locks")).toEqual({ held: 1, pending: 0 });
    const other = await client(engine) as ChromiumTab;
    await other.call("outbox", "connect");
    await expect.poll(() => other.call("outbox", "locks")).toEqual({ held: 1, pending: 1 });
    expect(await leader.call("outbox", "publish", "n", 0, 50)).toEqual({ published: 50 });
    const session = await engine.context.newCDPSession(leader.page);
    if (how === "closed") await leader.close();
    else if (how === "crashed") void session.send("Page.crash").catch(() => {});
    else if (how === "frozen") {
      // It stops at its next step, and keeps its lock; a headless page is never hidden, and Chromium freezes only hidden ones.
      await session.send("Debugger.enable");
      await session.send("Debugger.pause");
    }
    else await leader.page.evaluate("void setTimeout(() => { for (const end = Date.now() + 4_000; Date.now() < end; ) ; })");
    const since = performance.now();
    expect(await other.call("outbox", "publish", "n", 50, 100)).toEqual({ published: 50 });
    console.log(`a sender that is ${how}: 50 events of another tab are acknowledged after ${Math.round(performance.now() - since)} ms`);
    const wakes = how === "frozen" || how === "stuck in a loop";
    if (wakes) {
      if (how === "frozen") {
        await session.send("Debugger.resume");
        await session.send("Debugger.disable");
      }
      expect(await leader.call("outbox", "publish", "n", 100, 150)).toEqual({ published: 50 });
    }
    expect(await stored("n")).toEqual(numbers(0, wakes ? 150 : 100));
  });

  test("a full quota is told by publish; what was kept before is sent", async () => {
    const tab = await engine.open(stage.url);
    await tab.call("outbox", "limitStorage", 1_000_000);
    await tab.call("outbox", "open", url());
    const { code, kept } = await tab.call<{ code: string; kept: number }>("outbox", "publishUntilFull", "n");
    expect(code).toBe("ERR_QUOTA");
    await goOnline();
    await tab.call("outbox", "emptied");
    expect(((await stored("n")) as { n: number }[]).map(({ n }) => n)).toEqual(numbers(0, kept));
  });

  test("storage that is cleared takes what waited with it; what is published then is kept, and sent", async () => {
    const tab = await client(engine) as ChromiumTab;
    await tab.call("outbox", "publish", "n", 0, 10);
    const session = await engine.context.newCDPSession(tab.page);
    await session.send("Storage.clearDataForOrigin", { origin: stage.origin, storageTypes: "indexeddb" });
    await expect.poll(() => tab.call("outbox", "size")).toBe(0);
    expect(await tab.call("outbox", "publish", "n", 10, 20)).toEqual({ queued: 10 });
    await goOnline();
    await tab.call("outbox", "emptied");
    expect(await stored("n")).toEqual(numbers(10, 20));
  });
});

describe.each([["Firefox", startFirefox], ["WebKit", startWebKit]] as const)("%s", (_name, start) => {
  let engine: Engine;
  beforeAll(async () => { engine = await start(); });
  afterAll(() => engine?.close());

  test("[P1] [P3] [P4] offline over a reload and a closed tab, then sent by one of two tabs, once, in order", async () => {
    const tab = await client(engine);
    expect(await tab.call("outbox", "publish", "n", 0, 200)).toEqual({ queued: 200 });
    await tab.reload();
    await tab.call("outbox", "open", url());
    expect(await tab.call("outbox", "publish", "n", 200, 400)).toEqual({ queued: 200 });
    const other = await client(engine);
    await tab.close();
    expect(await other.call("outbox", "publish", "n", 400, 600)).toEqual({ queued: 200 });
    const third = await client(engine);
    await goOnline();
    await other.call("outbox", "emptied");
    await third.call("outbox", "emptied");
    expect(await third.call("outbox", "publish", "n", 600, 700)).toEqual({ published: 100 });
    expect(await stored("n")).toEqual(numbers(0, 700));
    await other.call("outbox", "close");
    await third.call("outbox", "close");
  });

  test("the store contract, as much of it as there is time for", async () => {
    const tab = await engine.open(stage.url);
    const results = await tab.call<Result[]>("contracts", "run", "store", "", LONG ? 1 : 8);
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThan(10);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Chromium, type ChromiumTab } from "../support/engines/chromium.ts";
import { PageStage } from "../support/page-stage.ts";
import type { Result } from "./page/contracts.ts";

const engine = new Chromium();
let stage: PageStage;
let count = 0;
const newName = (): string => `test ${count++}`;

beforeAll(async () => {
  stage = await PageStage.start("test/browser/page/contracts.ts", "test/browser/page/store.ts");
  await engine.start();
});
afterAll(async () => {
  await engine.close();
  await stage.close();
});

/** Tabs that have all opened the same store. */
async function tabs(number: number, name: string): Promise<ChromiumTab[]> {
  const opened = await Promise.all(Array.from({ length: number }, () => engine.open(stage.url)));
  for (const tab of opened) await tab.call("store", "open", name);
  return opened;
}

const closeAll = (all: readonly ChromiumTab[]) => Promise.all(all.map((tab) => tab.close()));
const cdp = (tab: ChromiumTab) => engine.context.newCDPSession(tab.page);

interface Place { readonly epoch: string; readonly first: number; readonly head: number; readonly extent: { readonly events: number; readonly size: number } }

describe("contracts, in a page", () => {
  test.each(["store", "router"])("the %s contract", async (suite) => {
    const tab = await engine.open(stage.url);
    const results = await tab.call<Result[]>("contracts", "run", suite, "", suite === "store" && process.env.LONG !== "1" ? 2 : 1);
    await tab.close();
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThan(40);
  });
});

describe("several tabs", () => {
  test("[P3] [P9] [I4] write at the same time: one log, each seq once, everyone hears all of it in order", async () => {
    const all = await tabs(3, newName());
    const seqs = await Promise.all(all.map((tab, i) => tab.call<number[]>("store", "appendRun", `tab${i}`, 1, 400, 1 + i * 3)));
    expect(seqs.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1_200 }, (_, i) => i + 1));
    for (const own of seqs) expect(own).toEqual([...own].sort((a, b) => a - b));
    const [first, ...others] = await Promise.all(all.map((tab) => tab.call<string[]>("store", "heardAll", 1_200)));
    expect(first!.map((line) => (JSON.parse(line) as [number])[0])).toEqual(Array.from({ length: 1_200 }, (_, i) => i + 1));
    for (const other of others) expect(other).toEqual(first);
    expect(await all[1]!.call("store", "lines")).toEqual(first);
    await closeAll(all);
  });

  test("[P4] an outbox that two tabs send is stored once", async () => {
    const all = await tabs(2, newName());
    const [a, b] = await Promise.all(all.map((tab) => tab.call<number[]>("store", "appendRun", "same", 1, 300, 5)));
    expect(a).toEqual(b);
    expect(await all[0]!.call<Place>("store", "place")).toMatchObject({ head: 300 });
    await closeAll(all);
  });

  test("what one trims, the others no longer show", async () => {
    const all = await tabs(2, newName());
    await all[0]!.call("store", "appendRun", "a", 1, 100, 10);
    await all[1]!.call("store", "heardAll", 100);
    await all[0]!.call("store", "trim", 55);
    expect((await all[1]!.call<string[]>("store", "lines")).length).toBe(45);
    await all[1]!.call("store", "appendRun", "a", 101, 101, 1);
    const places = await Promise.all(all.map((tab) => tab.call("store", "heardAll", 101).then(() => tab.call<Place>("store", "place"))));
    expect(places[0]).toEqual(places[1]);
    expect(places[0]).toMatchObject({ first: 56, head: 101, extent: { events: 46 } });
    await closeAll(all);
  });
});

describe("a database that changes hands", () => {
  test("an upgrade waits for an old tab, says so, and goes on when it has gone", async () => {
    const [old, fresh] = await Promise.all([engine.open(stage.url), engine.open(stage.url)]);
    const name = newName();
    await old.call("store", "hold", name, 1);
    await fresh.call("store", "release", name, 2);
    const writing = fresh.call("store", "write", name, "a");
    await expect.poll(() => fresh.call("store", "told", name)).toEqual(["ERR_STORE_BLOCKED"]);
    await old.call("store", "letGo");
    await writing;
    expect(await fresh.call("store", "keys", name)).toEqual(["a"]);
    await closeAll([old, fresh]);
  });

  test("an old tab of ours makes way for the new release, and says that it must be reloaded", async () => {
    const [old, fresh] = await Promise.all([engine.open(stage.url), engine.open(stage.url)]);
    const name = newName();
    await old.call("store", "release", name, 1);
    await old.call("store", "write", name, "before");
    await fresh.call("store", "release", name, 2);
    await fresh.call("store", "write", name, "after");
    await expect(old.call("store", "write", name, "late")).rejects.toMatchObject({ code: "ERR_STORE_VERSION" });
    expect(await old.call("store", "told", name)).toEqual(["lost"]);
    expect(await fresh.call("store", "told", name)).toEqual([]);
    expect(await fresh.call("store", "keys", name)).toEqual(["after", "before"]);
    await closeAll([old, fresh]);
  });
});

describe("storage that is taken away", () => {
  test.each(["cleared by the user", "deleted by a page"])("[P9] [I19] %s, while two tabs have it open: the log is lost, and has another epoch", async (how) => {
    const name = newName();
    const all = await tabs(2, name);
    const before = await all[0]!.call<Place>("store", "place");
    await all[0]!.call("store", "appendRun", "a", 1, 50, 10);
    await all[1]!.call("store", "heardAll", 50);
    if (how === "cleared by the user") await (await cdp(all[0]!)).send("Storage.clearDataForOrigin", { origin: stage.origin, storageTypes: "indexeddb" });
    else await all[1]!.call("store", "deleteDatabase", name);
    const after = await Promise.all(all.map((tab) => tab.call<{ code: string; epoch: string; head: number }>("store", "reopenLost")));
    expect(after[0]).toEqual(after[1]);
    expect(after[0]).toMatchObject({ code: "ERR_EPOCH", head: 0 });
    expect(after[0]!.epoch).not.toBe(before.epoch);
    expect(await all[0]!.call("store", "appendRun", "a", 1, 3, 1)).toEqual([1, 2, 3]);
    expect(await all[1]!.call<string[]>("store", "heardAll", 3)).toHaveLength(3);
    await closeAll(all);
  });

  test("[P1] a full quota is a typed error and keeps nothing of it; what was there can be read, and trimmed", async () => {
    const tab = await engine.open(stage.url);
    const name = newName();
    await tab.call("store", "limitStorage", 1_000_000);
    await tab.call("store", "open", name);
    const full = await tab.call<{ code: string; name: string; head: number; read: number }>("store", "appendUntilFull");
    expect(full).toMatchObject({ code: "ERR_QUOTA", name: "PublishError" });
    expect(full.head).toBeGreaterThan(10);
    expect(full.read).toBe(full.head);
    // A trim must need no room. (When Chromium gives deleted room back is its own affair.)
    await tab.call("store", "trim", full.head - 1);
    expect(await tab.call<Place>("store", "place")).toMatchObject({ first: full.head, head: full.head, extent: { events: 1 } });
    await tab.reload();
    await tab.call("store", "limitStorage", 1_000_000);
    await tab.call("store", "open", name);
    expect(await tab.call<Place>("store", "place")).toMatchObject({ first: full.head, head: full.head, extent: { events: 1 } });
    expect(await tab.call<string[]>("store", "lines")).toHaveLength(1);
    await tab.close();
  });

  test("[P9] [I19] a log that another tab has made anew in the meantime is not taken for the own: nothing is written into it, and it is opened as another", async () => {
    const name = newName();
    const tab = await engine.open(stage.url);
    await tab.call("store", "open", name);
    expect(await tab.call<string>("store", "appendToAnother", name)).toBe("ERR_EPOCH");
    expect(await tab.call("store", "reopenLost")).toEqual({ code: "ERR_EPOCH", epoch: "another", head: 0 });
    await tab.close();
  });

  test("[P3] what is given while a write is under way that fails, fails with it", async () => {
    const tab = await engine.open(stage.url);
    await tab.call("store", "limitStorage", 1_100_000);
    await tab.call("store", "open", newName());
    expect(await tab.call<string[]>("store", "appendBehindFailure")).toEqual(["ERR_QUOTA", "ERR_QUOTA", "kept"]);
    await tab.close();
  });

  test("[P1] what is acknowledged is on the disk: appends and bookmarks are written with strict durability", async () => {
    const tab = await engine.open(stage.url);
    await tab.call("store", "watchDurability");
    await tab.call("store", "open", newName());
    const all = await tab.call<string[]>("store", "writeAll");
    expect(all.slice(-2)).toEqual(["strict", "strict"]);
    await tab.close();
  });
});

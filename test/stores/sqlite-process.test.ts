import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { parseEventId } from "../../src/core/event-id.ts";
import { openSqlite, sqliteStore } from "../../src/stores/sqlite.ts";
import { instance } from "../contract/store/drafts.ts";
import { everything } from "../contract/store/kit.ts";

const folder = mkdtempSync(join(tmpdir(), "event-router-"));
afterAll(() => rmSync(folder, { recursive: true }));
const script = fileURLToPath(new URL("append-loop.ts", import.meta.url));

interface Loop { readonly child: ChildProcess; readonly lines: () => string[]; says(lines: number): Promise<void>; kill(): Promise<void> }

/** Starts the loop and waits until it is about to append. */
async function start(file: string, name: string): Promise<Loop> {
  const child = spawn(process.execPath, [script, file, name], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const ended = closed.then(() => { throw new Error("the loop ended"); });
  ended.catch(() => {});
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => { text += part; });
  // A last line that was cut by the kill is no ack.
  const lines = (): string[] => text.split("\n").slice(0, -1);
  const says = async (count: number): Promise<void> => {
    while (lines().length < count) await Promise.race([once(child.stdout, "data"), ended]);
  };
  await says(1);
  return {
    child, lines, says,
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

/** How many of its appends have been acked when a process is killed: the first may be cut off in its first. */
const acksBefore = (cycle: number): number => cycle * 4;

test("[P1] [P9] kill -9 while it appends, 8 times: each acked event is there exactly once, in order, under the same epoch", async () => {
  const file = join(folder, "killed.db");
  const epochs = new Set<string>();
  let head = 0;
  for (let cycle = 0; cycle < 8; cycle++) {
    const name = `cycle${cycle}`;
    const loop = await start(file, name);
    await loop.says(1 + acksBefore(cycle));
    // The kills fall on other moments of an append. Nothing below depends on them.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    await loop.kill();
    const [ready = "", ...acks] = loop.lines();
    expect(acks.length).toBeGreaterThanOrEqual(acksBefore(cycle));
    const [, epoch = "", opened = ""] = ready.split(" ");
    epochs.add(epoch);
    expect(Number(opened)).toBe(head);

    const store = await sqliteStore(file);
    const log = await store.open("default");
    epochs.add(log.epoch);
    const events = await log.read(head, everything);
    const publisher = instance(name);
    // The instance's numbers run without a hole from 1, so each is there once; those after the last ack may be there or not.
    expect(events.map(({ id }) => parseEventId(id)?.number)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => head + index + 1));
    for (const ack of acks) {
      const [number = 0, count = 0, seq = 0] = ack.split(" ").map(Number);
      expect(seq).toBe(head + number);
      expect(events.length).toBeGreaterThanOrEqual(number + count - 1);
    }
    // Sent again, what is there is known, and what is not is taken.
    const outcomes = await log.append([publisher.batch(...Array.from({ length: events.length + 3 }, (_, index) => index + 1))]);
    expect(outcomes[0]!.map(({ state }) => state)).toEqual([...events.map(() => "duplicate"), "appended", "appended", "appended"]);
    head = log.head;
    await store.close();
  }
  expect(epochs.size).toBe(1);
});

test("a second process on a file is refused with what to do, until the first is gone", async () => {
  const file = join(folder, "locked.db");
  const loop = await start(file, "owner");
  try {
    await expect(sqliteStore(file, { busyTimeout: 50 })).rejects.toMatchObject({ code: "ERR_STORE_LOCKED", retryable: true, message: expect.stringMatching(/another process.*locked\.db.*stop it/) as string });
  } finally {
    await loop.kill();
  }
  await (await sqliteStore(file, { busyTimeout: 50 })).close();
});

test("a second store on a file in the same process is refused too", async () => {
  const file = join(folder, "twice.db");
  const store = await sqliteStore(file);
  await expect(sqliteStore(file, { busyTimeout: 0 })).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
  await store.close();
  await store.close();
  await (await sqliteStore(file, { busyTimeout: 0 })).close();
});

test("a file is opened with WAL and synchronous=FULL", async () => {
  const db = await openSqlite(join(folder, "settings.db"));
  expect([db.prepare("PRAGMA journal_mode").get(), db.prepare("PRAGMA synchronous").get()]).toEqual([{ journal_mode: "wal" }, { synchronous: 2 }]);
  db.close();
});

test("what is not an event log is refused with what to do", async () => {
  await expect(sqliteStore(join(folder, "missing", "events.db"))).rejects.toMatchObject({ code: "ERR_STORE_OPEN", message: expect.stringContaining("folder exists") as string });
  const file = join(folder, "text.db");
  writeFileSync(file, "this is not a database, and long enough to be looked at as one ".repeat(100));
  await expect(sqliteStore(file)).rejects.toMatchObject({ code: "ERR_STORE_OPEN", message: expect.stringContaining("SQLite database") as string });
});

test("a file of a later release is refused and left as it was", async () => {
  const db = new DatabaseSync(":memory:");
  await (await sqliteStore(db)).close();
  db.exec("UPDATE er_meta SET value = 99 WHERE key = 'version'");
  await expect(sqliteStore(db)).rejects.toMatchObject({ code: "ERR_STORE_VERSION", message: expect.stringContaining("version 99") as string });
  expect(db.prepare("SELECT value FROM er_meta").get()).toEqual({ value: 99 });
});

test("a file of version 1, which had no event streams, is taken over", async () => {
  const db = new DatabaseSync(":memory:");
  await (await sqliteStore(db)).close();
  db.exec("DROP TABLE er_streams; DROP TABLE er_stream_events; UPDATE er_meta SET value = 1 WHERE key = 'version'");
  const log = await (await sqliteStore(db)).open("default");
  expect(await log.readStream("s", 0, { events: 1, size: 1 }, "forward")).toEqual({ events: [], length: 0 });
  expect(db.prepare("SELECT value FROM er_meta").get()).toEqual({ value: 2 });
});

test("a database that was passed in stays open, and calls on a closed one reject", async () => {
  const db = new DatabaseSync(":memory:");
  const store = await sqliteStore(db);
  const log = await store.open("default");
  await store.close();
  expect(db.isOpen).toBe(true);
  db.close();
  await expect(log.append([instance("a").batch(1)])).rejects.toMatchObject({ code: "ERR_STORE", retryable: true });
  await expect(log.read(0, everything)).rejects.toMatchObject({ code: "ERR_STORE" });
  await expect(store.open("other")).rejects.toMatchObject({ code: "ERR_STORE" });
});

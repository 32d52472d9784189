import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { eventIds } from "../../src/core/event-id.ts";
import type { Batch, Outcome } from "../../src/core/store.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { seeded } from "../support/fake-surroundings.ts";

const folder = mkdtempSync(join(tmpdir(), "event-router-disk-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is written to the disk's cache, what waits until it is on the disk, and what a process says. */
const CALLS = "fsync,fdatasync,pwrite64,write,writev,sendto";
const ACKS = 20;

function strace(): string {
  if (spawnSync("strace", ["--version"]).status === 0) return "strace";
  if (process.getuid?.() === 0) spawnSync("apt-get", ["install", "-y", "-qq", "strace"]);
  if (spawnSync("strace", ["--version"]).status !== 0) throw new Error("this test needs strace: type `apt-get install strace` (as root)");
  return "strace";
}

test("[P1] each commit of the SQLite store is on the disk before it is acknowledged, as strace sees it", () => {
  const trace = join(folder, "strace.txt");
  const script = fileURLToPath(new URL("append-process.ts", import.meta.url));
  execFileSync(strace(), ["-f", "-y", "-e", `trace=${CALLS}`, "-o", trace, process.execPath, script, join(folder, "traced.db"), String(ACKS)]);
  let dirty = false;
  let synced = false;
  let acks = 0;
  for (const line of readFileSync(trace, "utf8").split("\n")) {
    if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) [dirty, synced] = [true, false];
    else if (/f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) synced = true;
    else if (/write\(\d+<[^>]*>, "ACK /.test(line)) {
      acks++;
      expect(dirty && synced, `ack ${acks}: what was written is not synced`).toBe(true);
      dirty = false;
    }
  }
  expect(acks).toBe(ACKS);
});

/** The frames of a WAL begin behind its head; each is a head and a page. https://sqlite.org/fileformat2.html#walformat */
const WAL_HEAD = 32;
const FRAME_HEAD = 24;

test("[P1] [P5] [P9] a WAL that is cut at each frame, and at 500 other bytes, reopens as what was committed up to there", async () => {
  const file = join(folder, "cut.db");
  const store = await sqliteStore(file);
  const log = await store.open("default");
  const nextId = eventIds("Cut00000001", () => 1_800_000_000_000);
  const append = async (count: number): Promise<readonly Outcome[][]> => log.append([batchOf(count, nextId)]);
  for (let i = 0; i < 60; i++) await append(1 + (i % 5));
  const all = await log.read(0, { events: Infinity, size: Infinity });
  const ends = new Set<number>([0]);
  for (let i = 0, end = 0; i < 60; i++) ends.add((end += 1 + (i % 5)));
  // As a crash leaves them: the database is open.
  const [database, wal] = [readFileSync(file), readFileSync(`${file}-wal`)];
  await store.close();

  const frame = FRAME_HEAD + wal.readUInt32BE(8);
  const random = seeded(1);
  const cuts = [...Array.from({ length: Math.floor((wal.length - WAL_HEAD) / frame) + 1 }, (_, i) => WAL_HEAD + i * frame), ...Array.from({ length: 500 }, () => Math.floor(random() * wal.length))];
  const seen = new Set<number>();
  for (const [i, cut] of cuts.entries()) {
    const copy = join(folder, `copy-${i % 4}.db`);
    for (const end of ["", "-wal", "-shm"]) rmSync(copy + end, { force: true });
    writeFileSync(copy, database);
    writeFileSync(`${copy}-wal`, wal.subarray(0, cut));
    const again = await sqliteStore(copy);
    const opened = await again.open("default");
    const events = await opened.read(0, { events: Infinity, size: Infinity });
    const what = `cut at byte ${cut} of ${wal.length}`;
    expect(events.map(({ line }) => line), what).toEqual(all.slice(0, events.length).map(({ line }) => line));
    expect([opened.head, ends.has(events.length)], `${what}: a batch is whole or not there`).toEqual([events.length, true]);
    seen.add(events.length);
    await again.close();
  }
  expect(seen.size).toBeGreaterThan(40);
  expect(Math.max(...seen)).toBe(all.length);
});

function batchOf(count: number, nextId: () => string): Batch {
  return {
    publisher: "", run: true,
    drafts: Array.from({ length: count }, () => {
      const id = nextId();
      const head = ",1800000000000,0,";
      return { id, type: "t", time: 1_800_000_000_000, body: `${head}"${id}","t",${JSON.stringify("x".repeat(300))}]`, own: head.length };
    }),
  };
}

import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EventRouterError, PublishError } from "../../src/core/errors.ts";
import type { Log } from "../../src/core/store.ts";
import { openSqlite, sqliteStore } from "../../src/stores/sqlite.ts";
import { draft, instance, singles } from "../contract/store/drafts.ts";
import { appendOne, brief, linesOf } from "../contract/store/kit.ts";
import { failing } from "./failing-database.ts";

const a = instance("a");
const b = instance("b", "bob");

/** Each write, and the lines and bookmark after it; a write may be done twice. */
const writes: readonly { readonly name: string; readonly run: (log: Log) => Promise<unknown>; readonly seqs: readonly number[]; readonly bookmark: string }[] = [
  { name: "append", run: (log) => log.append([a.batch(3, 4), b.batch(1), singles(draft("y"), draft("z"))]), seqs: [1, 2, 3, 4, 5, 6, 7, 8], bookmark: "old" },
  { name: "append of two blocks", run: (log) => log.append([a.batch(...Array.from({ length: 600 }, (_, index) => index + 3))]), seqs: Array.from({ length: 603 }, (_, index) => index + 1), bookmark: "old" },
  { name: "trim", run: (log) => log.trim(2), seqs: [3], bookmark: "old" },
  { name: "writeBookmarks", run: (log) => log.writeBookmarks([["mark", "new"], ["other", "x"]]), seqs: [1, 2, 3], bookmark: "new" },
];

for (const { name, run, seqs, bookmark } of writes) {
  for (const when of ["before", "after"] as const) {
    for (const count of [1, 2, 3, 5]) {
      test(`[P1] ${name}: ${count} statements in a row fail ${when} taking effect, wherever: all or nothing, and a repeat makes it whole`, async () => {
        for (let nth = 1; ; nth++) {
          const { db, arm, disarm } = failing(new DatabaseSync(":memory:"));
          const log = await (await sqliteStore(db)).open("default");
          await log.append([a.batch(1), a.batch(2), singles(draft("x"))]);
          await log.writeBookmarks([["mark", "old"]]);
          const before = await linesOf(log);
          const heard: string[] = [];
          log.watch((events) => heard.push(...events.map(({ line }) => line)));

          arm(nth, count, when);
          const error = await run(log).then(() => undefined, (thrown: unknown) => thrown);
          const threw = disarm();
          if (!threw) break;
          if (error !== undefined) {
            expect(error).toBeInstanceOf(PublishError);
            expect(error).toMatchObject({ code: "ERR_STORE", retryable: true, message: expect.stringContaining("injected") as string });
            const lines = await linesOf(log);
            // A COMMIT that reports a failure may have taken place: then all of it has, and everyone knows.
            if (when === "before") expect(lines).toEqual(before);
            else expect([before.length, seqs.length]).toContain(lines.length);
            expect(heard).toEqual(lines.slice(before.length));
          }
          await run(log);

          const after = await linesOf(log);
          expect((await log.read(0, { events: 1e6, size: 1e9 })).map(({ seq }) => seq), `statement ${nth}`).toEqual(seqs);
          expect(heard).toEqual(after.filter((line) => !before.includes(line)));
          const again = await (await sqliteStore(db)).open("default");
          expect([again.epoch, again.head, again.first, again.extent]).toEqual([log.epoch, log.head, log.first, log.extent]);
          expect(await linesOf(again)).toEqual(after);
          expect([await log.readBookmark("mark"), await again.readBookmark("mark")]).toEqual([bookmark, bookmark]);
          expect((await log.append([a.batch(1, 2), singles(draft("x"))])).flat().map(({ state }) => state)).toEqual(["duplicate", "duplicate", "duplicate"]);
        }
      });
    }
  }
}

test("[P9] opening a namespace fails at any statement: it is opened whole later, with one epoch", async () => {
  for (const when of ["before", "after"] as const) {
    for (const count of [1, 2, 3]) {
      for (let nth = 1; ; nth++) {
        const { db, arm, disarm } = failing(new DatabaseSync(":memory:"));
        const store = await sqliteStore(db);
        arm(nth, count, when);
        const error = await store.open("new").then(() => undefined, (thrown: unknown) => thrown);
        if (!disarm()) break;
        expect(error === undefined || error instanceof EventRouterError).toBe(true);
        const log = await store.open("new");
        expect(brief(await appendOne(log, a.batch(1)))).toEqual([1]);
        expect((await (await sqliteStore(db)).open("new")).epoch).toBe(log.epoch);
      }
    }
  }
});

test("reads that fail say so, and work again", async () => {
  const { db, arm, disarm } = failing(new DatabaseSync(":memory:"));
  const log = await (await sqliteStore(db)).open("default");
  await log.append([a.batch(1)]);
  await log.append([a.batch(2)]);
  for (const read of [() => log.read(1, { events: 1, size: 1 }), () => log.seqBefore(2_000), () => log.readBookmark("x")]) {
    arm(1, 1, "before");
    await expect(read()).rejects.toMatchObject({ code: "ERR_STORE", retryable: true });
    expect(disarm()).toBe(true);
    await read();
  }
  expect(log.head).toBe(2);
});

test("[P1] a full disk refuses whole appends with a retryable error; with room again, the repeat is stored once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "event-router-"));
  const db = await openSqlite(join(folder, "events.db"));
  try {
    const log = await (await sqliteStore(db)).open("default");
    const { page_count: used } = db.prepare("PRAGMA page_count").get() as { page_count: number };
    db.exec(`PRAGMA max_page_count = ${used + 40}`);
    const large = (number: number) => ({ ...a.batch(number), drafts: [a.draft(number, { payload: "x".repeat(20_000) })] });
    let number = 0;
    let error: unknown;
    while (error === undefined) await appendOne(log, large(++number)).catch((thrown: unknown) => { error = thrown; });
    expect(error).toMatchObject({ name: "PublishError", code: "ERR_STORE", retryable: true, message: expect.stringMatching(/full.*room/) as string });
    expect(log.head).toBe(number - 1);
    // What comes next may be smaller and fit; the failed one is not taken for a repeat because of it.
    expect(brief(await appendOne(log, a.batch(number + 1)))).toEqual([number]);
    db.exec("PRAGMA max_page_count = 100000");
    expect(brief(await appendOne(log, large(number)))).toEqual([number + 1]);
    expect(brief(await appendOne(log, large(number)))).toEqual([[number + 1]]);
    expect((await linesOf(log)).length).toBe(number + 1);
  } finally {
    db.close();
    rmSync(folder, { recursive: true });
  }
});

import type { Log } from "../../../src/core/store.ts";
import { equal } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, everything, seqsOf, type Kit } from "./kit.ts";

export function reading({ test }: Kit): void {
  const fill = async (log: Log) => {
    const a = instance("a");
    for (const sizes of [[1], [2, 3], [4, 5, 6, 7], [8], [9, 10]]) await appendOne(log, a.batch(...sizes));
  };

  test("a page starts behind any seq, inside and between appends", async ({ log }) => {
    await fill(log);
    for (let after = 0; after <= 10; after++) {
      equal(seqsOf(await log.read(after, everything)), Array.from({ length: 10 - after }, (_, index) => after + 1 + index), `after ${after}`);
      equal(seqsOf(await log.read(after, { ...everything, events: 3 })), [1, 2, 3].map((n) => after + n).filter((seq) => seq <= 10), `three after ${after}`);
    }
    equal(await log.read(99, everything), []);
    equal(seqsOf(await log.read(-5, { ...everything, events: 1 })), [1]);
  });

  test("a page holds a size at most, but one event at least", async ({ log }) => {
    await fill(log);
    const all = await log.read(0, everything);
    for (let after = 0; after < 10; after++) {
      equal(seqsOf(await log.read(after, { events: 100, size: 1 })), [after + 1]);
      const two = all.slice(after, after + 2).reduce((sum, { size }) => sum + size, 0);
      equal(seqsOf(await log.read(after, { events: 100, size: two })), [after + 1, after + 2].filter((seq) => seq <= 10));
      equal(seqsOf(await log.read(after, { events: 100, size: two - 1 })), after === 9 ? [10] : [after + 1]);
    }
  });

  test("pages put together are the log", async ({ log }) => {
    const a = instance("a");
    let next = 1;
    for (let size = 1; size <= 60; size++) await appendOne(log, a.batch(...Array.from({ length: size }, () => next++)));
    for (const limit of [{ events: 1, size: 1e9 }, { events: 7, size: 1e9 }, { events: 256, size: 1e9 }, { events: 1_000, size: 900 }]) {
      const seqs: number[] = [];
      for (let page = await log.read(0, limit); page.length > 0; page = await log.read(seqs.at(-1)!, limit)) seqs.push(...seqsOf(page));
      equal(seqs, Array.from({ length: log.head }, (_, index) => index + 1), `pages of ${limit.events}`);
    }
  });

  test("what was read does not change when the log does", async ({ log }) => {
    await fill(log);
    const page = await log.read(0, everything);
    const lines = page.map(({ line }) => line);
    await log.trim(10);
    await appendOne(log, singles(draft("x")));
    equal(page.map(({ line }) => line), lines);
  });

  test("seqBefore is the last event older than a time; times along a log never fall", async ({ log }) => {
    equal(await log.seqBefore(1_000), 0);
    // The caller keeps times from falling, over reopening too: it reads the last event to know where they stand.
    const times = [10, 10, 20, 20, 20, 30, 50, 50, 70];
    for (let at = 0; at < times.length; at += 2) await appendOne(log, singles(...times.slice(at, at + 2).map((time, index) => draft(`id${at + index}`, { time }))));
    for (let time = 0; time <= 80; time++) equal(await log.seqBefore(time), times.filter((one) => one < time).length, `before ${time}`);
    await log.trim(4);
    for (let time = 0; time <= 80; time++) equal(await log.seqBefore(time), Math.max(4, times.filter((one) => one < time).length), `before ${time}, after a trim`);
    await log.trim(9);
    equal(await log.seqBefore(1e15), 9);
  });
}

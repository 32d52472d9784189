import { equal, ok } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, brief, linesOf, type Kit } from "./kit.ts";

/** Namespaces and epochs: which log it is, and which life of it. */
export function living({ test, durable }: Kit): void {
  const names = ["a", "A", "a ", "", "a\u0000", "a\u0000b", "\u0001\"a\"", "ä", "a\u0308", "😀", "\ud800", "\ud801", "\ufffd", "a.b/c:d", "'; DROP TABLE er_meta; --", "%", "_", "$sys", "x".repeat(500)];

  test("a namespace that is opened twice is one log", async ({ store, log }) => {
    const again = await store.open("default");
    const heard: number[] = [];
    again.watch((events) => heard.push(events.length));
    await appendOne(log, singles(draft("x")));
    equal([again.head, again.epoch, heard], [1, log.epoch, [1]]);
  });

  test("[I16] namespaces share nothing, whatever their names", async ({ store, reopen }) => {
    let opened = store;
    const open = () => Promise.all(names.map((name) => opened.open(name)));
    const a = instance("a");
    const heard: string[] = [];
    const logs = await open();
    equal(new Set(logs.map(({ epoch }) => epoch)).size, names.length, "epochs");
    for (const [index, log] of logs.entries()) {
      log.watch((events) => heard.push(...events.map(({ payload }) => `${index}:${String(payload)}`)));
      equal(brief(await appendOne(log, singles(draft("same", { payload: index })))), [1]);
      equal(brief(await appendOne(log, a.batch(1, 2))), [2, 3], "the same instance is new in each namespace");
      await log.writeBookmarks([["key", String(index)]]);
    }
    equal(heard.filter((text) => !text.endsWith("[object Object]")), names.map((_, index) => `${index}:${index}`));
    await logs[3]!.trim(2);
    await logs[4]!.writeBookmarks([["key", undefined]]);
    const check = async () => {
      for (const [index, log] of (await open()).entries()) {
        const lines = await linesOf(log);
        equal([lines.length, log.head, await log.readBookmark("key")], [index === 3 ? 1 : 3, 3, index === 4 ? undefined : String(index)], JSON.stringify(names[index]));
        if (index !== 3) equal(lines[0], `[1${draft("same", { payload: index }).body}`);
      }
    };
    await check();
    if (!durable) return;
    opened = await reopen();
    await check();
  });

  test(durable ? "[P9] positions and epoch are the same after reopening" : "[P9] the epoch changes when what the log held is lost", async ({ log, reopen }) => {
    const a = instance("a");
    await log.append([a.batch(1, 2, 3), a.batch(4)]);
    await log.append([a.batch(5)]);
    await log.trim(2);
    const [lines, { head, first, extent }] = [await linesOf(log), log];
    const again = await (await reopen()).open("default");
    if (durable) {
      equal([again.epoch, again.head, again.first, again.extent, await linesOf(again)], [log.epoch, head, first, extent, lines]);
      equal(brief(await appendOne(again, a.batch(6))), [6]);
    } else {
      ok(again.epoch !== log.epoch, "another epoch");
      equal([again.head, again.first, again.extent], [0, 1, { events: 0, size: 0 }]);
    }
  });

  if (!durable) return;
  test("[P9] a log that was trimmed to nothing keeps its head over reopening", async ({ log, reopen }) => {
    await log.append([instance("a").batch(1, 2, 3)]);
    await log.trim(3);
    const again = await (await reopen()).open("default");
    equal([again.epoch, again.head, again.first, again.extent], [log.epoch, 3, 4, { events: 0, size: 0 }]);
    equal(brief(await appendOne(again, singles(draft("x")))), [4]);
  });
}

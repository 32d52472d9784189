import { equal } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, everything, linesOf, seqsOf, type Kit } from "./kit.ts";

export function trimming({ test }: Kit): void {
  test("a trim takes a prefix away from first, extent and reads; head stays", async ({ log }) => {
    const a = instance("a");
    await log.append([a.batch(1, 2, 3, 4, 5)]);
    await log.append([a.batch(6), a.batch(7, 8)]);
    for (const seq of [1, 2, 5, 6, 7]) {
      await log.trim(seq);
      const left = await log.read(0, everything);
      equal([log.first, log.head, seqsOf(left)[0], left.length], [seq + 1, 8, seq + 1, 8 - seq]);
      equal(log.extent, { events: left.length, size: left.reduce((sum, { size }) => sum + size, 0) });
    }
  });

  test("first never falls, and a trim past the head stops there", async ({ log }) => {
    await log.append([instance("a").batch(1, 2, 3, 4)]);
    await log.trim(3);
    await log.trim(1);
    await log.trim(0);
    equal(log.first, 4);
    await log.trim(99);
    equal([log.first, log.head, log.extent, await linesOf(log)], [5, 4, { events: 0, size: 0 }, []]);
    await log.trim(99);
    equal([log.first, log.head], [5, 4]);
  });

  test("[P9] after everything was trimmed seqs go on", async ({ log }) => {
    await appendOne(log, singles(draft("x"), draft("y")));
    await log.trim(2);
    await appendOne(log, singles(draft("z")));
    const lines = await linesOf(log);
    equal([log.first, log.head, log.extent, lines], [3, 3, { events: 1, size: lines[0]!.length }, [`[3${draft("z").body}`]]);
  });

  test("a long log, trimmed in steps of any size while it grows", async ({ log }) => {
    const a = instance("a");
    let number = 0;
    for (let step = 1; step <= 40; step++) {
      await appendOne(log, a.batch(...Array.from({ length: 97 }, () => ++number)));
      await log.trim(step * 61);
      const left = await log.read(0, everything);
      equal([seqsOf(left)[0], seqsOf(left).at(-1), left.length, log.extent.events], [step * 61 + 1, step * 97, step * 36, step * 36]);
    }
  });
}

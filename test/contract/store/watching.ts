import { equal } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, everything, seqsOf, type Kit } from "./kit.ts";

export function watching({ test }: Kit): void {
  test("a watcher hears of each append once, in order, before the promise resolves", async ({ log }) => {
    const a = instance("a");
    const heard: number[] = [];
    log.watch((events) => heard.push(...seqsOf(events)));
    const pending = log.append([a.batch(1, 2), a.batch(3)]).then(() => heard.push(-1));
    await pending;
    await log.append([a.batch(2), a.batch(4)]);
    await log.append([a.batch(4)]);
    equal(heard, [1, 2, 3, -1, 4], "repeats are not told");
  });

  test("[P5] what is told was committed: it can be read at once", async ({ log }) => {
    const reads: Promise<void>[] = [];
    log.watch((events) => {
      equal(log.head, events.at(-1)!.seq);
      reads.push(log.read(events[0]!.seq - 1, everything).then((page) => equal(page.map(({ line }) => line), events.map(({ line }) => line))));
    });
    await appendOne(log, singles(draft("x"), draft("y")));
    await appendOne(log, singles(draft("z")));
    equal(reads.length, 2);
    await Promise.all(reads);
  });

  test("a watcher that has left hears nothing, also when it leaves while others are told", async ({ log }) => {
    const heard: string[] = [];
    const stopFirst = log.watch(() => { heard.push("first"); stopSecond(); });
    const stopSecond = log.watch(() => heard.push("second"));
    await appendOne(log, singles(draft("x")));
    stopFirst();
    stopFirst();
    await appendOne(log, singles(draft("y")));
    equal(heard, ["first"]);
  });

  test("one listener, added twice, is two watchers", async ({ log }) => {
    let calls = 0;
    const listener = () => void calls++;
    const stop = log.watch(listener);
    log.watch(listener);
    await appendOne(log, singles(draft("x")));
    stop();
    await appendOne(log, singles(draft("y")));
    equal(calls, 3);
  });

  test("a listener that throws harms neither the append nor the others", async ({ log, errors }) => {
    const heard: number[] = [];
    log.watch(() => { throw new Error("listener"); });
    log.watch((events) => heard.push(...seqsOf(events)));
    await appendOne(log, singles(draft("x")));
    await appendOne(log, singles(draft("y")));
    equal([heard, errors.length, log.head], [[1, 2], 2, 2]);
  });

  test("a listener may append and watch: everyone hears the order of the log, newcomers what comes behind the head they saw", async ({ log }) => {
    const heard: Record<string, number[]> = { one: [], two: [], new: [] };
    const inner: Promise<unknown>[] = [];
    let since = 0;
    log.watch((events) => {
      heard.one!.push(...seqsOf(events));
      if (events[0]!.seq !== 1) return;
      inner.push(appendOne(log, singles(draft("inner"))));
      // A store that writes at once has it in the log already, another not yet.
      since = log.head;
      log.watch((later) => heard.new!.push(...seqsOf(later)));
    });
    log.watch((events) => heard.two!.push(...seqsOf(events)));
    await appendOne(log, singles(draft("outer")));
    await Promise.all(inner);
    await appendOne(log, singles(draft("last")));
    equal(heard, { one: [1, 2, 3], two: [1, 2, 3], new: [1, 2, 3].filter((seq) => seq > since) });
  });
}

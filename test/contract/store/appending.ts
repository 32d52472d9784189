import { equal, ok } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, brief, everything, linesOf, seqsOf, type Kit } from "./kit.ts";

export function appending({ test }: Kit): void {
  test("a new log is empty: head 0, first 1", async ({ log }) => {
    equal([log.head, log.first, log.extent], [0, 1, { events: 0, size: 0 }]);
    equal(await log.read(0, everything), []);
    ok(log.epoch.length > 0, "a log has an epoch");
  });

  test("[P9] seqs run from 1 without holes, over batches and calls", async ({ log }) => {
    const a = instance("a");
    equal(brief(await appendOne(log, a.batch(1))), [1]);
    equal((await log.append([a.batch(2, 3), a.batch(4)])).map(brief), [[2, 3], [4]]);
    equal([log.head, log.first, log.extent.events], [4, 1, 4]);
    equal(seqsOf(await log.read(0, everything)), [1, 2, 3, 4]);
  });

  test("a line is kept as it was written, with its seq in front", async ({ log }) => {
    const written = draft("one", { type: "a.b", time: 77, subject: "ann", payload: { z: 1, a: [1.50, "x"] }, meta: { priority: 9 } });
    await appendOne(log, { publisher: "ann", run: false, drafts: [written] });
    const [event] = await log.read(0, everything);
    equal(event!.line, `[1,77,"ann","one","a.b",{"z":1,"a":[1.5,"x"]},{"priority":9}]`);
    equal([event!.seq, event!.time, event!.type, event!.id, event!.payload, event!.priority], [1, 77, "a.b", "one", { z: 1, a: [1.5, "x"] }, 9]);
    equal(log.extent, { events: 1, size: event!.line.length });
  });

  test("any JSON text survives: astral and combining characters, line separators, escapes, lone surrogates in escapes", async ({ log }) => {
    const payloads = ["😀 é e\u0301 \u2028\u2029 \uFEFF", "\u0000\u0001\n\r\t\"\\/", JSON.parse('"\\ud800 \\udc00"'), "\ufffd\uffff", { "ключ": "值" }, 1e300, -0.1, "x".repeat(5_000)];
    const drafts = payloads.map((payload, index) => draft(`id${index}`, { payload }));
    await appendOne(log, singles(...drafts));
    equal(await linesOf(log), drafts.map(({ body }, index) => `[${index + 1}${body}`));
    equal((await log.read(0, everything)).map(({ payload }) => payload), payloads);
  });

  test("[P5] a refused batch leaves no trace and uses no seq; its neighbours stand", async ({ log }) => {
    const a = instance("a");
    await appendOne(log, singles(draft("x", { payload: 1 })));
    const outcomes = await log.append([a.batch(1), singles(draft("new"), draft("x", { payload: 2 })), a.batch(2)]);
    equal(outcomes.map(brief), [[2], ["ERR_ID_CONFLICT", "ERR_ID_CONFLICT"], [3]]);
    equal(brief(await appendOne(log, singles(draft("new")))), [4], "an id of the refused batch was not remembered");
    equal(log.head, 4);
  });

  test("a run refuses ids that have no number, and an id twice in a batch is refused", async ({ log }) => {
    const a = instance("a");
    const outcomes = await log.append([
      { publisher: "", run: true, drafts: [draft("mine")] },
      a.batch(1, 2, 1),
      singles(draft("x"), draft("x")),
    ]);
    equal(outcomes.map(brief), [["ERR_EVENT_ID"], ["ERR_DUPLICATE_ID", "ERR_DUPLICATE_ID", "ERR_DUPLICATE_ID"], ["ERR_DUPLICATE_ID", "ERR_DUPLICATE_ID"]]);
    equal([log.head, brief(await appendOne(log, a.batch(1)))], [0, [1]]);
  });

  test("an event on two lines is refused: a log is lines", async ({ log }) => {
    const { body, ...rest } = draft("x");
    equal(brief(await appendOne(log, singles({ ...rest, body: body.replace("null", "\n null") }))), ["ERR_EVENT_LINE"]);
  });

  test("an append of nothing is nothing", async ({ log }) => {
    equal(await log.append([]), []);
    equal(await log.append([singles()]), [[]]);
    equal(log.head, 0);
  });

  test("appends that are not awaited keep their order", async ({ log }) => {
    const a = instance("a");
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, index) => appendOne(log, a.batch(index + 1))));
    equal(outcomes.flatMap(brief), Array.from({ length: 100 }, (_, index) => index + 1));
  });

  test("large batches and large events", async ({ log }) => {
    const a = instance("a");
    const many = a.batch(...Array.from({ length: 5_000 }, (_, index) => index + 1));
    const large = singles(...Array.from({ length: 5 }, (_, index) => draft(`large${index}`, { payload: String(index).repeat(200_000) })));
    await log.append([many, large, a.batch(5_001)]);
    const lines = await linesOf(log);
    equal(lines.length, 5_006);
    equal(lines, [...many.drafts, ...large.drafts, a.draft(5_001)].map(({ body }, index) => `[${index + 1}${body}`));
    equal(log.extent, { events: 5_006, size: lines.reduce((sum, line) => sum + line.length, 0) });
  });
}

import { equal } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, brief, type Kit } from "./kit.ts";

export function repeats({ test, durable }: Kit): void {
  test("[P4] a repeat in a run is a duplicate with the seq of the first", async ({ log }) => {
    const a = instance("a");
    const b = instance("b");
    await log.append([a.batch(1, 2), b.batch(1), a.batch(3), b.batch(2, 3, 4)]);
    equal((await log.append([a.batch(1, 2), a.batch(3), b.batch(1)])).map(brief), [[[1], [2]], [[4]], [[3]]]);
    equal(log.head, 7);
  });

  test("[P4] later batches of a call see the earlier ones", async ({ log }) => {
    const a = instance("a");
    equal((await log.append([a.batch(1), a.batch(1, 2), singles(draft("x")), singles(draft("x"))])).map(brief), [[1], [[1], 2], [3], [[3]]]);
  });

  test("[P4] a batch of which some came before appends the others", async ({ log }) => {
    const a = instance("a");
    await appendOne(log, a.batch(1, 2));
    equal(brief(await appendOne(log, a.batch(1, 2, 3))), [[1], [2], 3]);
  });

  test("[P4] the key is the publisher and the id: others may use the same", async ({ log }) => {
    const ann = instance("a", "ann");
    const bob = instance("a", "bob");
    equal((await log.append([ann.batch(1), bob.batch(1)])).map(brief), [[1], [2]]);
    equal((await log.append([bob.batch(1), ann.batch(1)])).map(brief), [[[2]], [[1]]]);
    const single = (publisher: string, payload: number) => ({ publisher, run: false, drafts: [draft("x", { subject: publisher, payload })] });
    equal((await log.append([single("ann", 1), single("bob", 2), single("", 3)])).map(brief), [[3], [4], [5]]);
    equal((await log.append([single("ann", 1), single("bob", 2), single("", 3)])).map(brief), [[[3]], [[4]], [[5]]]);
  });

  test("[P4] odd publisher names stay apart", async ({ log }) => {
    const names = ["", "a", "a\u0000", "a\u0000b", "\u0001\"a\"", "A", "ä", "a\u0308", "\ud800", "\ud801", "\ufffd", "'); DROP TABLE er_ids; --"];
    const batches = names.map((publisher) => ({ publisher, run: false, drafts: [draft("x", { subject: publisher })] }));
    const runs = names.map((publisher) => instance("a", publisher).batch(1));
    equal((await log.append([...batches, ...runs])).flatMap(brief), [...batches, ...runs].map((_, index) => index + 1));
    equal((await log.append(batches)).flatMap(brief), names.map((_, index) => [index + 1]));
  });

  test("[P4] a number that was passed over is new when it comes: a failed write is sent again after its successors", async ({ log }) => {
    const a = instance("a");
    await log.append([a.batch(1), a.batch(6, 7)]);
    equal((await log.append([a.batch(3), a.batch(2), a.batch(3), a.batch(4, 5), a.batch(6)])).map(brief), [[4], [5], [[4]], [6, 7], [[2]]]);
    equal((await log.append([a.batch(1, 2, 3, 4, 5, 6, 7, 8)])).map(brief), [[[1], [5], [4], [6], [7], [2], [3], 8]]);
  });

  test("[P4] another event under an id that is taken is a conflict; the same, written otherwise, is not", async ({ log }) => {
    const a = instance("a");
    const make = (init: object) => ({ publisher: "", run: true, drafts: [a.draft(1, { payload: { x: 1, y: [2] }, meta: { source: "s", priority: 1 }, ...init })] });
    await appendOne(log, make({}));
    const again = async (init: object) => (await appendOne(log, make(init))).flatMap((outcome) => brief([outcome]))[0];
    equal(await again({ payload: { x: 1, y: [3] } }), "ERR_ID_CONFLICT");
    equal(await again({ payload: { x: 1 } }), "ERR_ID_CONFLICT");
    equal(await again({ type: "another" }), "ERR_ID_CONFLICT");
    equal(await again({ meta: { source: "s", priority: 2 } }), "ERR_ID_CONFLICT");
    equal(await again({ meta: undefined }), "ERR_ID_CONFLICT");
    equal(await again({ payload: { y: [2], x: 1 } }), [1], "order of keys");
    equal(await again({ meta: { priority: 1 } }), [1], "source");
    equal(await again({ time: 5_000 }), [1], "time");
    const [refused] = await appendOne(log, make({ payload: 2 }));
    equal(refused!.state === "refused" && [refused!.error.name, refused!.error.retryable], ["ConflictError", false]);
    equal(log.head, 1);
  });

  test("[P4] single ids: exact, with conflict", async ({ log }) => {
    equal(brief(await appendOne(log, singles(draft("x"), draft("y")))), [1, 2]);
    equal(brief(await appendOne(log, singles(draft("y"), draft("X"), draft("x ")))), [[2], 3, 4]);
    equal(brief(await appendOne(log, singles(draft("x", { payload: 1 })))), ["ERR_ID_CONFLICT"]);
  });

  test("[P4] an id of a run and the same id alone are one event, whichever came first", async ({ log }) => {
    const a = instance("a");
    await appendOne(log, a.batch(1, 2));
    equal(brief(await appendOne(log, singles(a.draft(2), a.draft(4)))), [[2], 3]);
    equal(brief(await appendOne(log, a.batch(3, 4, 5))), [4, [3], 5]);
    equal(brief(await appendOne(log, a.batch(4))), [[3]]);
    const b = instance("b");
    equal(brief(await appendOne(log, singles(b.draft(1)))), [6]);
    equal(brief(await appendOne(log, b.batch(1, 2))), [[6], 7]);
  });

  test("[P4] ids are remembered after their events were trimmed", async ({ log }) => {
    const a = instance("a");
    await log.append([a.batch(1, 2), singles(draft("x"))]);
    await log.trim(3);
    equal((await log.append([a.batch(1, 2), singles(draft("x")), singles(draft("x", { payload: "not comparable any more" }))])).map(brief), [[[null], [null]], [[3]], [[3]]]);
    equal(log.head, 3);
  });

  test("[P4] a repeat far back is still a duplicate, if without its seq", async ({ log }) => {
    const a = instance("a");
    const b = instance("b");
    await log.append([a.batch(1), b.batch(...Array.from({ length: 4_500 }, (_, index) => index + 1)), a.batch(2)]);
    equal(brief(await appendOne(log, a.batch(1))), [[null]]);
    equal(brief(await appendOne(log, b.batch(1))), [[2]], "an instance that was alone is found at any distance");
  });

  if (durable) {
    test("[P4] ids are remembered after reopening", async ({ log, reopen }) => {
      const a = instance("a", "ann");
      await log.append([a.batch(1, 2), a.batch(5), singles(draft("x"), instance("b").draft(7))]);
      const again = await (await reopen()).open("default");
      equal((await again.append([a.batch(1, 2), a.batch(3), a.batch(5), singles(draft("x")), instance("b").batch(7), instance("b").batch(6)])).map(brief),
        [[[1], [2]], [6], [[3]], [[4]], [[5]], [7]]);
      equal(brief(await appendOne(again, singles(draft("x", { payload: 2 })))), ["ERR_ID_CONFLICT"]);
    });

    test("[P4] more instances than a cache holds", async ({ log }) => {
      const instances = Array.from({ length: 6_000 }, (_, index) => instance(`i${String(index).padStart(5, "0")}`));
      await log.append(instances.map((one) => one.batch(1)));
      for (const one of [0, 17, 3_000, 5_999]) equal(brief(await appendOne(log, instances[one]!.batch(1, 2))), [[one + 1], log.head], `instance ${one}`);
    });
  }
}

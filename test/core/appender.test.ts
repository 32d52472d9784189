import { expect, test } from "vitest";
import { Measures } from "../../src/core/measures.ts";
import { Appender } from "../../src/core/appender.ts";
import { EventRouterError, PublishError } from "../../src/core/errors.ts";
import type { Batch, Log, Outcome } from "../../src/core/store.ts";
import { allMicrotasks, FakeSurroundings } from "../support/fake-surroundings.ts";

/** A log whose transactions end when the test says so. */
function slowLog() {
  const writes: { readonly ids: string[]; finish(): void; fail(error: unknown): void }[] = [];
  let seq = 0;
  const append = (batches: readonly Batch[]) => new Promise<Outcome[][]>((resolve, reject) => {
    writes.push({
      ids: batches.flatMap(({ drafts }) => drafts.map(({ id }) => id)),
      finish: () => resolve(batches.map(({ drafts }) => drafts.map(() => ({ state: "appended", seq: ++seq })))),
      fail: reject,
    });
  });
  return { log: { append } as unknown as Log, writes };
}

function bench() {
  const around = new FakeSurroundings();
  const { log, writes } = slowLog();
  const fates: string[] = [];
  /** What whoever runs the router is told. */
  const failures: string[] = [];
  let commits = 0;
  const appender = new Appender({ log, defer: around.defer, now: () => 0, measures: new Measures(), committed: () => commits++, failed: (error) => failures.push((error as { code?: string }).code ?? String(error)) });
  const batch = (id: string, size = 10): Batch => ({ publisher: "", run: false, drafts: [{ id, type: "t", time: 0, body: "x".repeat(size), own: 0 }] });
  const submit = (...ids: string[]) => appender.submit(ids.map((id) => batch(id)), (fate) =>
    fates.push(`${ids.join("+")}: ${fate instanceof EventRouterError ? fate.code : fate.map((outcomes) => outcomes.map((one) => (one.state === "appended" ? one.seq : one.state))).join()}`));
  return { around, writes, fates, failures, appender, submit, batch, commits: () => commits };
}

test("[P1] what comes in one turn is one transaction, in order; nothing has a fate before it is written", async () => {
  const { around, writes, fates, submit, appender } = bench();
  submit("a");
  submit("b", "c");
  submit("d");
  await allMicrotasks();
  expect(writes).toHaveLength(0);
  expect(appender.waiting).toBe(4);
  around.turn();
  await allMicrotasks();
  expect(writes.map(({ ids }) => ids)).toEqual([["a", "b", "c", "d"]]);
  expect(fates).toEqual([]);
  writes[0]!.finish();
  await allMicrotasks();
  expect(fates).toEqual(["a: 1", "b+c: 2,3", "d: 4"]);
  expect(appender.waiting).toBe(0);
});

test("group commit: what comes while one transaction is written goes into the next, all together", async () => {
  const { around, writes, fates, submit, commits } = bench();
  submit("a");
  around.turn();
  for (const id of ["b", "c", "d"]) submit(id);
  await allMicrotasks();
  around.turn();
  expect(writes).toHaveLength(1);
  writes[0]!.finish();
  await allMicrotasks();
  expect(writes.map(({ ids }) => ids)).toEqual([["a"], ["b", "c", "d"]]);
  expect([fates.length, commits()]).toEqual([1, 1]);
  writes[1]!.finish();
  await allMicrotasks();
  expect(fates).toEqual(["a: 1", "b: 2", "c: 3", "d: 4"]);
  expect(commits()).toBe(2);
});

test("[P3] a store that fails fails what it was writing and what waits behind it, in order, and nothing of before or after", async () => {
  const { around, writes, fates, submit, appender } = bench();
  submit("z");
  around.turn();
  writes[0]!.finish();
  await allMicrotasks();
  submit("a");
  submit("b");
  around.turn();
  submit("c");
  writes[1]!.fail(new Error("disk full"));
  await allMicrotasks();
  // "c" may come from the publisher of "a": stored, it would stand before its elder.
  expect(fates).toEqual(["z: 1", "a: ERR_STORE", "b: ERR_STORE", "c: ERR_STORE"]);
  expect([writes.length, appender.waiting, appender.full]).toEqual([2, 0, false]);
  submit("d");
  around.turn();
  await allMicrotasks();
  expect(writes[2]!.ids).toEqual(["d"]);
  writes[2]!.finish();
  await allMicrotasks();
  expect(fates.at(-1)).toBe("d: 2");
});

test("a store's failure is retryable, with its cause, and says that nothing was kept; a typed one passes as it is", async () => {
  const { around, writes, failures, appender, batch } = bench();
  const got: unknown[] = [];
  for (const error of [new Error("disk full"), new PublishError("ERR_QUOTA", "no room")]) {
    appender.submit([batch("a")], (fate) => got.push(fate));
    around.turn();
    writes.at(-1)!.fail(error);
    await allMicrotasks();
  }
  expect(got[0]).toMatchObject({ name: "PublishError", code: "ERR_STORE", retryable: true, cause: { message: "disk full" }, message: expect.stringContaining("nothing of this publish was kept") });
  expect(got[1]).toMatchObject({ code: "ERR_QUOTA", message: "no room" });
  // Not the publishers alone: a full disk is for whoever runs the router too.
  expect(failures).toEqual(["ERR_STORE", "ERR_QUOTA"]);
});

test("a transaction is bounded: what is more goes into the next, a submission is never cut", async () => {
  const { around, writes, appender, batch } = bench();
  for (let group = 0; group < 10; group++) appender.submit(Array.from({ length: 500 }, (_, i) => batch(`${group}-${i}`)), () => {});
  around.turn();
  await allMicrotasks();
  expect(writes[0]!.ids).toHaveLength(4_500);
  expect(appender.waiting).toBe(500);
  writes[0]!.finish();
  await allMicrotasks();
  expect(writes[1]!.ids).toHaveLength(500);
});

test("[P11] it is full when too much waits, and no longer when that is written", async () => {
  const { around, writes, appender, batch } = bench();
  appender.submit([batch("a")], () => {});
  around.turn();
  const big = batch("b", 1024 * 1024);
  for (let i = 0; i < 64; i++) appender.submit([big], () => {});
  expect(appender.full).toBe(false);
  appender.submit([batch("c", 1)], () => {});
  expect(appender.full).toBe(true);
  writes[0]!.finish();
  await allMicrotasks();
  expect([appender.full, appender.waiting]).toEqual([false, 0]);
});

test("drained: at once when idle, else when what was submitted before has its fate, whatever is submitted meanwhile", async () => {
  const { around, writes, fates, submit, appender } = bench();
  await appender.drained();
  submit("a");
  around.turn();
  submit("b");
  const drained: string[] = [];
  void appender.drained().then(() => drained.push(`after ${fates.length}`));
  submit("c");
  await allMicrotasks();
  writes[0]!.finish();
  await allMicrotasks();
  expect(drained).toEqual([]);
  submit("d");
  writes[1]!.finish();
  await allMicrotasks();
  expect(drained).toEqual(["after 3"]);
  expect(writes.map(({ ids }) => ids)).toEqual([["a"], ["b", "c"], ["d"]]);
  // Before the write has begun, and when it fails: a fate is a fate.
  writes[2]!.finish();
  await allMicrotasks();
  submit("e");
  void appender.drained().then(() => drained.push(`after ${fates.length}`));
  around.turn();
  writes[3]!.fail(new Error("disk full"));
  await allMicrotasks();
  expect(fates.at(-1)).toBe("e: ERR_STORE");
  expect(drained).toEqual(["after 3", "after 5"]);
});

test("what is submitted while fates are told is not lost", async () => {
  const { around, writes, appender, batch, fates, submit } = bench();
  appender.submit([batch("a")], () => submit("b"));
  around.turn();
  writes[0]!.finish();
  await allMicrotasks();
  around.turn();
  await allMicrotasks();
  expect(writes[1]?.ids).toEqual(["b"]);
  writes[1]!.finish();
  await allMicrotasks();
  expect(fates).toEqual(["b: 2"]);
});

test("[P1] a publisher that cannot be answered makes no other believe that its events were not kept, and holds up nothing", async () => {
  const { around, writes, fates, failures, submit, appender, batch } = bench();
  submit("a");
  appender.submit([batch("b")], () => { throw new Error("no way to answer"); });
  submit("c");
  around.turn();
  writes[0]!.finish();
  await allMicrotasks();
  submit("d");
  around.turn();
  await allMicrotasks();
  writes[1]!.finish();
  await allMicrotasks();
  expect(fates).toEqual(["a: 1", "c: 3", "d: 4"]);
  expect(failures).toEqual(["Error: no way to answer"]);
});

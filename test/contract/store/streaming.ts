import type { Batch, Draft, Log } from "../../../src/core/store.ts";
import { equal, ok } from "../check.ts";
import { draft, instance, singles } from "./drafts.ts";
import { appendOne, brief, everything, seqsOf, type Kit } from "./kit.ts";

/** A draft of an event stream, as the router makes it. */
function streamed(id: string, name: string, init: Parameters<typeof draft>[1] = {}): Draft {
  const plain = draft(id, { ...init, meta: { stream: name } });
  const stamp = ',1000,["ann",0]';
  return { ...plain, body: stamp + plain.body.slice(plain.own - 1), own: stamp.length + 1, stream: { name, versionAt: stamp.length - 1 } };
}

async function versions(log: Log, name: string, from: number, direction: "forward" | "backward" = "forward", limit = everything): Promise<(number | undefined)[]> {
  return (await log.readStream(name, from, limit, direction)).events.map(({ version }) => version);
}

export function streaming({ test, durable }: Kit): void {
  test("versions of a stream run from 0, over batches, calls and other streams, and are in the events' lines", async ({ log }) => {
    const outcomes = await log.append([singles(streamed("a", "s"), streamed("b", "t"), streamed("c", "s")), singles(draft("plain"), streamed("d", "s"))]);
    equal(outcomes, [[{ state: "appended", seq: 1, version: 0 }, { state: "appended", seq: 2, version: 0 }, { state: "appended", seq: 3, version: 1 }], [{ state: "appended", seq: 4 }, { state: "appended", seq: 5, version: 2 }]]);
    await appendOne(log, singles(streamed("e", "s")));
    const { events, length } = await log.readStream("s", 0, everything, "forward");
    equal([seqsOf(events), events.map(({ version }) => version), length], [[1, 3, 5, 6], [0, 1, 2, 3], 4]);
    equal([events[1]!.line, events[1]!.stream, events[1]!.publisher, events[1]!.source], ['[3,1000,["ann",0,1],"c","test.made",null,{"stream":"s"}]', "s", { subject: "ann" }, undefined]);
    equal(await log.readStream("none", 0, everything, "forward"), { events: [], length: 0 });
  });

  test("a stream is read from a version, upwards and downwards, within limits", async ({ log }) => {
    for (let i = 0; i < 10; i++) await appendOne(log, singles(streamed(`x${i}`, "s"), draft(`y${i}`)));
    equal(await versions(log, "s", 7), [7, 8, 9]);
    equal(await versions(log, "s", 3, "forward", { events: 2, size: 1_000_000 }), [3, 4]);
    equal(await versions(log, "s", 0, "forward", { events: 10, size: 1 }), [0], "at least one");
    equal(await versions(log, "s", 2, "backward"), [2, 1, 0]);
    equal(await versions(log, "s", 1_000, "backward", { events: 3, size: 1_000_000 }), [9, 8, 7]);
    equal(await versions(log, "s", 10), []);
  });

  test("an expected version decides: two writers cannot both have seen it", async ({ log }) => {
    const expecting = (version: number | "no-stream", ...drafts: Draft[]): Batch => ({ ...singles(...drafts), expect: { stream: "s", version } });
    equal((await log.append([expecting("no-stream", streamed("a", "s")), expecting("no-stream", streamed("b", "s"))])).map(brief), [[1], ["ERR_STREAM_VERSION"]]);
    equal((await log.append([expecting(0, streamed("c", "s"), draft("beside")), expecting(0, streamed("d", "s"))])).map(brief), [[2, 3], ["ERR_STREAM_VERSION"]]);
    const [refused] = await appendOne(log, expecting(7, streamed("e", "s"), draft("f")));
    ok(refused?.state === "refused", "a wrong version refuses");
    equal([refused.error.name, refused.error.details], ["ConflictError", { stream: "s", expectedVersion: 7, actualVersion: 1 }]);
    const [none] = await appendOne(log, { ...expecting(0, streamed("g", "new")), expect: { stream: "new", version: 0 } });
    ok(none?.state === "refused" && none.error.details.actualVersion === "no-stream", "a stream that is not there says so");
    equal([log.head, await versions(log, "s", 0)], [3, [0, 1]]);
  });

  test("[P4] a repeat of an append with an expected version is a duplicate, not a conflict, and tells its version", async ({ log }) => {
    const first: Batch = { ...singles(streamed("a", "s"), streamed("b", "s")), expect: { stream: "s", version: "no-stream" } };
    await appendOne(log, first);
    await appendOne(log, singles(streamed("c", "s")));
    equal(await appendOne(log, first), [{ state: "duplicate", seq: 1, version: 0 }, { state: "duplicate", seq: 2, version: 1 }]);
    equal((await log.readStream("s", 0, everything, "forward")).length, 3);
  });

  test("a stream's events in an instance's run, and names of any text", async ({ log }) => {
    const a = instance("a");
    const names = ["s", "S", "a:b@c", "ä", "\u0001x", "a\u0000", "x".repeat(300)];
    await appendOne(log, { publisher: "", run: true, drafts: names.map((name, i) => streamed(a.draft(i + 1).id, name)) });
    for (const name of names) equal([await versions(log, name, 0), (await log.readStream(name, 0, everything, "forward")).length], [[0], 1], name);
  });

  test("trimmed events leave their stream, its versions go on", async ({ log }) => {
    for (let i = 0; i < 4; i++) await appendOne(log, singles(streamed(`x${i}`, "s")));
    await log.trim(2);
    equal([await versions(log, "s", 0), await versions(log, "s", 3, "backward"), (await log.readStream("s", 0, everything, "forward")).length], [[2, 3], [3, 2], 4]);
    await log.trim(4);
    equal(await appendOne(log, singles(streamed("y", "s"))), [{ state: "appended", seq: 5, version: 4 }]);
    equal(await versions(log, "s", 0), [4]);
  });

  if (durable) {
    test("streams are there after reopening", async ({ log, reopen }) => {
      await appendOne(log, singles(streamed("a", "s"), streamed("b", "s")));
      const again = await (await reopen()).open("default");
      equal(await versions(again, "s", 0), [0, 1]);
      equal(await appendOne(again, { ...singles(streamed("c", "s")), expect: { stream: "s", version: 1 } }), [{ state: "appended", seq: 3, version: 2 }]);
    });
  }
}

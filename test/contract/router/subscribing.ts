import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

export function subscribing(inHome: Case): void {
  inHome("patterns and filters choose the events", async ({ connect }) => {
    const client = connect();
    const [one, deep, all, filtered] = [collector(), collector(), collector(), collector()];
    await client.subscribe("order.*", one.handler);
    await client.subscribe("order.**", deep.handler);
    await client.subscribe(["payment.*", "order.created"], all.handler);
    await client.subscribe({ topics: ["order.*", "payment.*"], filter: { priority: { $gte: 7 }, "payload.amount": { $gt: 100 } }, handler: filtered.handler });
    await client.publish("order.created", { amount: 500 });
    await client.publish("order.item.added", { amount: 500 }, { priority: 9 });
    await client.publish("payment.made", { amount: 500 }, { priority: 9 });
    await client.publish("payment.made", { amount: 50 }, { priority: 9 });
    await client.publish("order", {});
    await client.publish("order.end", { amount: 101 }, { priority: 7 });
    await Promise.all([one.count(2), deep.count(4), all.count(3), filtered.count(2)]);
    equal([one.seqs(), deep.seqs(), all.seqs(), filtered.seqs()], [[1, 6], [1, 2, 5, 6], [1, 3, 4], [3, 6]]);
  });

  inHome("a regular expression chooses types", async ({ connect }) => {
    const client = connect();
    const got = collector();
    await client.onPattern(/^order\.(created|updated)$/, got.handler).ready;
    for (const type of ["order.created", "order.deleted", "order.updated", "reorder.created"]) await client.publish(type, {});
    await got.count(2);
    equal(got.events.map(({ type }) => type), ["order.created", "order.updated"]);
    const error = await failure(client.onPattern(/(a)\1/, got.handler).ready);
    equal([error.name, error.code], ["ValidationError", "ERR_REGEX"]);
  });

  inHome("[P2] a subscription can start at the start, at a seq, at a time, or now", async ({ connect }) => {
    const client = connect();
    const receipts = await client.publishBatch([["n", 1], ["n", 2]]);
    let later = await client.publish("n", 3);
    // The next millisecond: the clock is the real one here.
    while (later.timestamp === receipts[1]!.timestamp) later = await client.publish("n", 3);
    const [start, seq, time, now] = [collector(), collector(), collector(), collector()];
    await client.subscribe("n", { from: "start" }, start.handler);
    await client.subscribe("n", { from: 2 }, seq.handler);
    await client.subscribe("n", { from: new Date(later.timestamp) }, time.handler);
    await client.subscribe("n", now.handler);
    const last = await client.publish("n", 4);
    const end = last.seq!;
    const until = async (got: ReturnType<typeof collector>): Promise<number | undefined> => {
      while (got.events.at(-1)?.seq !== end) await got.count(got.events.length + 1);
      return got.events[0]?.seq;
    };
    equal(await Promise.all([start, seq, time, now].map(until)), [1, 2, later.seq, end]);
    for (const got of [start, seq, time, now]) got.seqs().reduce((a, b) => (ok(b === a + 1, "no hole"), b));
  });

  inHome("[P3] [P11] a slow subscription gets everything in order and holds up no other", async ({ connect }) => {
    const client = connect();
    const [fast, slow] = [collector(), collector()];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => { release = resolve; });
    await client.subscribe("n", fast.handler);
    await client.subscribe("n", async (event) => {
      await gate;
      slow.handler(event);
    });
    for (let i = 0; i < 6; i++) await client.publishBatch(Array.from({ length: 200 }, (_, n) => ["n", i * 200 + n] as const));
    await fast.count(1_200);
    equal(slow.events.length, 0);
    release();
    await slow.count(1_200);
    const expected = Array.from({ length: 1_200 }, (_, i) => i + 1);
    equal(fast.seqs(), expected);
    equal(slow.seqs(), expected);
  });

  inHome("a subscription is read as an iterator, and ends when the loop does", async ({ connect }) => {
    const client = connect();
    const sub = await client.subscribe("test.*");
    await client.publishBatch([["test.a", 1], ["test.b", { stop: true }], ["test.c", 3]]);
    const seen: string[] = [];
    for await (const event of sub) {
      seen.push(event.type);
      if ((event.payload as { stop?: boolean }).stop) break;
    }
    equal(seen, ["test.a", "test.b"]);
  });

  inHome("a stream yields events one by one, and in batches", async ({ connect }) => {
    const client = connect();
    const one = client.stream("s", { from: "start" });
    const many = client.stream("s", { from: "start", batchSize: 10, timeout: "50ms" });
    await client.publishBatch(Array.from({ length: 25 }, (_, i) => ["s", i] as const));
    let count = 0;
    for await (const event of one) {
      equal(event.payload, count++);
      if (count === 25) break;
    }
    const sizes: number[] = [];
    for await (const batch of many) {
      sizes.push(batch.length);
      if (sizes.reduce((a, b) => a + b) === 25) break;
    }
    ok(sizes.every((size) => size <= 10) && sizes.length >= 3, `batches of at most 10: ${sizes.join()}`);
  });

  inHome("a readable stream takes its events", async ({ connect }) => {
    const client = connect();
    const reader = client.stream("r", { from: "start" }).toReadableStream().getReader();
    await client.publishBatch([["r", 1], ["r", 2]]);
    equal([(await reader.read()).value?.payload, (await reader.read()).value?.payload], [1, 2]);
    await reader.cancel();
  });

  inHome("after unsubscribe nothing comes any more", async ({ connect }) => {
    const client = connect();
    const [ended, other] = [collector(), collector()];
    const sub = await client.subscribe("n", ended.handler);
    await client.subscribe("n", other.handler);
    await client.publish("n", 1);
    await ended.count(1);
    await sub.unsubscribe();
    await client.publish("n", 2);
    await other.count(2);
    equal(ended.seqs(), [1]);
  });

  inHome("an event with a target reaches only clients of that name", async ({ connect }) => {
    const [payment, other] = [connect({ name: "payment_service" }), connect({ name: "other" })];
    const [got, none] = [collector(), collector()];
    await payment.subscribe("**", got.handler);
    await other.subscribe("**", none.handler);
    await other.publish("order.placed", 1, { target: "payment_service" });
    await other.publish("order.placed", 2);
    await Promise.all([got.count(2), none.count(1)]);
    equal([got.seqs(), none.seqs()], [[1, 2], [2]]);
  });

  inHome("a handler that throws is told of once, and the next event comes all the same", async ({ connect }) => {
    const client = connect();
    const told: unknown[] = [];
    client.onError((error, event) => void told.push([(error as Error).message, event?.seq]));
    const got = collector();
    await client.subscribe("n", async (event) => {
      got.handler(event);
      if (event.payload === 1) throw new Error("first fails");
    });
    await client.publishBatch([["n", 1], ["n", 2]]);
    await got.count(2);
    equal(told, [["first fails", 1]]);
  });

  inHome("a wrong pattern or filter is refused with what to do", async ({ connect }) => {
    const client = connect();
    const wrong: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => client.subscribe("user#", () => {}).then(), "ERR_PATTERN"],
      [() => client.subscribe("a..b", () => {}).then(), "ERR_PATTERN"],
      [() => client.subscribe("a", { filter: { "payload.x": { $where: "1" } } }, () => {}).then(), "ERR_FILTER"],
      [() => client.subscribe("a", { filter: { amount: 1 } }, () => {}).then(), "ERR_FILTER"],
    ];
    for (const [call, code] of wrong) equal((await failure(Promise.resolve().then(call))).code, code);
  });

  inHome("[I16] nothing crosses namespaces", async ({ connect }) => {
    const [a, b] = [connect({ namespace: "a" }), connect({ namespace: "b" })];
    const [inA, inB] = [collector(), collector()];
    await a.subscribe("**", inA.handler);
    await b.subscribe("**", inB.handler);
    const [first, second] = await Promise.all([a.publish("x", "a"), b.publish("x", "b")]);
    await Promise.all([inA.count(1), inB.count(1)]);
    equal([first.seq, second.seq, inA.events[0]!.payload, inB.events[0]!.payload], [1, 1, "a", "b"]);
    ok(first.epoch !== second.epoch, "each log has a life of its own");
  });
}

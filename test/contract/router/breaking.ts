import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

export function breaking(inHome: Case): void {
  inHome("[P2] [P4] connections cut again and again: each event once, in order, nothing missed", async ({ connect, cut }) => {
    const [publisher, subscriber] = [connect(), connect()];
    const got = collector();
    await subscriber.subscribe("n", got.handler);
    const receipts: Promise<unknown>[] = [];
    for (let i = 0; i < 500; i++) {
      receipts.push(publisher.publish("n", i));
      if (i % 50 === 25) {
        await receipts[i - 10];
        cut();
      }
    }
    await Promise.all(receipts);
    await got.count(500);
    equal(got.events.map(({ payload }) => payload), Array.from({ length: 500 }, (_, i) => i));
    equal(got.seqs(), Array.from({ length: 500 }, (_, i) => i + 1));
  });

  inHome("a responder and a requester find each other again after a cut", async ({ connect, cut }) => {
    const [asker, responder] = [connect(), connect()];
    await responder.respond("echo", (request) => request.payload).ready;
    equal((await asker.request("echo", 1)).payload, 1);
    cut();
    let answer: unknown;
    while (answer === undefined) {
      try {
        answer = (await asker.request("echo", 2)).payload;
      } catch (error) {
        // Lost with the pipe, or the responder is not back yet: both say that asking again may help.
        ok((error as { retryable?: boolean }).retryable, String(error));
      }
    }
    equal(answer, 2);
  });

  inHome("[P2] what the log no longer has is told by a gap, never skipped in silence", async ({ connect }) => {
    const client = connect();
    for (let i = 0; i < 10; i++) await client.publishBatch(Array.from({ length: 100 }, (_, n) => ["n", i * 100 + n] as const));
    const got = collector();
    const gaps: { from: number; to: number | null }[] = [];
    const sub = client.on("n", { from: 1 }, got.handler);
    sub.onGap((gap) => void gaps.push(gap));
    await sub.ready;
    const last = await client.publish("n", "last");
    while (got.events.at(-1)?.seq !== last.seq) await got.count(got.events.length + 1);
    // The log may be trimmed again while the reader is on its way: each place is in one gap or was given, and none is both.
    const told = [...gaps.map(({ from, to }) => [from, to!] as const), ...got.seqs().map((seq) => [seq, seq] as const)].sort(([a], [b]) => a - b);
    equal(gaps[0]?.from, 1);
    equal(told.reduce((end, [from, to]) => (equal(from, end + 1, "what follows"), to), 0), last.seq);
  }, { retention: { maxEvents: 200 } });

  inHome("[P1] [P9] after a restart of the router everything acked is there, and subscriptions go on", async ({ connect, restart, durability }) => {
    if (restart === undefined) return equal(durability, "memory");
    const client = connect();
    const got = collector();
    const sub = client.on("n", got.handler);
    const gaps: unknown[] = [];
    sub.onGap((gap) => void gaps.push(gap));
    await sub.ready;
    const before = await client.publish("n", 1);
    await got.count(1);
    await restart();
    const after = await client.publish("n", 2);
    await got.count(2);
    equal([after.epoch, after.seq, got.seqs(), gaps], [before.epoch, 2, [1, 2], []]);
  });

  inHome("a client that was closed says so", async ({ connect }) => {
    const client = connect();
    await client.publish("n", 1);
    await client.close();
    const error = await failure(Promise.resolve().then(() => client.publish("n", 2)));
    equal([error.name, error.code, client.state], ["ConnectionError", "ERR_CLOSED", "closed"]);
  });
}

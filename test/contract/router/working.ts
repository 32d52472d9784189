import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

interface Letters { readonly letters: readonly { readonly id: string; readonly subscription: string; readonly attempts: number; readonly error: { readonly message: string }; readonly event: readonly unknown[] }[] }

/** Named cursors, groups, dead letters, events that are held back. */
export function working(inHome: Case): void {
  inHome("[P2] a durable subscription goes on where the last process stopped", async ({ connect }) => {
    const publisher = connect();
    const first = connect();
    const got = collector();
    const sub = await first.subscribe({ topics: "n", durable: "worker", handler: got.handler });
    for (let n = 1; n <= 3; n++) await publisher.publish("n", n);
    await got.count(3);
    await sub.unsubscribe();
    await publisher.publish("n", 4);
    const again = collector();
    await connect().subscribe({ topics: "n", durable: "worker", from: "start", handler: again.handler });
    equal((await again.count(1)).map(({ payload }) => payload), [4]);
  });

  inHome("[P2] a durable subscription and a group survive cuts and, where the store does, the router", async (home) => {
    const publisher = home.connect();
    const [durable, member] = [collector(), collector()];
    const reader = home.connect();
    await reader.subscribe({ topics: "n", durable: "d", handler: durable.handler });
    await reader.subscribe({ topics: "n", group: "g", handler: member.handler });
    await publisher.publish("n", 1);
    await Promise.all([durable.count(1), member.count(1)]);
    home.cut();
    await publisher.publish("n", 2);
    await Promise.all([durable.count(2), member.count(2)]);
    await home.restart?.();
    await publisher.publish("n", 3);
    await durable.count(3);
    equal(durable.events.map(({ payload }) => payload), [1, 2, 3]);
    // An ack may have been cut off: then the event comes again.
    const distinct = (): unknown[] => [...new Set(member.events.map(({ payload }) => payload))];
    while (distinct().length < 3) await member.count(member.events.length + 1);
    equal(distinct(), [1, 2, 3]);
  });

  inHome("[P2] the members of a group share the events, each is handled once, and concurrency is heeded", async ({ connect }) => {
    const publisher = connect();
    const handled: number[] = [];
    const shares = [0, 0, 0];
    let most = 0;
    let all = (): void => {};
    const done = new Promise<void>((resolve) => { all = resolve; });
    for (const who of [0, 1, 2]) {
      let running = 0;
      await connect().subscribe({
        topics: "task", group: "workers", concurrency: 2, async handler(event) {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running--;
          shares[who]!++;
          if (handled.push(event.payload as number) === 300) all();
        },
      });
    }
    await Promise.all(Array.from({ length: 300 }, (_, n) => publisher.publish("task", n)));
    await done;
    equal([...handled].sort((a, b) => a - b), Array.from({ length: 300 }, (_, n) => n));
    ok(most <= 2, "no more than two at once");
    ok(shares.every((share) => share > 0), `each has its share: ${String(shares)}`);
  });

  inHome("[P6] a handler that fails for good leaves a dead letter; a retry goes to the group that failed", async ({ connect }) => {
    const [publisher, member, other] = [connect(), connect(), connect()];
    const attempts: number[] = [];
    let broken = true;
    let handled = (): void => {};
    const success = new Promise<void>((resolve) => { handled = resolve; });
    let told = (): void => {};
    const dead = new Promise<void>((resolve) => { told = resolve; });
    await member.subscribe({
      topics: "t", group: "g", retry: { maxRetries: 2, delay: 1 }, handler(_event, context) {
        attempts.push(context.attempt);
        if (!broken) return handled();
        throw new Error("no luck");
      },
    });
    const elsewhere = collector();
    await other.subscribe("t", elsewhere.handler);
    await other.subscribe("$dead.open", () => told());
    const { id } = await publisher.publish("t", 1);
    await dead;
    const { letters: [letter] } = await publisher.call("dead.list") as Letters;
    equal([attempts, letter!.subscription, letter!.attempts, letter!.event[3]], [[1, 2, 3], "group:g", 3, id]);
    broken = false;
    await publisher.call("dead.retry", { ids: [letter!.id] });
    await success;
    equal([attempts.at(-1), elsewhere.events.length], [4, 1]);
    while ((await publisher.call("dead.list") as Letters).letters.length > 0) await Promise.resolve();
  });

  inHome("a member that closes finishes what it has begun; it is not done twice", async ({ connect }) => {
    const [publisher, leaving, staying] = [connect(), connect(), connect()];
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const done: unknown[] = [];
    await leaving.subscribe({ topics: "t", group: "g", async handler({ payload }) {
      begun.resolve();
      await go.promise;
      done.push(payload);
    } });
    await publisher.publish("t", 1);
    await begun.promise;
    const rest = collector();
    await staying.subscribe({ topics: "t", group: "g", handler: rest.handler });
    const closing = leaving.close();
    await publisher.publish("t", 2);
    await rest.count(1);
    go.resolve();
    await closing;
    await publisher.publish("t", 3);
    equal([done, (await rest.count(2)).map(({ payload }) => payload)], [[1], [2, 3]]);
  });

  inHome("an event that is held back comes later, and is called off by its id", async ({ connect }) => {
    const client = connect();
    const got = collector();
    await client.subscribe("t", got.handler);
    const first = await client.publish("t", "later", { delay: 20 });
    const second = await client.publish("t", "never", { deliverAt: new Date(Date.now() + 86_400_000) });
    equal([first.status, first.seq, second.seq], ["published", null, null]);
    equal([await client.cancel(second.id), await client.cancel(second.id)], [true, false]);
    const [event] = await got.count(1);
    equal([event!.id, event!.payload], [first.id, "later"]);
    equal(await client.cancel(first.id), false);
  });

  inHome("a purge tells readers what they miss", async ({ connect }) => {
    const client = connect();
    for (let n = 1; n <= 5; n++) await client.publish("n", n);
    await client.subscribe({ topics: "n", durable: "d", from: "start", handler: () => {} }).then((sub) => sub.unsubscribe());
    equal(await client.call("purge", { upTo: 3, dryRun: true }), { events: 3, upTo: 3 });
    equal(await client.call("purge", { upTo: 3 }), { events: 3, upTo: 3 });
    equal(await client.call("purge", { before: Date.now() - 60_000 }), { events: 0, upTo: 3 });
    equal((await failure(client.call("purge", {}))).message.includes("one of before"), true);
    const got = collector();
    const sub = await client.subscribe({ topics: "n", from: 1, handler: got.handler });
    const gap = await new Promise<{ from: number; to: number | null; reason: string }>((resolve) => { sub.onGap(resolve); });
    equal([gap.from, gap.to, gap.reason], [1, 3, "purged"]);
    equal((await got.count(2)).map(({ payload }) => payload), [4, 5]);
  });
}

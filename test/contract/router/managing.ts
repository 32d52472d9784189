import { ManagementAgent } from "../../../src/patterns/management-agent.ts";
import { equal, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

export function managing(inHome: Case): void {
  inHome("[I12] the figures agree with what was published, delivered, and is in the log", async ({ connect }) => {
    const [client, reader] = [connect(), connect()];
    const manager = new ManagementAgent(client);
    const got = collector();
    await reader.subscribe("n", got.handler);
    for (let n = 0; n < 20; n++) await client.publish("n", n);
    await client.publish("n", { a: 1 }, { id: "bad id" }).catch(() => {});
    await got.count(20);
    const stats = await manager.getStats();
    const log = await client.call("read", { limit: 1_000 }) as { readonly events: readonly unknown[] };
    equal([stats.totalEvents, stats.head - stats.first + 1, stats.eventsPublished, stats.eventsDelivered, stats.eventsRefused], [log.events.length, log.events.length, 20, 20, 1]);
    // Clients may share a connection.
    equal([stats.activeSubscriptions, stats.connections > 0, stats.deadLetters, stats.errorRate], [1, true, 0, 1 / 21]);
    await manager.purge({ upTo: 5 });
    equal((await manager.getStats()).totalEvents, 15);
  });

  inHome("who reads, and what nobody reads now, with its lag", async ({ connect }) => {
    const client = connect();
    const manager = new ManagementAgent(client);
    const [reader, worker] = [connect({ name: "reader" }), connect({ name: "worker" })];
    await reader.subscribe(["a.*", "b"], () => {});
    await worker.subscribe({ topics: "a.*", group: "workers", handler: () => {} });
    await reader.subscribe({ topics: "a.*", durable: "report", handler: () => {} }).then((sub) => sub.unsubscribe());
    for (let n = 0; n < 3; n++) await client.publish("a.x", n);
    const subscriptions = await manager.listSubscriptions();
    equal(subscriptions.map(({ topics, name, group, durable }) => [topics, name, group, durable]).sort(), [[["a.*", "b"], "reader", undefined, undefined], [["a.*"], "worker", "workers", undefined], [["a.*"], undefined, undefined, "report"]].sort());
    equal(subscriptions.find(({ durable }) => durable === "report")!.lag, 3);
    ok(subscriptions.every(({ id }) => id !== ""), "each has an id");
    equal([await manager.forget({ durable: "report" }), await manager.forget({ durable: "report" })], [true, false]);
  });

  inHome("a healthy router says so", async ({ connect }) => {
    const { isHealthy, issues, checks } = await new ManagementAgent(connect()).healthCheck();
    equal([isHealthy, issues, checks.persistence], [true, [], "ok"]);
  });

  inHome("[P6] dead letters are read, retried by the ids of their events, and discarded", async ({ connect }) => {
    const [client, worker] = [connect(), connect({ name: "worker" })];
    const manager = new ManagementAgent(client);
    const buried = collector();
    await client.subscribe("$dead.open", buried.handler);
    let broken = true;
    const handled = collector();
    await worker.subscribe({ topics: "task", handler: (event) => {
      if (broken) throw new TypeError("no luck");
      handled.handler(event);
    }, retry: { maxRetries: 1, delay: 1 }, deadLetter: true });
    const { id } = await client.publish("task", { n: 1 });
    await client.publish("task", { n: 2 });
    await buried.count(2);
    const dlq = await manager.getDeadLetterQueue();
    equal(dlq.map((letter) => [letter.payload, letter.lastError, letter.lastErrorName, letter.attempts, letter.subscription, letter.type]), [1, 2].map((n) => [{ n }, "no luck", "TypeError", 2, "client:worker:task", "task"]));
    equal([dlq[0]!.id, Number.isNaN(Date.parse(dlq[0]!.failedAt)), (await manager.getDeadLetterQueue({ limit: 1 })).length], [id, false, 1]);
    broken = false;
    const { retrying, failed } = await manager.retryFailedEvents({ eventIds: [id, "evt_unknown"] });
    equal([retrying, failed.map((one) => [one.id, one.error.code])], [[dlq[0]!.deadLetterId], [["evt_unknown", "ERR_DEAD_LETTER"]]]);
    equal((await handled.count(1)).map(({ payload }) => payload), [{ n: 1 }]);
    equal(await manager.discardFailedEvents({ all: true, subscription: "client:worker:other" }), []);
    while ((await manager.getDeadLetterQueue()).length > 1) await Promise.resolve();
    equal(await manager.discardFailedEvents({ eventIds: [dlq[1]!.id] }), [dlq[1]!.deadLetterId]);
    equal(await manager.getDeadLetterQueue(), []);
  });
}

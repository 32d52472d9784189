import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

class NotFoundError extends Error { override name = "NotFoundError"; }

/** The examples of the original design, one after another, up to "Request-Response Pattern". */
export function seed(inHome: Case): void {
  inHome("seed: initialization, with the client closed at the end of its block", async ({ connect }) => {
    let state;
    {
      await using client = connect();
      await client.publish("test", { data: "value" });
      state = client;
      equal(state.state, "connected");
    }
    equal(state.state, "closed");
  });

  inHome("seed: simple publishing", async ({ connect }) => {
    const client = connect();
    const got = collector();
    await client.subscribe("**", got.handler);
    await client.publish("user.created", { id: 123, name: "Alice" });
    await client.publish("order.placed", { order_id: 456, total: 99.99 },
      { source: "order_service", target: "payment_service", priority: 8, correlationId: "req-789" });
    await client.publish({ type: "order.placed", payload: { order_id: 456 }, priority: 8 });
    client.publishNowait("metric.recorded", { cpu: 75 });
    const events = await got.count(3);
    // The one with a target is for clients of that name alone.
    equal(events.map(({ type, priority, payload }) => [type, priority, payload]), [
      ["user.created", 5, { id: 123, name: "Alice" }], ["order.placed", 8, { order_id: 456 }], ["metric.recorded", 5, { cpu: 75 }],
    ]);
  });

  inHome("seed: batch publishing", async ({ connect }) => {
    const client = connect();
    const results = await client.publishBatch([["user.created", { id: 1 }], ["user.created", { id: 2 }], ["user.created", { id: 3 }]]);
    equal(results.length, 3);
    await client.publishEvents([{ type: "high.priority", payload: {}, priority: 9 }, { type: "low.priority", payload: {}, priority: 2 }]);
    const got = collector();
    await client.subscribe("**", { from: "start" }, got.handler);
    equal((await got.count(5)).map(({ priority }) => priority), [5, 5, 5, 9, 2]);
  });

  inHome("seed: transactional publishing", async ({ connect }) => {
    const client = connect();
    await client.transaction(async (tx) => {
      await tx.publish("order.created", { id: 1 });
      await tx.publish("inventory.reserved", { items: [] });
      await tx.publish("payment.initiated", { total: 9 });
    });
    const got = collector();
    await client.subscribe("**", { from: "start" }, got.handler);
    equal((await got.count(3)).map(({ type, seq }) => [type, seq]), [["order.created", 1], ["inventory.reserved", 2], ["payment.initiated", 3]]);
  });

  inHome("seed: handlers for one type, several types, a pattern, a filter", async ({ connect }) => {
    const client = connect();
    const created: string[] = [];
    const user: string[] = [];
    const orders: string[] = [];
    const large: unknown[] = [];
    const subs = [
      client.on("user.created", async (event) => void created.push((event.payload as { name: string }).name)),
      client.on(["user.created", "user.updated", "user.deleted"], async (event) => void user.push(event.type)),
      client.onPattern(/order\.(created|updated)/, async (event) => void orders.push(event.type)),
      client.on("payment.*", { filter: { "payload.amount": { $gt: 100 } } }, async (event) => void large.push(event.payload)),
    ];
    await Promise.all(subs.map(({ ready }) => ready));
    const end = collector();
    await client.subscribe("end", end.handler);
    for (const type of ["user.created", "user.updated", "user.deleted", "order.created", "order.shipped", "order.updated"]) await client.publish(type, { name: "Alice" });
    await client.publish("payment.made", { amount: 100 });
    await client.publish("payment.made", { amount: 101 });
    await client.publish("end", {});
    await end.count(1);
    while (user.length < 3 || orders.length < 2 || large.length < 1) await new Promise((resolve) => setTimeout(resolve, 0));
    equal([created, user, orders, large], [["Alice"], ["user.created", "user.updated", "user.deleted"], ["order.created", "order.updated"], [{ amount: 101 }]]);
  });

  inHome("seed: programmatic subscription, with a filter on several topics", async ({ connect }) => {
    const client = connect();
    const [users, critical] = [collector(), collector()];
    const subscription = await client.subscribe("user.*", users.handler);
    await client.subscribe({
      topics: ["order.*", "payment.*"],
      filter: { priority: { $gte: 7 }, source: { $in: ["order_service", "payment_service"] } },
      handler: critical.handler,
    });
    await client.publish("user.created", {});
    await users.count(1);
    await subscription.unsubscribe();
    await client.publish("user.created", {});
    await client.publish("order.placed", {}, { priority: 9, source: "elsewhere" });
    await client.publish("order.placed", {}, { priority: 6, source: "order_service" });
    await client.publish("payment.made", {}, { priority: 7, source: "payment_service" });
    await critical.count(1);
    equal([users.seqs(), critical.seqs()], [[1], [5]]);
  });

  inHome("seed: a subscription as context manager and iterator", async ({ connect }) => {
    const client = connect();
    const seen: unknown[] = [];
    {
      await using subscription = await client.subscribe("test.*");
      await client.publish("test.one", { n: 1 });
      await client.publish("test.two", { stop: true });
      for await (const event of subscription) {
        seen.push(event.type);
        if ((event.payload as { stop?: boolean }).stop) break;
      }
    }
    equal(seen, ["test.one", "test.two"]);
  });

  inHome("seed: stream processing, and in batches", async ({ connect }) => {
    const client = connect();
    const sensor = client.stream("sensor.*", { from: "start" });
    const logs = client.stream("logs.*", { from: "start", batchSize: 100, timeout: "1m" });
    for (let i = 0; i < 3; i++) await client.publish("sensor.heat", i);
    await client.publishBatch(Array.from({ length: 100 }, (_, i) => ["logs.line", i] as const));
    const heats: unknown[] = [];
    for await (const event of sensor) if (heats.push(event.payload) === 3) break;
    for await (const batch of logs) {
      equal(batch.length, 100);
      break;
    }
    equal(heats, [0, 1, 2]);
  });

  inHome("seed: request and response, with validation", async ({ connect }) => {
    const client = connect();
    const db = new Map([[7, { id: 7, name: "Alice" }]]);
    await client.respond("calculator.add", async (request) => {
      const { x, y } = request.payload as { x: number; y: number };
      return { result: x + y };
    }).ready;
    await client.respond("user.get", async (request) => {
      const { id } = request.payload as { id?: number };
      if (id === undefined) throw new TypeError("User ID required");
      const user = db.get(id);
      if (user === undefined) throw new NotFoundError(`User ${id} not found`);
      return user;
    }).ready;
    const response = await client.request("calculator.add", { x: 10, y: 20 }, { timeout: "1m" });
    equal((response.payload as { result: number }).result, 30);
    equal((await client.request("user.get", { id: 7 })).payload, { id: 7, name: "Alice" });
    for (const [payload, message] of [[{}, "User ID required"], [{ id: 8 }, "User 8 not found"]] as const) {
      const error = await failure(client.request("user.get", payload));
      ok(error.name === "RemoteError" && error.message === message, `${error.name}: ${error.message}`);
    }
  });
}

import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

export function publishing(inHome: Case): void {
  inHome("[P1] a receipt names the place in the log and how durable it is", async ({ connect, durability }) => {
    const client = connect();
    const first = await client.publish("user.created", { id: 1 });
    const second = await client.publish("user.created", { id: 2 });
    equal([first.status, first.seq, second.seq, first.durability, first.type], ["published", 1, 2, durability, "user.created"]);
    ok(first.epoch !== null && first.epoch === second.epoch, "one epoch");
    ok(first.id.startsWith("evt_") && first.id < second.id, "ids sort");
    ok(!Number.isNaN(Date.parse(first.timestamp)) && first.timestamp.endsWith("Z"), "RFC 3339 in UTC");
  });

  inHome("[P1] an event is delivered as it was published, with the router's stamps", async ({ connect }) => {
    const publisher = connect({ name: "order_service" });
    const subscriber = connect();
    const got = collector();
    await subscriber.subscribe("order.*", got.handler);
    const payload = { orderId: 456, total: 99.99, note: "zwölf – 12 \u{1f600} \u2028 \"\\\n", nested: [{ a: null }, [], {}, true] };
    const receipt = await publisher.publish("order.placed", payload, { target: undefined, priority: 8, correlationId: "req-789", headers: { trace: "abc" } });
    const [event] = await got.count(1);
    equal(event, {
      id: receipt.id, type: "order.placed", payload, seq: 1, epoch: receipt.epoch, timestamp: receipt.timestamp, priority: 8,
      source: "order_service", correlationId: "req-789", headers: { trace: "abc" },
    });
  });

  inHome("[P3] the events of one publisher keep their order, whatever way they are published", async ({ connect }) => {
    const client = connect();
    const got = collector();
    await client.subscribe("n", got.handler);
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 300; i += 3) {
      all.push(client.publish("n", i));
      all.push(client.publishBatch([["n", i + 1]]));
      client.publishNowait("n", i + 2);
    }
    await Promise.all(all);
    const events = await got.count(300);
    equal(events.map(({ payload }) => payload), Array.from({ length: 300 }, (_, i) => i));
    equal(got.seqs(), Array.from({ length: 300 }, (_, i) => i + 1));
  });

  inHome("[P4] the same id is stored once; another body under it is refused", async ({ connect }) => {
    const [one, other] = [connect(), connect()];
    const first = await one.publish("a", { x: 1 }, { id: "order-7" });
    const again = await other.publish("a", { x: 1 }, { id: "order-7" });
    equal([first.status, again.status, again.seq, again.id], ["published", "duplicate", first.seq, "order-7"]);
    const error = await failure(one.publish("a", { x: 2 }, { id: "order-7" }));
    equal([error.name, error.code], ["ConflictError", "ERR_ID_CONFLICT"]);
    const next = await one.publish("a", {});
    equal(next.seq, 2);
  });

  inHome("[P4] an event that was received can be published again: it is the same one", async ({ connect }) => {
    const client = connect({ name: "svc" });
    const got = collector();
    await client.subscribe("a", got.handler);
    const first = await client.publish("a", { x: 1 });
    const [event] = await got.count(1);
    const again = await connect().publish(event!);
    equal([again.status, again.seq], ["duplicate", first.seq]);
  });

  inHome("[P5] a batch is kept in order and gets consecutive seqs", async ({ connect }) => {
    const client = connect();
    const receipts = await client.publishBatch([["user.created", { id: 1 }], ["user.created", { id: 2 }], ["user.created", { id: 3 }]]);
    equal(receipts.map(({ seq }) => seq), [1, 2, 3]);
    const more = await client.publishEvents([{ type: "high.priority", payload: {}, priority: 9 }, { type: "low.priority", payload: {}, priority: 2 }]);
    equal(more.map(({ seq, type }) => [seq, type]), [[4, "high.priority"], [5, "low.priority"]]);
    equal(await client.publishBatch([]), []);
  });

  inHome("[P5] a transaction is whole: none of it is seen when it throws or one event is refused", async ({ connect }) => {
    const client = connect();
    const got = collector();
    await client.subscribe("**", got.handler);
    const thrown = new Error("changed my mind");
    const error = await failure(client.transaction(async (tx) => {
      await tx.publish("order.created", {});
      throw thrown;
    }));
    ok(error === thrown, "what was thrown is rethrown");
    await client.publish("used.id", {}, { id: "taken" });
    const conflict = await failure(client.transaction(async (tx) => {
      await tx.publish("order.created", {});
      await tx.publish("used.id", { other: true }, { id: "taken" });
    }));
    equal(conflict.code, "ERR_ID_CONFLICT");
    await client.transaction(async (tx) => {
      await tx.publish("order.created", { n: 1 });
      await tx.publish("inventory.reserved", { n: 2 });
      await tx.publish("payment.initiated", { n: 3 });
    });
    const events = await got.count(4);
    equal(events.map(({ type, seq }) => [type, seq]), [["used.id", 1], ["order.created", 2], ["inventory.reserved", 3], ["payment.initiated", 4]]);
  });

  inHome("ephemeral events reach live subscribers and are not in the log", async ({ connect }) => {
    const client = connect();
    const live = collector();
    await client.subscribe("cursor.*", live.handler);
    const receipt = await client.publish("cursor.moved", { x: 1 }, { ephemeral: true });
    equal([receipt.seq, receipt.durability], [0, "none"]);
    await client.publish("cursor.stored", {});
    const [moved, stored] = await live.count(2);
    equal([moved!.seq, stored!.seq], [0, 1]);
    const late = collector();
    await client.subscribe("cursor.*", { from: "start" }, late.handler);
    await late.count(1);
    equal(late.seqs(), [1]);
  });

  inHome("[P1] what the router refuses is told with its reason, and nothing of it is kept", async ({ connect }) => {
    const client = connect();
    const tooLarge = await failure(client.publish("big", "x".repeat(300 * 1024)));
    equal([tooLarge.name, tooLarge.code], ["ValidationError", "ERR_PAYLOAD_TOO_LARGE"]);
    equal((await client.publish("small", {})).seq, 1);
  });
}

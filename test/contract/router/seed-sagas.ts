import type { SagaClass, SagaInstance, SagaScope } from "../../../src/patterns/saga-options.ts";
import type { PatternClient } from "../../../src/pattern-client.ts";
import { equal, failure } from "../check.ts";
import { collector } from "./kit.ts";
import { orderSaga, ProcessOrderSaga, workers } from "./order-saga.ts";
import type { Case } from "./router-contract.ts";

const brief = (instance: SagaInstance | undefined) => instance && [instance.key, instance.status, instance.steps.map(({ step, compensated }) => (compensated === true ? `-${step}` : step)), instance.reason];

/** Resolves when so many instances have ended. */
async function ended(client: PatternClient, name: string, number: number): Promise<void> {
  const got = collector();
  await client.subscribe(["completed", "compensated", "failed"].map((what) => `saga.${name}.${what}`), { from: "start" }, got.handler);
  await got.count(number);
}

/** The example of the original design under "Saga Pattern", and what it promises. */
export function seedSagas(inHome: Case): void {
  for (const [form, saga] of [["a definition", orderSaga], ["a class", ProcessOrderSaga as SagaClass]] as const) {
    inHome(`seed: the order saga as ${form}: completed, or compensated newest first`, async ({ connect }) => {
      const [client, shop] = [connect(), connect()];
      const got = collector();
      await shop.subscribe(["inventory.*", "payment.*", "shipping.*", "order.cancel"], got.handler);
      await workers(shop);
      await client.saga("process_order", saga).ready;
      await shop.publish("order.created", { id: "good", items: ["book"], total: 9 });
      await shop.publish("order.created", { id: "dear", items: ["yacht"], total: 1_001 });
      await shop.publish("order.created", { id: "none", items: ["gone"], total: 9 });
      await ended(client, "process_order", 3);
      await got.count(5 + 7 + 4);
      const of = (order: string) => got.events.filter(({ payload }) => (payload as { order_id: string }).order_id === order).map(({ type }) => type);
      equal(of("good"), ["inventory.reserve", "inventory.reserved", "payment.process", "payment.completed", "shipping.create"]);
      equal(of("dear"), ["inventory.reserve", "inventory.reserved", "payment.process", "payment.failed", "order.cancel", "payment.refund", "inventory.release"]);
      equal(of("none"), ["inventory.reserve", "inventory.failed", "order.cancel", "inventory.release"]);
      const sagas = client.sagas("process_order");
      equal(brief(await sagas.get("good")), ["good", "completed", ["order.created", "inventory.reserved", "payment.completed"], undefined]);
      equal(brief(await sagas.get("dear")), ["dear", "compensated", ["-order.created", "-inventory.reserved", "inventory.failed payment.failed"], "card declined"]);
      equal([(await sagas.get("good"))?.state, await sagas.get("other")], [{ total: 9 }, undefined]);
      equal((await sagas.list({ status: "compensated" })).map(brief).map((one) => one![0]).sort(), ["dear", "none"]);
      equal((await sagas.list()).length, 3);
    });
  }

  inHome("a saga's events come twice, and late: it steps once, and what has ended stays as it is", async ({ connect }) => {
    const [client, shop] = [connect(), connect()];
    await client.saga("process_order", orderSaga).ready;
    await shop.publish("order.created", { id: "o", items: [], total: 1 });
    await shop.publish("order.created", { id: "o", items: [], total: 2 });
    for (let i = 0; i < 2; i++) await shop.publish("inventory.reserved", { order_id: "o" });
    for (let i = 0; i < 2; i++) await shop.publish("payment.completed", { order_id: "o" });
    await ended(client, "process_order", 1);
    await shop.publish("payment.failed", { order_id: "o", error: "too late" });
    await shop.publish("order.created", { id: "last", items: [], total: 1 });
    await shop.publish("inventory.failed", { order_id: "last" });
    await ended(client, "process_order", 2);
    equal(brief(await client.sagas("process_order").get("o")), ["o", "completed", ["order.created", "inventory.reserved", "payment.completed"], undefined]);
    equal((await client.sagas("process_order").get("o"))!.state, { total: 1 });
    const got = collector();
    await shop.subscribe(["inventory.reserve", "payment.*", "shipping.create", "end"], { from: "start" }, got.handler);
    await shop.publish("end", { order_id: "o" });
    await got.count(8);
    const caused = got.events.filter(({ type, payload }) => type !== "payment.completed" && type !== "payment.failed" && (payload as { order_id: string }).order_id === "o");
    equal(caused.map(({ type }) => type), ["inventory.reserve", "payment.process", "shipping.create", "end"]);
  });

  inHome("a step that fails for good is compensated; a compensation that does is failed, and told", async ({ connect }) => {
    const client = connect();
    const errors: unknown[] = [];
    client.onError((error) => errors.push(error));
    let tries = 0;
    await client.saga("flaky", {
      retry: { maxRetries: 2, delay: 1 },
      correlate: (event) => event.payload.id as string,
      steps: {
        "a": { start: true, run: (_, saga) => saga.publish("did.a"), compensate: (saga) => saga.publish("undid.a") },
        "b": { run: (event) => {
          tries++;
          if (event.payload.fails === true) throw new Error("b cannot");
        }, compensate: () => { throw new Error("nor can it be undone"); } },
        "c": (_, saga) => saga.publish("not a type"),
      },
    }).ready;
    await client.publishBatch([["a", { id: 1 }], ["b", { id: 1, fails: true }], ["a", { id: 2 }], ["b", { id: 2 }], ["c", { id: 2 }]]);
    await ended(client, "flaky", 2);
    const sagas = client.sagas("flaky");
    equal(brief(await sagas.get(1)), ["1", "compensated", ["-a"], "b cannot"]);
    equal(brief(await sagas.get(2)), ["2", "failed", ["a", "b"], "nor can it be undone"]);
    equal([tries, errors.map((error) => (error as Error).message)], [4, ["nor can it be undone"]]);
  });

  inHome("an instance that takes too long is compensated", async ({ connect }) => {
    const client = connect();
    // On a busy machine even the quick one may take too long; then both are given more time.
    for (let timeout = 30; ; timeout *= 2) {
      const name = `within-${timeout}`;
      const running = client.saga(name, {
        correlate: (event) => event.payload.id as string, timeout,
        steps: { "a": { start: true, run: () => {}, compensate: (saga) => saga.publish("undid.a", { id: saga.key }) }, "b": (_, saga) => saga.complete() },
      });
      await running.ready;
      await client.publishBatch([["a", { id: "quick" }], ["b", { id: "quick" }], ["a", { id: "slow" }]]);
      await ended(client, name, 2);
      const [quick, slow] = [await client.sagas(name).get("quick"), await client.sagas(name).get("slow")];
      await running.stop();
      equal(brief(slow), ["slow", "compensated", ["-a"], "timeout"]);
      if (quick!.reason === "timeout") continue;
      equal(brief(quick), ["quick", "completed", ["a", "b"], undefined]);
      break;
    }
  });

  inHome("a timeout survives the router's restart, and the process that set it", async (home) => {
    const saga = { correlate: (event: { payload: { id?: string } }) => event.payload.id, timeout: "300ms", steps: { "a": { start: true, run: () => {}, compensate: (scope: SagaScope) => scope.publish("undid.a") } } };
    const [first, second] = [home.connect(), home.connect()];
    const running = first.saga("slow", saga);
    await running.ready;
    const started = collector();
    await second.subscribe("saga.slow.stepped", started.handler);
    await second.publish("a", { id: "o" });
    await started.count(1);
    await running.stop();
    await home.restart?.();
    await second.saga("slow", saga).ready;
    await ended(second, "slow", 1);
    equal(brief(await second.sagas("slow").get("o")), ["o", "compensated", ["-a"], "timeout"]);
  });

  inHome("keys may be any text, and steps may repeat", async ({ connect }) => {
    const client = connect();
    const keys = ["plain", "with spaces / and ünïcode", "x".repeat(300), ":", "1"];
    await client.saga("any", {
      correlate: (event) => event.payload.key as string, state: { n: 0 },
      steps: {
        begin: { start: true, run: () => {} },
        more: { repeat: true, run: (_, saga) => { saga.state.n++; } },
        end: (_, saga) => saga.complete(),
      },
    }).ready;
    await client.publishEvents(keys.flatMap((key) => ["begin", "more", "more", "end"].map((type) => ({ type, payload: { key } }))));
    await ended(client, "any", keys.length);
    for (const key of keys) equal([(await client.sagas("any").get(key))?.status, (await client.sagas("any").get(key))?.state], ["completed", { n: 2 }]);
  });

  inHome("processes share a saga's instances, and go on with those of one that hangs", async ({ connect }) => {
    const shop = connect();
    const [one, two] = [connect(), connect()];
    const [first, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await one.saga("process_order", { ...orderSaga, ackTimeout: 200, steps: { ...orderSaga.steps, "order.created": { start: true, run: () => {
      first.resolve();
      return new Promise<void>((resolve) => {
        void released.promise.then(resolve);
      });
    } } } }).ready;
    await shop.publish("order.created", { id: "o", items: [], total: 1 });
    await first.promise;
    await workers(shop);
    await two.saga("process_order", { ...orderSaga, ackTimeout: 200 }).ready;
    await ended(two, "process_order", 1);
    // What wakes up at last finds that the instance has gone on without it.
    released.resolve();
    equal(brief(await two.sagas("process_order").get("o")), ["o", "completed", ["order.created", "inventory.reserved", "payment.completed"], undefined]);
  });

  inHome("definitions that make no sense reach who waits for them", async ({ connect }) => {
    const client = connect();
    const wrong = async (name: string, saga: object) => (await failure(client.saga(name, saga as never).ready)).message;
    const messages = [await wrong("no spaces", orderSaga), await wrong("s", { steps: {} }), await wrong("s", { steps: { "a.": { start: true, run: () => {} } } }), await wrong("s", { steps: { a: { start: true } } }), await wrong("s", { steps: orderSaga.steps, stepps: 1 }), await wrong("s", class { static steps = { a: "b" }; })];
    equal(messages.map((message) => message.slice(0, 24)), ["name of a saga must be 1", "steps has no step with s", 'steps: "a." is not a pat', 'steps["a"].run must be a', "stepps is no option of s", 'steps of  names the meth']);
  });
}

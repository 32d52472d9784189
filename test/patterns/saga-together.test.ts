import { expect, test } from "vitest";
import { Router } from "../../src/core/router.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { PatternClient } from "../../src/pattern-client.ts";
import type { SagaDefinition, SagaScope } from "../../src/patterns/saga-options.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { collector } from "../contract/router/kit.ts";

/** A router, and processes of an application. */
function scene() {
  const router: Router = new Router({ store: memoryStore({ randomBytes }), surroundings: serverSurroundings(() => router.tick()) });
  const clients: PatternClient[] = [];
  return {
    connect() {
      const client = new PatternClient({ makeLink: () => inProcessLink(router), clock, random: Math.random, randomBytes });
      clients.push(client);
      return client;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await router.close();
    },
  };
}

test("[P5] two processes take steps of one instance at the same time: neither undoes what the other has recorded, and each step has its effect once", async () => {
  const { connect, close } = scene();
  const [one, two, shop] = [connect(), connect(), connect()];
  let begun = 0;
  const met = Promise.withResolvers<void>();
  const step = (name: string) => async (_event: unknown, saga: SagaScope): Promise<void> => {
    // Each has seen the instance before the other has changed it.
    if (++begun === 2) met.resolve();
    await met.promise;
    saga.state[name] = true;
    await saga.publish(`did.${name}`);
  };
  const saga: SagaDefinition = { concurrency: 1, correlate: ({ payload }) => payload.id as string, steps: { begin: { start: true, run: () => {} }, a: step("a"), b: step("b") } };
  await Promise.all([one.saga("together", saga).ready, two.saga("together", saga).ready]);
  const [steps, effects] = [collector(), collector()];
  await shop.subscribe("saga.together.stepped", steps.handler);
  await shop.subscribe("did.*", effects.handler);
  await shop.publish("begin", { id: "x" });
  await steps.count(1);
  await shop.publishBatch([["a", { id: "x" }], ["b", { id: "x" }]]);
  await steps.count(3);
  await effects.count(2);
  const instance = (await shop.sagas("together").get("x"))!;
  expect([instance.steps.map((done) => done.step).sort(), instance.state]).toEqual([["a", "b", "begin"], { a: true, b: true }]);
  expect(effects.events.map(({ type }) => type).sort()).toEqual(["did.a", "did.b"]);
  await close();
});

test("[P5] a step that is broken off because its process stops has not failed: another process takes it", async () => {
  const { connect, close } = scene();
  const [one, two, shop] = [connect(), connect(), connect()];
  const begun = Promise.withResolvers<void>();
  const saga = (run: (event: unknown, saga: SagaScope) => unknown): SagaDefinition => ({
    retry: { maxRetries: 0 }, correlate: ({ payload }) => payload.id as string, steps: { begin: { start: true, run: () => {} }, a: run },
  });
  const running = one.saga("broken-off", saga((_, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
    begun.resolve();
  })));
  await running.ready;
  const ended = collector();
  await shop.subscribe(["saga.broken-off.completed", "saga.broken-off.compensated"], ended.handler);
  await shop.publishBatch([["begin", { id: "x" }], ["a", { id: "x" }]]);
  await begun.promise;
  const stopped = running.stop();
  await two.saga("broken-off", saga((_, instance) => instance.complete())).ready;
  expect((await ended.count(1)).map(({ type }) => type)).toEqual(["saga.broken-off.completed"]);
  await stopped;
  await close();
});

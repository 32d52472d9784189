import { ConnectionError, PublishError, TimeoutError } from "../../../src/core/errors.ts";
import { ManagementAgent } from "../../../src/patterns/management-agent.ts";
import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

class ApiError extends Error { override name = "ApiError"; }

/** The examples of the original design under "Error Handling" and "Circuit Breaker". */
export function seedFailures(inHome: Case): void {
  inHome("seed: client errors are told apart by class", async ({ connect }) => {
    const client = connect();
    await client.publish("test", {});
    await client.close();
    const error = await failure(client.publish("test", {}));
    ok(error instanceof ConnectionError && !(error instanceof PublishError) && !(error instanceof TimeoutError), "a closed client's error is a ConnectionError");
  });

  inHome("seed: an event whose handler fails is tried again, in order", async ({ connect }) => {
    const client = connect();
    const tries: [id: number, attempt: number][] = [];
    const done = Promise.withResolvers<void>();
    await client.on("user.created", client.errorHandler({ maxRetries: 3, backoff: "exponential", delay: 1 })(async (event, context) => {
      const { id } = event.payload as { id: number };
      tries.push([id, context.attempt]);
      if (id === 1 && context.attempt < 4) throw new Error("risky operation failed");
      if (id === 2) done.resolve();
    })).ready;
    await client.publishBatch([["user.created", { id: 1 }], ["user.created", { id: 2 }]]);
    await done.promise;
    equal(tries, [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1]]);
  });

  inHome("[P6] seed: an event that fails for good goes to the dead letter queue, and again to its handler when somebody says so", async ({ connect }) => {
    const [client, worker] = [connect(), connect({ name: "worker" })];
    const manager = new ManagementAgent(client);
    let broken = true;
    const handled = collector();
    await worker.on("user.created", worker.errorHandler({ maxRetries: 3, backoff: "exponential", delay: 1, deadLetterQueue: true })(async (event) => {
      if (broken && (event.payload as { id: number }).id === 1) throw new ApiError("risky operation failed");
      handled.handler(event);
    })).ready;
    await client.publishBatch([["user.created", { id: 1 }], ["user.created", { id: 2 }]]);
    // The next goes on when the dead letter is durable.
    await handled.count(1);
    const dlq = await manager.getDeadLetterQueue();
    equal(dlq.map(({ payload, lastError, attempts, subscription }) => [payload, lastError, attempts, subscription]), [[{ id: 1 }, "risky operation failed", 4, "client:worker:user.created"]]);
    broken = false;
    await manager.retryFailedEvents({ eventIds: dlq.map(({ id }) => id) });
    equal((await handled.count(2)).map(({ payload }) => payload), [{ id: 2 }, { id: 1 }]);
  });

  inHome("[P6] in a group errorHandler tries in place, and what it gives up is a dead letter, once", async ({ connect }) => {
    const client = connect();
    const handled = collector();
    let tries = 0;
    await client.on("n", { group: "g" }, client.errorHandler({ maxRetries: 2, delay: 1, deadLetterQueue: true })((event) => {
      if (event.payload === 1 && ++tries > 0) throw new ApiError("no");
      handled.handler(event);
    })).ready;
    await client.publishBatch([["n", 1], ["n", 2]]);
    await handled.count(1);
    equal((await new ManagementAgent(client).getDeadLetterQueue()).map(({ payload, attempts, subscription }) => [payload, attempts, subscription]), [[1, 3, "group:g"]]);
    equal(tries, 3);
  });

  inHome("seed: the global error handler gets what no one else handled", async ({ connect }) => {
    const client = connect();
    const told = Promise.withResolvers<[unknown, string | undefined]>();
    client.onError((error, event) => told.resolve([error, event?.type]));
    await client.on("user.created", client.errorHandler({ maxRetries: 1, delay: 1 })(async () => { throw new ApiError("always"); })).ready;
    await client.publish("user.created", { id: 1 });
    const [error, type] = await told.promise;
    equal([(error as Error).message, type], ["always", "user.created"]);
  });

  inHome("seed: circuit breaker: what comes while it is open is handled later, not lost", async ({ connect }) => {
    const client = connect();
    client.onError(() => {});
    const answered = collector();
    let calls = 0;
    await client.on("external.api.call", client.circuitBreaker({ failureThreshold: 5, recoveryTimeout: 5, expectedException: ApiError })(async (event) => {
      if (++calls <= 6) throw new ApiError("503");
      answered.handler(event);
    })).ready;
    await client.publishBatch(Array.from({ length: 10 }, (_, i) => ["external.api.call", i] as const));
    await answered.count(4);
    // Five opened it, the sixth was the first that tried; the rest waited.
    equal(answered.events.map(({ payload }) => payload), [6, 7, 8, 9]);
  });

  inHome("a request is tried again before its error reaches the requester", async ({ connect }) => {
    const [asker, responder] = [connect(), connect()];
    let tries = 0;
    await responder.respond("flaky", responder.errorHandler({ maxRetries: 2, delay: 1 })(() => {
      if (++tries < 3) throw new ApiError("not yet");
      return { tries };
    })).ready;
    equal((await asker.request("flaky", {})).payload, { tries: 3 });
    tries = -9;
    equal((await failure(asker.request("flaky", {}))).message, "not yet");
  });
}

import type { Client } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import { standing, type Standing } from "../client/standing.ts";
import type { SagaClass, SagaDefinition } from "./saga-options.ts";

/**
 * A saga that runs in this process. `ready` resolves when it gets events, or rejects with why it cannot; after `stop()` no more come to it, and a step that
 * runs is finished, or done again by another process.
 */
export type RunningSaga = Standing<{ readonly name: string }>;

/** Its code may still be on its way. What is wrong with its definition reaches `onError`, and who asks for `ready`. */
export function startSaga(client: Client, tools: Tools, name: string, saga: SagaDefinition<never> | SagaClass): RunningSaga {
  return standing({ name }, import("./run-saga.ts").then(({ runSaga }) => {
    const { subscription, stop } = runSaga(client, tools, name, saga);
    return { ready: subscription.ready, stop };
  }), tools.report);
}

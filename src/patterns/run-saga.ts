import type { Client } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import type { Subscription } from "../client/subscription.ts";
import type { SagaClass, SagaDefinition } from "./saga-options.ts";
import { planOf } from "./saga-plan.ts";
import { SagaRunner } from "./saga-runner.ts";

/** How the group tries an event again that could not be worked on: for some minutes, and then it is a dead letter, to be tried again by hand. */
const GROUP_RETRY = { maxRetries: 20, backoff: "exponential", delay: 100, maxDelay: 30_000 } as const;

/** A saga that runs in this process; all processes that run it share its events. @throws ValidationError for a definition that makes no sense. */
export function runSaga(client: Client, tools: Tools, name: string, saga: SagaDefinition<never> | SagaClass): { readonly subscription: Subscription; stop(): Promise<void> } {
  const plan = planOf(name, saga);
  const runner = new SagaRunner(client, tools, plan);
  const { topics, concurrency, ackTimeout, from } = plan;
  const subscription = client.on(topics, { group: `saga:${name}`, concurrency, ackTimeout, retry: GROUP_RETRY, ...(from !== undefined && { from }) }, runner.handle);
  return {
    subscription,
    async stop() {
      await subscription.unsubscribe();
      await runner.idle();
    },
  };
}

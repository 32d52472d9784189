import type { Client } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import { asyncDispose } from "../core/dispose.ts";
import type { SagaClass, SagaDefinition } from "./saga-options.ts";

/** A saga that runs in this process. */
export interface RunningSaga {
  readonly name: string;
  /** Resolves when it gets events. @throws why it cannot. */
  readonly ready: Promise<RunningSaga>;
  /** No more events come to it; a step that runs is finished, or done again by another process. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Its code may still be on its way. What is wrong with its definition reaches `onError`, and who asks for `ready`. */
export function startSaga(client: Client, tools: Tools, name: string, saga: SagaDefinition<never> | SagaClass): RunningSaga {
  const running = import("./run-saga.ts").then(({ runSaga }) => runSaga(client, tools, name, saga));
  let asked = false;
  const ready = running.then(async ({ subscription }) => {
    await subscription.ready;
    return handle;
  });
  ready.catch((error: unknown) => { if (!asked) tools.report(error); });
  const stop = (): Promise<void> => running.then((one) => one.stop(), () => {});
  const handle: RunningSaga = {
    name,
    get ready() {
      asked = true;
      return ready;
    },
    stop,
    [asyncDispose]: stop,
  };
  return handle;
}

import type { Client, PublishOptions } from "../client/client.ts";
import type { Receipt } from "../client/receipt.ts";
import { asyncDispose } from "../core/dispose.ts";
import type { RouterEvent } from "../core/event.ts";
import { publishAndWait, type PublishAndWaitOptions } from "./publish-and-wait.ts";

/** The events of one run of a workflow. Leaving its block ends what still waits in it. */
export class WorkflowContext {
  readonly workflowId: string;
  readonly #client: Client;
  readonly #source: string;
  readonly #left = new AbortController();

  /** @internal */
  constructor(client: Client, workflowId: string, source: string) {
    this.#client = client;
    this.workflowId = workflowId;
    this.#source = source;
  }

  /** Publishes with the workflow's id as correlation id. */
  publish(type: string, payload?: unknown, options?: PublishOptions): Promise<Receipt> {
    return this.#client.publish(type, payload, { source: this.#source, correlationId: this.workflowId, ...options });
  }

  /** Publishes, and resolves with the event that answers: it has one of the types of `waitFor`, and the same correlation id, which is made for this. @throws TimeoutError */
  publishAndWait<P = unknown>(type: string, payload: unknown, options: PublishAndWaitOptions): Promise<RouterEvent<P>> {
    const signal = options.signal === undefined ? this.#left.signal : AbortSignal.any([options.signal, this.#left.signal]);
    return publishAndWait<P>(this.#client, type, payload, { source: this.#source, ...options, signal });
  }

  async [asyncDispose](): Promise<void> {
    this.#left.abort();
  }
}

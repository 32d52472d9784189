import type { SagaPublishOptions, SagaScope, SagaState } from "./saga-options.ts";

/**
 * What the classes of sagas extend; a fresh object for each try of a step, so what must last belongs into `state`.
 * @example
 * class ProcessOrder extends Saga {
 *   static steps = { "order.created": "start", "payment.failed": "undo" };
 *   static correlate = (event) => event.payload.order_id ?? event.payload.id;
 *   async start(event) { await this.publish("payment.process", { order_id: this.key }); }
 *   undo() { this.compensate(); }
 * }
 * client.saga("process_order", ProcessOrder);
 */
export class Saga<State = SagaState> implements SagaScope<State> {
  readonly #scope: SagaScope<State>;

  constructor(scope: SagaScope<State>) {
    this.#scope = scope;
  }

  get name(): string { return this.#scope.name; }
  get key(): string { return this.#scope.key; }
  get signal(): AbortSignal { return this.#scope.signal; }
  get state(): State { return this.#scope.state; }
  set state(state: State) { this.#scope.state = state; }

  publish(type: string, payload?: unknown, options?: SagaPublishOptions): Promise<void> { return this.#scope.publish(type, payload, options); }
  complete(): void { this.#scope.complete(); }
  compensate(reason?: string): void { this.#scope.compensate(reason); }
}

import { Saga } from "../../../src/patterns/saga.ts";
import type { SagaDefinition, SagaEvent } from "../../../src/patterns/saga-options.ts";
import type { PatternClient } from "../../../src/pattern-client.ts";
import type { Subscription } from "../../../src/client/subscription.ts";

export const correlate = (event: SagaEvent): string | undefined => (event.payload as { order_id?: string; id?: string }).order_id ?? (event.payload as { id?: string }).id;

/** The saga of the original design, as a definition. */
export const orderSaga: SagaDefinition<{ total?: number }> = {
  correlate,
  steps: {
    "order.created": {
      start: true,
      run: async (event, saga) => {
        saga.state.total = event.payload.total as number;
        await saga.publish("inventory.reserve", { order_id: saga.key, items: event.payload.items });
      },
      compensate: async (saga) => saga.publish("inventory.release", { order_id: saga.key }),
    },
    "inventory.reserved": {
      run: async (_, saga) => saga.publish("payment.process", { order_id: saga.key, amount: saga.state.total }),
      compensate: async (saga) => saga.publish("payment.refund", { order_id: saga.key }),
    },
    "payment.completed": async (_, saga) => {
      await saga.publish("shipping.create", { order_id: saga.key });
      saga.complete();
    },
    "inventory.failed payment.failed": async (event, saga) => {
      await saga.publish("order.cancel", { order_id: saga.key, reason: event.payload.error });
      saga.compensate(event.payload.error as string);
    },
  },
};

/** The same as a class. */
export class ProcessOrderSaga extends Saga<{ total?: number }> {
  static readonly correlate = correlate;
  static readonly steps = {
    "order.created": { method: "start", compensate: "releaseInventory" },
    "inventory.reserved": { method: "inventoryReserved", compensate: "refund" },
    "payment.completed": "paymentCompleted",
    "inventory.failed payment.failed": "handleFailure",
  };

  async start(event: SagaEvent): Promise<void> {
    this.state.total = event.payload.total as number;
    // Reserve inventory
    await this.publish("inventory.reserve", { order_id: this.key, items: event.payload.items });
  }

  async inventoryReserved(): Promise<void> {
    // Process payment
    await this.publish("payment.process", { order_id: this.key, amount: this.state.total });
  }

  async paymentCompleted(): Promise<void> {
    // Ship order
    await this.publish("shipping.create", { order_id: this.key });
    this.complete(); // Saga done
  }

  async handleFailure(event: SagaEvent): Promise<void> {
    // Compensate
    await this.publish("order.cancel", { order_id: this.key, reason: event.payload.error });
    this.compensate(event.payload.error as string); // Run compensation
  }

  async releaseInventory(): Promise<void> { await this.publish("inventory.release", { order_id: this.key }); }
  async refund(): Promise<void> { await this.publish("payment.refund", { order_id: this.key }); }
}

/**
 * Inventory and payment. Each answers a command with an event whose id is made of the command's, so that doing it again after a crash is no news.
 * Items named "gone" cannot be had, and more than 1,000 cannot be paid.
 */
export async function workers(client: PatternClient): Promise<readonly Subscription[]> {
  const answer = (command: string, outcome: (payload: { order_id: string; items?: readonly string[]; amount?: number }) => readonly [type: string, more: object]): Promise<Subscription> =>
    client.subscribe(command, { group: `workers:${command}`, from: "start" }, async (event) => {
      const payload = event.payload as { order_id: string };
      const [type, more] = outcome(payload);
      await client.publish(type, { order_id: payload.order_id, ...more }, { id: `${event.id}.a` });
    });
  return Promise.all([
    answer("inventory.reserve", ({ items = [] }) => (items.includes("gone") ? ["inventory.failed", { error: "out of stock" }] : ["inventory.reserved", {}])),
    answer("payment.process", ({ amount = 0 }) => (amount > 1_000 ? ["payment.failed", { error: "card declined" }] : ["payment.completed", {}])),
  ]);
}

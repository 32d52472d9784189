import { Saga, type SagaEvent } from "../../src/index.ts";

/** What it takes to fulfil an order: reserve, pay, ship; or else give everything back. */
export class ProcessOrder extends Saga<{ items: readonly string[]; total: number }> {
  static readonly correlate = (event: SagaEvent): string | undefined => (event.payload as { order_id?: string; id?: string }).order_id ?? (event.payload as { id?: string }).id;
  static readonly timeout = "10m";
  static readonly steps = {
    "order.created": { method: "start", compensate: "releaseInventory" },
    "inventory.reserved": { method: "pay", compensate: "refund" },
    "payment.completed": "ship",
    "inventory.failed payment.failed": "cancel",
  };

  async start({ payload: { items, total } }: SagaEvent): Promise<void> {
    this.state = { items, total };
    await this.publish("inventory.reserve", { order_id: this.key, items });
  }

  async pay(): Promise<void> {
    await this.publish("payment.process", { order_id: this.key, amount: this.state.total });
  }

  async ship(): Promise<void> {
    await this.publish("shipping.create", { order_id: this.key });
    this.complete();
  }

  async cancel({ payload: { error } }: SagaEvent): Promise<void> {
    await this.publish("order.cancel", { order_id: this.key, reason: error });
    this.compensate(error);
  }

  async releaseInventory(): Promise<void> {
    await this.publish("inventory.release", { order_id: this.key, items: this.state.items });
  }

  async refund(): Promise<void> {
    await this.publish("payment.refund", { order_id: this.key });
  }
}

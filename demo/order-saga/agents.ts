import { EventEnabledAgent, type RouterEvent } from "../../src/index.ts";

interface Command { readonly order_id: string; readonly items: readonly string[]; readonly amount: number }

/** Does what a command says, once: its answer's id is made of the command's, so doing it again after a crash is no news. */
class Clerk extends EventEnabledAgent {
  protected async answer(command: RouterEvent<Command>, type: string, payload: object = {}): Promise<void> {
    await this.reply(command, type, { order_id: command.payload.order_id, ...payload }, { id: `${command.id}.answer` });
  }
}

/** Has everything but unicorns. */
export class InventoryAgent extends Clerk {
  static override readonly handlers = { "inventory.reserve": { method: "reserve", group: "inventory", from: "start" } } as const;

  async reserve(command: RouterEvent<Command>): Promise<void> {
    if (command.payload.items.includes("unicorn")) await this.answer(command, "inventory.failed", { error: "out of stock" });
    else await this.answer(command, "inventory.reserved");
  }
}

/** Cards are good for 1,000. */
export class PaymentAgent extends Clerk {
  static override readonly handlers = { "payment.process": { method: "charge", group: "payment", from: "start" } } as const;

  async charge(command: RouterEvent<Command>): Promise<void> {
    if (command.payload.amount > 1_000) await this.answer(command, "payment.failed", { error: "card declined" });
    else await this.answer(command, "payment.completed");
  }
}

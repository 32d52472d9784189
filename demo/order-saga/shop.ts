// A process of the shop: its part of the saga, and its two clerks. Start as many as you like; each takes over from one that dies.
import { EventRouterClient } from "../../src/index.ts";
import { InventoryAgent, PaymentAgent } from "./agents.ts";
import { ProcessOrder } from "./process-order.ts";

const name = `shop-${process.pid}`;
const client = new EventRouterClient({ name });
await Promise.all([
  client.saga("process_order", ProcessOrder).ready,
  new InventoryAgent(client, { id: `inventory-${name}`, capabilities: ["inventory"] }).start(),
  new PaymentAgent(client, { id: `payment-${name}`, capabilities: ["payment"] }).start(),
]);
console.log("ready");
process.once("SIGTERM", () => void client.close().then(() => process.exit(0)));

// The order saga from end to end: `npm run demo:order-saga [number of orders]`.
// Starts a router with the command line, on a file; two processes that work; places orders; kills one of the processes; and tells how the orders ended.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventRouterClient, type RouterEvent } from "../../src/index.ts";
import { Program } from "./program.ts";

const number = Number(process.argv[2] ?? 30);
if (!Number.isSafeInteger(number) || number < 1) throw new RangeError("say how many orders, 1 or more: npm run demo:order-saga 30");
const folder = await mkdtemp(join(tmpdir(), "order-saga-"));
const started = performance.now();
await using router = new Program("../../src/cli/main.ts", ["start", "--port", "0", "--store", `sqlite:${join(folder, "shop.db")}`, "--no-playground", "--json"]);
const { url } = JSON.parse(await router.line(/^\{/)) as { url: string };
await using first = new Program("./shop.ts", [], { EVENT_ROUTER_URL: url });
await using second = new Program("./shop.ts", [], { EVENT_ROUTER_URL: url });
await Promise.all([first.line(/ready/), second.line(/ready/)]);

{
  await using client = new EventRouterClient({ url, name: "till" });
  const events: RouterEvent[] = [];
  await client.subscribe(["shipping.create", "payment.refund", "inventory.release", "order.cancel"], (event) => void events.push(event));
  const ended = await client.subscribe(["saga.process_order.completed", "saga.process_order.compensated", "saga.process_order.failed"]);

  for (let i = 0; i < number; i++) {
    const order = i % 3 === 0 ? { items: ["book"], total: 9 } : i % 3 === 1 ? { items: ["yacht"], total: 1_000_000 } : { items: ["unicorn"], total: 9 };
    await client.publish("order.created", { id: `order-${i + 1}`, ...order });
  }
  const keys = new Set<string>();
  for await (const { payload } of ended) {
    keys.add((payload as { key: string }).key);
    // In the middle of the work, without a word.
    if (keys.size === Math.ceil(number / 10)) first.kill();
    if (keys.size === number) break;
  }

  const orders = await client.sagas("process_order").list();
  const count = (status: string): number => orders.filter((order) => order.status === status).length;
  const times = (type: string): number => events.filter((event) => event.type === type).length;
  // Effects are in the log no later than the ends of their orders; this comes behind them all.
  await client.publish("order.cancel", {});
  while (events.at(-1)?.source !== "till") await new Promise((resolve) => setTimeout(resolve, 1));
  console.log(`${orders.length} orders, one of two processes killed: ${count("completed")} completed, ${count("compensated")} compensated, ${count("failed") + count("running") + count("compensating")} otherwise`);
  console.log(`shipped ${times("shipping.create")}, refunded ${times("payment.refund")}, released ${times("inventory.release")}, cancelled ${times("order.cancel") - 1}; in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}
for (const program of [first, second, router]) await program[Symbol.asyncDispose]();
await rm(folder, { recursive: true, force: true });

import type { EventRouterClient, RunningSaga, Subscription } from "../../src/index.ts";

interface Order { readonly order: string; readonly total?: number }

/** An order that reserves and pays, with the clerks who answer. Cards are good for 1,000: a dearer order is taken back. */
export function exampleSaga(client: EventRouterClient): { readonly saga: RunningSaga; readonly clerks: Subscription[] } {
  const clerk = (command: string, answer: (order: Order) => string): Subscription =>
    client.on(command, { group: command.replaceAll(".", "-") }, async ({ id, payload }) => {
      await client.publish(answer(payload as Order), payload, { id: `${id}.answer` });
    });
  const clerks = [
    clerk("trial.inventory.reserve", () => "trial.inventory.reserved"),
    clerk("trial.payment.process", ({ total = 0 }) => (total > 1_000 ? "trial.payment.failed" : "trial.payment.completed")),
  ];
  const saga = client.saga<Record<string, number>>("playground_order", {
    correlate: ({ payload }) => (payload as Order).order,
    timeout: "10m",
    steps: {
      "trial.order.created": {
        start: true,
        run: async ({ payload }, saga) => {
          saga.state = { total: (payload as Order).total ?? 0 };
          await saga.publish("trial.inventory.reserve", payload);
        },
        compensate: async (saga) => saga.publish("trial.inventory.release", { order: saga.key }),
      },
      "trial.inventory.reserved": async (_, saga) => saga.publish("trial.payment.process", { order: saga.key, total: saga.state.total }),
      "trial.payment.completed": (_, saga) => saga.complete(),
      "trial.payment.failed": (_, saga) => saga.compensate("the card was declined"),
    },
  });
  return { saga, clerks };
}

import type { RunningSaga, SagaStatus, Subscription } from "../../src/index.ts";
import { describe } from "../activity.ts";
import { make } from "../dom.ts";
import { sagasProgram } from "../programs.ts";
import { button, card, empty, field, timeline } from "./parts.ts";
import { exampleSaga } from "./example-saga.ts";
import type { SetUpPanel } from "./panels.ts";

const tones: Readonly<Record<SagaStatus, string>> = { running: "now", completed: "good", compensating: "warn", compensated: "warn", failed: "bad" };

/** The instances of a saga, each with its steps. The example runs in this page. */
export const setUpSagas: SetUpPanel = (host, session, activity) => {
  const name = field("Saga", "playground_order");
  const body = make("div", "panel-body");
  let running: RunningSaga | undefined;
  let clerks: Subscription[] = [];

  const start = async (total: number): Promise<void> => {
    try {
      const { client } = session;
      if (client === undefined) throw new Error("not connected: press Connect at the top of the page");
      if (running === undefined) {
        const example = exampleSaga(client);
        running = example.saga;
        clerks = example.clerks;
        await Promise.all([running.ready, ...clerks.map(({ ready }) => ready)]);
      }
      name.input.value = "playground_order";
      await client.publish("trial.order.created", { order: `order-${crypto.randomUUID().slice(0, 4)}`, total });
      await draw();
    } catch (thrown) {
      activity.error(thrown, "running the example");
    }
  };
  const form = make("form", "actions-row grow", name.label, make("button", "", "Look"), button("Order that works", () => start(99), "primary"), button("Order that fails", () => start(5_000)));
  host.append(card("Sagas", "A process of several steps. When one fails for good, the finished ones are taken back, newest first. An instance lives in the log: another process goes on with it after a crash.", form, body));

  async function draw(): Promise<void> {
    const { client } = session;
    if (client === undefined) return body.replaceChildren(empty("Not connected.", "Press Connect at the top of the page."));
    try {
      const list = await client.sagas(name.input.value.trim()).list();
      if (list.length === 0) return body.replaceChildren(empty("No instance of this saga.", "“Order that works” runs one in this page; or name a saga that your program runs."));
      body.replaceChildren(make("ol", "cards", ...list.reverse().slice(0, 100).map(({ key, status, steps, reason }) => make("li", "letter",
        make("div", "letter-head", make("strong", "", key), make("span", `status ${tones[status]}`, status)),
        ...(reason === undefined ? [] : [make("p", "reason", reason)]),
        timeline(steps.map(({ step, compensated }) => ({ tone: compensated === true ? "warn" : "good", title: step, note: compensated === true ? "done, then taken back" : "done" })))))));
    } catch (thrown) {
      body.replaceChildren(empty("The saga cannot be looked at.", describe(thrown).message));
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void draw();
  });
  session.use(() => () => { running = undefined; clerks = []; });
  return { code: () => sagasProgram(session.reach, name.input.value.trim()), show: () => {
    void draw();
    const timer = setInterval(() => void draw(), 1_000);
    return () => clearInterval(timer);
  } };
};

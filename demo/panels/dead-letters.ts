import { ManagementAgent, type EventRouterClient, type Subscription } from "../../src/index.ts";
import { describe } from "../activity.ts";
import { make } from "../dom.ts";
import { clockTime } from "../format.ts";
import { jsonView } from "../json-view.ts";
import { deadLettersProgram } from "../programs.ts";
import { button, card, empty } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";

const GROUP = "playground-fragile";

/** What failed for good, why, and what to do with it. The example is a group in this page whose handler fails until it is repaired. */
export const setUpDeadLetters: SetUpPanel = (host, session, activity) => {
  const body = make("div", "panel-body");
  const actions = make("div", "actions-row");
  let broken = true;
  let worker: Subscription | undefined;

  const act = async (doing: string, work: (client: EventRouterClient) => Promise<unknown>): Promise<void> => {
    try {
      if (session.client === undefined) throw new Error("not connected: press Connect at the top of the page");
      await work(session.client);
    } catch (thrown) {
      activity.error(thrown, doing);
    }
    await draw();
  };
  const fail = button("Make one fail", () => act("making an event fail", async (client) => {
    worker ??= client.on("fragile.task", { group: GROUP, retry: { maxRetries: 0 } }, () => { if (broken) throw new Error("the warehouse does not answer"); });
    await worker.ready;
    await client.publish("fragile.task", { task: "pack", orderId: 456 });
  }), "primary");
  const repair = button("Repair the handler", () => {
    broken = !broken;
    repair.textContent = broken ? "Repair the handler" : "Break the handler";
    activity.info(broken ? "The example's handler fails again" : "The example's handler is repaired: retry what failed");
  });
  const retryAll = button("Retry all", () => act("retrying", async (client) => {
    const { failed } = await new ManagementAgent(client).retryFailedEvents({ all: true });
    for (const { error } of failed) activity.error(error, "retrying");
  }));
  actions.append(fail, repair, retryAll, button("Look again", () => draw()));
  host.append(card("Dead letters", "Events whose handler failed for good. Each stays until a retry succeeds or somebody discards it; a retry goes to the subscription that failed, and to no other.", actions, body));

  async function draw(): Promise<void> {
    const { client } = session;
    retryAll.disabled = true;
    if (client === undefined) return body.replaceChildren(empty("Not connected.", "Press Connect at the top of the page."));
    try {
      const manager = new ManagementAgent(client);
      const letters = await manager.getDeadLetterQueue({ limit: 200 });
      retryAll.disabled = letters.length === 0;
      if (letters.length === 0) return body.replaceChildren(empty("No dead letters.", "All that was published was handled. “Make one fail” shows what it looks like when it was not."));
      body.replaceChildren(make("ol", "cards", ...letters.map((letter) => {
        const { deadLetterId, lastError, lastErrorName, attempts, failedAt, subscription, retrying, ...event } = letter;
        const ids = { eventIds: [deadLetterId] };
        const details = make("details", "", make("summary", "", "The event"), jsonView(event));
        return make("li", "letter",
          make("div", "letter-head", make("strong", "", event.type), make("span", "note", `${subscription} · ${attempts === 1 ? "1 attempt" : `${attempts} attempts`} · ${clockTime(new Date(failedAt))}${retrying ? " · being retried" : ""}`)),
          make("p", "reason", make("code", "code", lastErrorName), " ", lastError), details,
          make("div", "actions-row",
            button("Retry", () => act("retrying", async () => { for (const { error } of (await manager.retryFailedEvents(ids)).failed) activity.error(error, "retrying"); }), "small"),
            button("Discard", () => act("discarding", () => manager.discardFailedEvents(ids)), "small")));
      })));
    } catch (thrown) {
      body.replaceChildren(empty("The router does not tell.", `${describe(thrown).message} Its answer needs the right “manage”.`));
    }
  }
  session.use(() => () => { worker = undefined; });
  return { code: () => deadLettersProgram(session.reach), show: () => {
    void draw();
    // What a person is reading, or has the focus on, is left as it is.
    const timer = setInterval(() => { if (!body.contains(document.activeElement) && body.querySelector("details[open]") === null) void draw(); }, 1_000);
    return () => clearInterval(timer);
  } };
};

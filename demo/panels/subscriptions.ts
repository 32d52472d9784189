import { ManagementAgent } from "../../src/index.ts";
import { describe } from "../activity.ts";
import { make } from "../dom.ts";
import { count } from "../format.ts";
import { subscriptionsProgram } from "../programs.ts";
import { card, empty, table } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";

/** Who reads, and how far behind. Asked anew each second while it is on show. */
export const setUpSubscriptions: SetUpPanel = (host, session) => {
  const figures = make("dl", "facts-row");
  const body = make("div", "panel-body");
  host.append(card("Subscriptions", "Who reads in this namespace, what, and how many events are still before them. A lag that grows is a reader that is too slow.", figures, body));
  let drawn = "";

  const draw = async (): Promise<void> => {
    const { client } = session;
    if (client === undefined) return body.replaceChildren(empty("Not connected.", "Press Connect at the top of the page."));
    try {
      const manager = new ManagementAgent(client);
      const [all, stats] = await Promise.all([manager.listSubscriptions(), manager.getStats()]);
      figures.replaceChildren(...([["Connections", stats.connections], ["Delivered", stats.eventsDelivered], ["Redelivered", stats.eventsRedelivered], ["Waiting", stats.queueDepth]] as const)
        .map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", count(value)))));
      const now = JSON.stringify(all);
      if (now === drawn) return;
      drawn = now;
      body.replaceChildren(all.length === 0 ? empty("Nobody reads here.", "Subscribe with a client, or look at the live tail.") : table("Subscriptions", ["Topics", "Reader", "Kind", "Lag", "In flight"], all.map((one) => [
        make("code", "", one.topics.join(" ")), one.name ?? one.subject ?? one.clientId ?? "nobody now",
        one.group !== undefined ? `group ${one.group}` : one.durable !== undefined ? `durable ${one.durable}` : "live",
        make("span", one.lag > 0 ? "warn number" : "number", count(one.lag)), make("span", "number", count(one.inFlight)),
      ])));
    } catch (thrown) {
      drawn = "";
      body.replaceChildren(empty("The router does not tell.", `${describe(thrown).message} Its answer needs the right “manage”.`));
    }
  };
  return { code: () => subscriptionsProgram(session.reach), show: () => {
    drawn = "";
    void draw();
    const timer = setInterval(() => void draw(), 1_000);
    return () => clearInterval(timer);
  } };
};

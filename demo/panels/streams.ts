import { describe } from "../activity.ts";
import { make } from "../dom.ts";
import { clockTime } from "../format.ts";
import { jsonView } from "../json-view.ts";
import { streamsProgram } from "../programs.ts";
import { button, card, empty, field, timeline } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";

const story: readonly [string, unknown][] = [["order.created", { total: 99.99 }], ["order.paid", { method: "card" }], ["order.packed", { box: "M" }], ["order.shipped", { carrier: "canoe" }]];

/** The events of one thing, as a timeline that grows while one looks. */
export const setUpStreams: SetUpPanel = (host, session, activity) => {
  const name = field("Stream", "order-123");
  const body = make("div", "panel-body");
  const form = make("form", "actions-row grow", name.label, make("button", "", "Read"), button("Append the next event", () => append(), "primary"));
  host.append(card("Event streams", "All that happened to one thing, such as an order. Each event has a version, and two writers never both write the same one.", form, body));
  let turn = 0;

  const draw = async (): Promise<void> => {
    const { client } = session;
    const mine = ++turn;
    if (client === undefined) return body.replaceChildren(empty("Not connected.", "Press Connect at the top of the page."));
    try {
      const events = await client.eventStream(name.input.value.trim()).read({ limit: 500 });
      if (mine !== turn) return;
      body.replaceChildren(events.length === 0
        ? empty("This stream has no events yet.", "“Append the next event” writes its first; or name another stream.")
        : timeline(events.map((event) => ({ title: event.type, note: `version ${event.version ?? "?"} · ${clockTime(new Date(event.timestamp))}`, body: jsonView(event.payload) }))));
    } catch (thrown) {
      if (mine === turn) body.replaceChildren(empty("The stream cannot be read.", describe(thrown).message));
    }
  };
  const append = async (): Promise<void> => {
    try {
      if (session.client === undefined) throw new Error("not connected: press Connect at the top of the page");
      const stream = session.client.eventStream(name.input.value.trim());
      const [last] = await stream.read({ direction: "backward", limit: 1 });
      const version = last?.version ?? -1;
      const [type, payload] = story[(version + 1) % story.length]!;
      await stream.append(type, payload, { expectedVersion: version === -1 ? "no-stream" : version });
      await draw();
    } catch (thrown) {
      activity.error(thrown, "appending");
      body.prepend(make("p", "mistake", describe(thrown).message));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void draw();
  });
  return { code: () => streamsProgram(session.reach, name.input.value.trim()), show: () => void draw() };
};

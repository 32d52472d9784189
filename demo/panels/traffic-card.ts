import type { Activity } from "../activity.ts";
import type { Traffic } from "../address.ts";
import { make, setText } from "../dom.ts";
import { count } from "../format.ts";
import type { RouterSession } from "../session.ts";
import { button, card, segments, slider } from "./parts.ts";

/** Events that the page publishes by itself. By itself it begins only on the router in the page: a link that somebody sent writes nothing into another's log. */
export function trafficCard(session: RouterSession, activity: Activity): HTMLElement {
  const { address } = session;
  const told = make("span", "note");
  told.setAttribute("role", "status");
  const player = session.traffic;
  const kinds = segments<Traffic>("Traffic", "traffic", [["none", "None"], ["shop", "A shop"], ["sensors", "Sensors"]], address.now.traffic, (traffic) => {
    if (player.playing) player.stop();
    address.write({ traffic });
  });
  const rate = slider("Rate", { min: 1, max: 200, step: 1 }, "events a second", (value) => address.write({ rate: value }));
  rate.set(address.now.rate);
  const play = button("Play", () => (player.playing ? player.stop() : begin()), "primary");

  function begin(): void {
    const { traffic } = address.now;
    if (traffic === "none") return;
    try {
      player.play(traffic);
    } catch (thrown) {
      activity.error(thrown, "playing");
    }
  }
  function show(): void {
    const none = address.now.traffic === "none";
    for (const radio of kinds.querySelectorAll("input")) radio.checked = radio.value === address.now.traffic;
    play.disabled = none;
    rate.input.disabled = none;
    setText(play, player.playing ? "Stop" : "Play");
    setText(told, player.playing ? `${count(player.published)} published: look at the live tail` : none ? "Choose what is published, then press Play and look at the live tail." : "");
  }
  player.onChange(show);
  address.onChange(show);
  show();
  if (address.now.transport === "memory") {
    let first = true;
    session.onStateChange((state) => {
      if (!first || state !== "connected") return;
      first = false;
      if (address.now.transport === "memory") begin();
    });
  }
  return card("Traffic", "Orders or readings that this page publishes, for something to look at, to filter and to break.", make("div", "actions-row", kinds, play, told), rate.label);
}

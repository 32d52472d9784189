import type { Activity } from "../activity.ts";
import type { Traffic } from "../address.ts";
import { make, setText } from "../dom.ts";
import { count } from "../format.ts";
import type { RouterSession } from "../session.ts";
import { playTraffic } from "../traffic.ts";
import { button, card, segments, slider } from "./parts.ts";

/** Events that the page publishes by itself. By itself it begins only on the router in the page: a link that somebody sent writes nothing into another's log. */
export function trafficCard(session: RouterSession, activity: Activity): HTMLElement {
  const { address } = session;
  const told = make("span", "note");
  told.setAttribute("role", "status");
  let stop: (() => void) | undefined;
  const kinds = segments<Traffic>("Traffic", "traffic", [["none", "None"], ["shop", "A shop"], ["sensors", "Sensors"]], address.now.traffic, (traffic) => {
    address.write({ traffic });
    if (stop !== undefined) end();
    show();
  });
  const rate = slider("Rate", { min: 1, max: 200, step: 1 }, "events a second", (value) => address.write({ rate: value }));
  rate.set(address.now.rate);
  const play = button("Play", () => (stop === undefined ? begin() : end()), "primary");

  function begin(): void {
    const { traffic } = address.now;
    if (traffic === "none") return;
    if (session.client === undefined) return activity.error(new Error("not connected: press Connect at the top of the page"), "playing");
    stop = playTraffic(traffic, () => address.now.rate, () => session.client, (published) => setText(told, `${count(published)} published`));
    show();
  }
  function end(): void {
    stop?.();
    stop = undefined;
    show();
  }
  function show(): void {
    const none = address.now.traffic === "none";
    play.disabled = none;
    rate.input.disabled = none;
    setText(play, stop === undefined ? "Play" : "Stop");
    if (stop === undefined) setText(told, none ? "Choose what is published, then press Play and look at the live tail." : "");
  }
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

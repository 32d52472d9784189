import type { Activity } from "../activity.ts";
import { find, make } from "../dom.ts";
import type { RouterSession } from "../session.ts";
import { setUpCharts } from "./charts.ts";
import { setUpCode } from "./code.ts";
import { setUpDeadLetters } from "./dead-letters.ts";
import { setUpNetwork } from "./network.ts";
import { setUpRequests } from "./requests.ts";
import { readRoute, writeRoute } from "./route.ts";
import { setUpSagas } from "./sagas.ts";
import { setUpStreams } from "./streams.ts";
import { setUpSubscriptions } from "./subscriptions.ts";

/** What a panel does when it comes on show; what it returns is called when it goes. */
export type Show = () => (() => void) | void;
export type SetUpPanel = (host: HTMLElement, session: RouterSession, activity: Activity) => Show;

const panels: readonly { readonly id: string; readonly name: string; readonly setUp?: SetUpPanel }[] = [
  { id: "live", name: "Live" },
  { id: "subscriptions", name: "Subscriptions", setUp: setUpSubscriptions },
  { id: "dead-letters", name: "Dead letters", setUp: setUpDeadLetters },
  { id: "streams", name: "Streams", setUp: setUpStreams },
  { id: "sagas", name: "Sagas", setUp: setUpSagas },
  { id: "requests", name: "Requests", setUp: setUpRequests },
  { id: "charts", name: "Charts", setUp: setUpCharts },
  { id: "network", name: "Network", setUp: setUpNetwork },
  { id: "code", name: "Code", setUp: setUpCode },
];

/** The panels beside the live page, one on show at a time: links, so that each has an address and the browser's back button works. */
export function setUpPanels(session: RouterSession, activity: Activity): void {
  const live = find("live", HTMLElement);
  const nav = find("panels", HTMLElement);
  const parts = panels.map(({ id, name, setUp }) => {
    const link = make("a", "", name);
    link.href = `#/${id}`;
    nav.append(link);
    if (setUp === undefined) return { id, name, link, host: live, show: (): void => {} };
    const host = make("main", "panel");
    host.id = `panel-${id}`;
    host.tabIndex = -1;
    host.hidden = true;
    live.after(host);
    return { id, name, link, host, show: setUp(host, session, activity) };
  });
  let leave: (() => void) | void;
  let current = "";

  const route = (): void => {
    const { panel } = readRoute();
    const next = parts.find(({ id }) => id === panel);
    // A hash that names no panel is a place in the present one, as of the skip link.
    if (next === undefined || next.id === current) return;
    leave?.();
    const moved = current !== "";
    current = next.id;
    for (const { host, link } of parts) {
      host.hidden = host !== next.host;
      link.removeAttribute("aria-current");
    }
    next.link.setAttribute("aria-current", "page");
    next.link.scrollIntoView({ block: "nearest", inline: "nearest" });
    document.title = next.id === "live" ? "Event Router" : `${next.name} · Event Router`;
    leave = next.show();
    if (moved) scrollTo(0, 0);
  };
  addEventListener("hashchange", route);
  if (!parts.some(({ id }) => id === readRoute().panel)) writeRoute({ panel: "live" });
  route();
}

import type { Activity } from "../activity.ts";
import { find, make } from "../dom.ts";
import type { RouterSession } from "../session.ts";
import { setUpCharts } from "./charts.ts";
import { setUpCode, type Program } from "./code.ts";
import { setUpDeadLetters } from "./dead-letters.ts";
import { setUpRequests } from "./requests.ts";
import { setUpSagas } from "./sagas.ts";
import { setUpScenario } from "./scenario.ts";
import { setUpStreams } from "./streams.ts";
import { setUpSubscriptions } from "./subscriptions.ts";

export interface Panel {
  /** What it does when it comes on show; what it returns is called when it goes. */
  show(): (() => void) | void;
  /** What it does, as a program. */
  code(): string;
  /** After the page's colours have changed: what is drawn by a script. */
  restyle?(): void;
}
export type SetUpPanel = (host: HTMLElement, session: RouterSession, activity: Activity) => Panel;

const panels: readonly { readonly id: string; readonly name: string; readonly setUp: SetUpPanel }[] = [
  { id: "subscriptions", name: "Subscriptions", setUp: setUpSubscriptions },
  { id: "dead-letters", name: "Dead letters", setUp: setUpDeadLetters },
  { id: "streams", name: "Streams", setUp: setUpStreams },
  { id: "sagas", name: "Sagas", setUp: setUpSagas },
  { id: "requests", name: "Requests", setUp: setUpRequests },
  { id: "charts", name: "Charts", setUp: setUpCharts },
  { id: "scenario", name: "Scenario", setUp: setUpScenario },
];

/**
 * The panels beside the live page, one on show at a time: links, so that each has an address and the browser's back button works.
 * @param live the program of the live page.
 */
export function setUpPanels(session: RouterSession, activity: Activity, live: () => string): { restyle(): void } {
  const { address } = session;
  const nav = find("panels", HTMLElement);
  const links: { readonly link: HTMLAnchorElement; readonly to: Parameters<typeof address.link>[0] }[] = [];
  /** A link within the page that takes along what the page is at. */
  const linkTo = (name: string, className: string, to: Parameters<typeof address.link>[0]): HTMLAnchorElement => {
    const link = make("a", className, name);
    links.push({ link, to });
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      address.write(to, true);
    });
    return link;
  };
  const add = (id: string, name: string, host: HTMLElement, show: Panel["show"]) => {
    const link = linkTo(name, "", { panel: id });
    nav.append(link);
    return { id, name, link, host, show };
  };
  const main = (id: string): HTMLElement => {
    const host = make("main", "panel");
    host.id = `panel-${id}`;
    host.tabIndex = -1;
    host.hidden = true;
    document.body.append(host);
    return host;
  };
  const codeLink = (head: Element | null, id: string, name: string): void => {
    const link = linkTo("Code", "code-link", { panel: "code", of: id });
    link.setAttribute("aria-label", `${name} as code`);
    head?.append(link);
  };

  const restyles: (() => void)[] = [];
  const liveHost = find("live", HTMLElement);
  const parts = [add("live", "Live", liveHost, () => {})];
  const programs: Program[] = [{ id: "live", name: "Live", code: live }];
  codeLink(find("tail-title", HTMLElement).parentElement!.querySelector(".code-place"), "live", "Live");
  for (const { id, name, setUp } of panels) {
    const host = main(id);
    const panel = setUp(host, session, activity);
    if (panel.restyle !== undefined) restyles.push(panel.restyle);
    parts.push(add(id, name, host, panel.show));
    programs.push({ id, name, code: panel.code });
    codeLink(host.querySelector(".card-head"), id, name);
  }
  const codeHost = main("code");
  parts.push(add("code", "Code", codeHost, setUpCode(codeHost, session, programs).show));

  let leave: (() => void) | void;
  let current = "";
  const route = (): void => {
    for (const { link, to } of links) link.href = address.link(to);
    const next = parts.find(({ id }) => id === address.now.panel) ?? parts[0]!;
    if (next.id === current) return;
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
  address.onChange(route);
  // What was in sight at one width need not be at another.
  addEventListener("resize", () => nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }));
  route();
  return { restyle: () => { for (const restyle of restyles) restyle(); } };
}

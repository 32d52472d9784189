import { find, make, setText } from "../dom.ts";
import { scenarioProgram } from "../programs.ts";
import { encryptionCard } from "./encryption-card.ts";
import type { SetUpPanel } from "./panels.ts";
import { button, card, field, slider } from "./parts.ts";
import { trafficCard } from "./traffic-card.ts";

/** Traffic, faults of the network to the router in the page, the encryption switch, and a link to all this. */
export const setUpScenario: SetUpPanel = (host, session, activity) => {
  const { address } = session;
  const note = make("p", "about");
  note.setAttribute("role", "status");
  const delay = slider("Delay", { min: 0, max: 2_000, step: 50 }, "ms each way", (value) => {
    session.inPage.delay = value;
    address.write({ delay: value });
  });
  const drop = slider("Drop", { min: 0, max: 50, step: 1 }, "of 100 messages break the connection", (value) => {
    session.inPage.drop = value;
    address.write({ drop: value });
  });
  const cut = button("Break the connection once", () => {
    if (session.transport === "memory") session.inPage.breakAll();
    else session.client?.reconnect().catch(() => {});
    activity.info("The connection was broken; it comes back by itself");
  });
  const toPage = button("Use the router in this page", () => find("transport", HTMLFormElement).querySelector<HTMLInputElement>("input[value=memory]")?.click(), "primary");

  const link = field("Link", "");
  link.input.readOnly = true;
  const copied = make("span", "note");
  copied.setAttribute("role", "status");
  const share = card("Share", "This router, namespace, pattern, filter, traffic and network as a link. It holds no key, no token and no event.", link.label, make("div", "actions-row", button("Copy the link", () => {
    if (navigator.clipboard === undefined) return link.input.select();
    navigator.clipboard.writeText(link.input.value).then(() => setText(copied, "Copied"), () => link.input.select());
  }, "primary"), copied));

  host.classList.add("two");
  host.append(
    trafficCard(session, activity),
    card("Network faults", "A bad network between this page and the router in it. Nothing that was acknowledged is lost, and handlers see each event in its order: try it.", note, delay.label, drop.label, make("div", "actions-row", toPage, cut)),
    encryptionCard(session, activity),
    share,
  );

  const show = (): void => {
    const inPage = session.transport === "memory";
    delay.input.disabled = drop.input.disabled = !inPage;
    toPage.hidden = inPage;
    setText(note, inPage ? "On: this page talks to the router in itself." : "Off for now: this page talks to a router outside it, whose network it cannot spoil.");
    link.input.value = new URL(address.link({ panel: "live" }), location.href).href;
  };
  const { delay: first, drop: chance } = address.now;
  delay.set(first);
  drop.set(chance);
  session.inPage.delay = first;
  session.inPage.drop = chance;
  session.onStateChange(show);
  address.onChange(show);
  return { show, code: () => scenarioProgram(session.reach, address.now) };
};

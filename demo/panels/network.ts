import { find, make, setText } from "../dom.ts";
import { button, card, field } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";
import { readRoute, writeRoute } from "./route.ts";

/** Faults of the network to the router in the page, the encryption switch, and a link to all this. */
export const setUpNetwork: SetUpPanel = (host, session, activity) => {
  const note = make("p", "about");
  const delay = slider("Delay", 0, 2_000, 50, "ms each way", (value) => {
    session.inPage.delay = value;
    writeRoute({ delay: value });
  });
  const drop = slider("Drop", 0, 50, 1, "of 100 messages break the connection", (value) => {
    session.inPage.drop = value;
    writeRoute({ drop: value });
  });
  const cut = button("Break the connection once", () => {
    if (session.transport === "memory") session.inPage.breakAll();
    else session.client?.reconnect().catch(() => {});
    activity.info("The connection was broken; it comes back by itself");
  });
  const toPage = button("Use the router in this page", () => find("transport", HTMLFormElement).querySelector<HTMLInputElement>("input[value=memory]")?.click(), "primary");
  host.append(card("Network faults", "The router in this page behind a bad network. Nothing that was acknowledged is lost, and handlers see each event in its order: try it.", note, delay.label, drop.label, make("div", "actions-row", toPage, cut)));

  const key = field("Key (32 bytes, base64)", "");
  const encrypt = make("input", "");
  encrypt.type = "checkbox";
  const state = make("p", "about");
  state.setAttribute("role", "status");
  const apply = (): void => {
    try {
      session.encryptionKey = encrypt.checked ? key.input.value.trim() : undefined;
      key.input.removeAttribute("aria-invalid");
      setText(state, encrypt.checked ? "On: payloads leave this page as JWE. Who has no key sees them so; the router never sees more." : "Off: payloads travel in the clear.");
    } catch (thrown) {
      encrypt.checked = false;
      key.input.setAttribute("aria-invalid", "true");
      setText(state, "Off: this is no key. Press “New key”, or paste 32 bytes as base64.");
      activity.error(thrown, "encrypting");
    }
  };
  const renew = (): void => { key.input.value = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))); };
  renew();
  encrypt.addEventListener("change", apply);
  key.input.addEventListener("change", () => { if (encrypt.checked) apply(); });
  host.append(card("Encryption", "AES-256-GCM from this page to whoever has the key. The key stays in this page: it is in no link and in no storage.", make("label", "check", encrypt, " Encrypt what is published"), key.label, make("div", "actions-row", button("New key", () => {
    renew();
    if (encrypt.checked) apply();
  })), state));

  const link = field("Link", "");
  link.input.readOnly = true;
  const copied = make("span", "note");
  copied.setAttribute("role", "status");
  host.append(card("Share", "This router, namespace, tail and network as a link. It holds no key and no event.", link.label, make("div", "actions-row", button("Copy the link", () => {
    link.input.value = location.href;
    if (navigator.clipboard === undefined) return link.input.select();
    navigator.clipboard.writeText(location.href).then(() => setText(copied, "Copied"), () => link.input.select());
  }), copied)));

  const show = (): void => {
    const inPage = session.transport === "memory";
    delay.input.disabled = drop.input.disabled = !inPage;
    toPage.hidden = inPage;
    setText(note, inPage ? "Now: the router in this page." : "The sliders work on the router in this page; now the page talks to another one.");
    link.input.value = location.href;
  };
  const { delay: first, drop: chance } = readRoute();
  delay.set(first);
  drop.set(chance);
  session.inPage.delay = first;
  session.inPage.drop = chance;
  session.onStateChange(show);
  for (const { input } of [delay, drop]) input.addEventListener("change", show);
  setText(state, "Off: payloads travel in the clear.");
  return show;
};

function slider(name: string, min: number, max: number, step: number, unit: string, changed: (value: number) => void) {
  const input = make("input", "");
  Object.assign(input, { type: "range", min: String(min), max: String(max), step: String(step), value: String(min) });
  const shown = make("span", "note", `${min} ${unit}`);
  const show = (): void => {
    setText(shown, `${input.value} ${unit}`);
    input.setAttribute("aria-valuetext", `${input.value} ${unit}`);
  };
  input.addEventListener("input", () => {
    show();
    changed(Number(input.value));
  });
  return {
    input,
    label: make("label", "slider", make("span", "", name), input, shown),
    set(value: number): void {
      input.value = String(value);
      show();
    },
  };
}

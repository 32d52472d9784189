import type { ClientState } from "../src/index.ts";
import type { Activity } from "./activity.ts";
import { find, setText } from "./dom.ts";
import type { RouterSession } from "./session.ts";

const names: Readonly<Record<ClientState, string>> = {
  idle: "Not connected", connecting: "Connecting…", connected: "Connected", offline: "Reconnecting…", closed: "Refused",
};
/** How long a connection may take before the page says what may be wrong. */
const PATIENCE = 4_000;

/** The address fields, the state with its dot, and the button that connects and disconnects. */
export function setUpConnectionBar(session: RouterSession, activity: Activity): void {
  const form = find("connection", HTMLFormElement);
  const url = find("url", HTMLInputElement);
  const namespace = find("namespace", HTMLInputElement);
  const button = find("connect", HTMLButtonElement);
  const retry = find("retry", HTMLButtonElement);
  const state = find("state", HTMLElement);
  const stateText = find("state-text", HTMLElement);
  const hint = find("connection-hint", HTMLElement);
  let before: ClientState = "idle";
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const isCurrent = () => {
    const { target } = session;
    return target !== undefined && target.url === url.value.trim() && target.namespace === namespace.value.trim() && session.state !== "closed";
  };
  const label = () => {
    const current = isCurrent();
    setText(button, current ? "Disconnect" : session.client === undefined || session.state === "closed" ? "Connect" : "Switch");
    button.classList.toggle("primary", !current);
  };
  const hintText = (text: string) => {
    setText(hint, text);
    hint.hidden = text === "";
  };

  const connect = () => {
    try {
      session.open(url.value.trim(), namespace.value.trim());
      session.address.write({ url: url.value.trim(), namespace: namespace.value.trim() });
    } catch (thrown) {
      activity.error(thrown, "connecting");
      hintText(thrown instanceof Error ? thrown.message : String(thrown));
    }
    label();
  };

  session.onStateChange((now) => {
    state.dataset.state = now;
    setText(stateText, names[now]);
    retry.hidden = now !== "offline" && now !== "connecting";
    label();
    clearTimeout(waiting);
    hintText("");
    const address = session.target?.url ?? "";
    if (now === "connecting" || now === "offline") {
      waiting = setTimeout(() => hintText(`No router answers at ${address}. The page goes on trying by itself.`), PATIENCE);
    } else if (now === "closed") hintText("The router refused the connection; the activity list says why. If it asks who you are, sign in here:");
    if (now === before) return;
    if (now === "connected") activity.success(before === "offline" ? `Connected again to ${address}` : `Connected to ${address}`);
    else if (now === "offline") activity.info("Connection lost; trying again by itself");
    else if (now === "idle") activity.info("Disconnected");
    before = now;
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isCurrent()) session.close();
    else connect();
  });
  form.addEventListener("input", label);
  retry.addEventListener("click", () => {
    // If this attempt fails too, the next one comes by itself.
    session.client?.reconnect().catch(() => {});
  });

  // A router lets the page it serves talk to itself only, and the browser obeys without telling the WebSocket why.
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective !== "connect-src") return;
    clearTimeout(waiting);
    const text = `This page may talk only to the router that serves it, not to ${blockedURI}; open that router's own page`;
    hintText(text);
    activity.error(new Error(text), "connecting");
  });

  const address = session.address.now;
  url.value = address.url;
  namespace.value = address.namespace;
  connect();
}

import type { ClientState, EventRouterClient } from "../src/index.ts";
import { setText } from "./dom.ts";

const words: Readonly<Record<ClientState, string>> = { idle: "Connecting…", connecting: "Connecting…", connected: "Live", offline: "Offline, trying again", closed: "Refused: open the page anew" };

/** The state of a demo's client, in words and as a colour. */
export function showState(client: EventRouterClient, element: HTMLElement): void {
  const show = (): void => {
    element.dataset.state = client.state;
    setText(element, words[client.state]);
  };
  client.onStateChange(show);
  show();
}

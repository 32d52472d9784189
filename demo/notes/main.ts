import { find, make, setText } from "../dom.ts";
import { NetworkSwitch } from "../network-switch.ts";
import { EventRouterClient } from "../../src/index.ts";
import { showState } from "../show-state.ts";

interface Note { readonly text: string }

const network = new NetworkSwitch();
const client = new EventRouterClient({ transport: "websocket", url: location.origin, offline: true, WebSocket: network.WebSocket });
const notes = find("notes", HTMLOListElement);
const items = new Map<string, HTMLLIElement>();

showState(client, find("state", HTMLElement));

/** What no longer waits in the outbox is stored; what the router has refused stays there, and says so. */
async function mark(): Promise<void> {
  const waiting = new Map((await client.outbox.list()).map(({ id, state }) => [id, state]));
  for (const [id, item] of items) {
    const state = waiting.get(id);
    item.toggleAttribute("data-pending", state !== undefined);
    setText(item.lastElementChild!, state === undefined ? "stored" : state === "dead" ? "refused" : "on this device");
  }
  setText(find("waiting", HTMLElement), `${client.outbox.size} waiting`);
}

client.outbox.onChange(() => void mark());
// `optimistic`: a note comes as soon as it is in the outbox, once, under the id that it will have in the log.
client.on("note.added", { from: "start", optimistic: true }, async ({ id, payload }) => {
  const item = make("li", "", make("span", "", (payload as Note).text), make("span", "note", ""));
  items.set(id, item);
  notes.prepend(item);
  find("empty", HTMLElement).hidden = true;
  await mark();
});

find("form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const text = find("text", HTMLInputElement);
  const note: Note = { text: text.value };
  text.value = "";
  client.publish("note.added", note).catch((thrown: unknown) => setText(find("waiting", HTMLElement), `Not kept: ${String(thrown)}`));
});
find("offline", HTMLInputElement).addEventListener("change", ({ target }) => {
  network.cut = (target as HTMLInputElement).checked;
  if (!network.cut) client.reconnect().catch(() => {});
});

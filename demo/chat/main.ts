import { find, make, setText } from "../dom.ts";
import { clockTime } from "../format.ts";
import { EventRouterClient } from "../../src/index.ts";
import { showState } from "../show-state.ts";

interface Message { readonly name: string; readonly text: string }

/** The room's key is after the `#` of its link: browsers send that to no server. */
function roomKey(): string {
  const given = location.hash.slice(1);
  if (given !== "") return given.replaceAll("-", "+").replaceAll("_", "/");
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
  history.replaceState(null, "", `#${key.replaceAll("+", "-").replaceAll("/", "_")}`);
  return key;
}

const mistake = find("mistake", HTMLElement);
const tell = (thrown: unknown): void => {
  setText(mistake, thrown instanceof Error ? thrown.message : String(thrown));
  mistake.hidden = false;
};

function join(): EventRouterClient {
  const client = new EventRouterClient({ transport: "websocket", url: location.origin, encryption: { key: roomKey(), required: ["chat.**"] } });
  client.onError(tell);
  showState(client, find("state", HTMLElement));
  client.on("chat.message", { from: "start" }, ({ payload, timestamp }) => {
    const { name, text } = payload as Message;
    find("empty", HTMLElement).hidden = true;
    find("messages", HTMLOListElement).prepend(make("li", "", make("span", "", make("strong", "", name), " ", text), make("span", "note", clockTime(new Date(timestamp)).slice(0, 5))));
  });
  return client;
}

try {
  const client = join();
  find("form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = find("text", HTMLInputElement);
    const message: Message = { name: find("name", HTMLInputElement).value, text: text.value };
    mistake.hidden = true;
    client.publish("chat.message", message).then(() => { text.value = ""; }, tell);
  });
} catch (thrown) {
  tell(thrown);
}
// Another link is another room.
addEventListener("hashchange", () => location.reload());

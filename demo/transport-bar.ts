import type { Activity } from "./activity.ts";
import type { Transport } from "./address.ts";
import { chosen, find, setText } from "./dom.ts";
import { count } from "./format.ts";
import type { RouterSession } from "./session.ts";

/** By what the page reaches a router, a switch that cuts the network, and what waits on this device to be sent. */
export function setUpTransportBar(session: RouterSession, activity: Activity): void {
  const form = find("transport", HTMLFormElement);
  const offline = find("offline", HTMLInputElement);
  const outbox = find("outbox", HTMLOutputElement);

  const show = (): void => {
    const waiting = session.client === undefined || !session.hasOutbox ? 0 : session.client.outbox.size;
    setText(outbox, session.hasOutbox ? `${count(waiting)} waiting` : "no outbox");
    outbox.dataset.waiting = String(waiting > 0);
    // The connection that tabs share cannot be cut from one of them.
    offline.disabled = session.transport === "shared-worker";
  };

  form.addEventListener("change", ({ target }) => {
    if (target === offline) {
      session.cut = offline.checked;
      activity.info(offline.checked ? "The network is cut: what is published waits on this device" : "The network is back");
      if (!offline.checked) session.client?.reconnect().catch(() => {});
      return;
    }
    offline.checked = session.cut = false;
    const transport = chosen(form, "transport") as Transport;
    session.address.write({ transport });
    session.transport = transport;
    show();
  });

  const radio = form.querySelector<HTMLInputElement>(`input[value="${session.address.now.transport}"]`);
  if (radio !== null) radio.checked = true;
  session.onStateChange(show);
  session.use((client) => {
    const stop = session.hasOutbox ? client.outbox.onChange(show) : () => {};
    show();
    return stop;
  });
}

import type { Activity } from "./activity.ts";
import { find, setText } from "./dom.ts";
import { count, decimal } from "./format.ts";
import type { RouterSession } from "./session.ts";

/** Counts what happens in the namespace while the page looks on: events received, events per second, the log's last seq. */
export function setUpFigures(session: RouterSession, activity: Activity): void {
  const received = find("received", HTMLElement);
  const rate = find("rate", HTMLElement);
  const head = find("head", HTMLElement);
  let total = 0;
  let last = 0;
  let seq = 0;
  let epoch = "";
  let at = performance.now();

  setInterval(() => {
    const now = performance.now();
    const connected = session.state === "connected";
    setText(received, count(total));
    // Background pages get their timers late: so it is divided by the time that really passed.
    setText(rate, connected ? perSecond((total - last) / (now - at) * 1_000) : "–");
    setText(head, seq === 0 ? "–" : count(seq));
    last = total;
    at = now;
  }, 1_000);

  session.use((client) => {
    total = last = seq = 0;
    const subscription = client.on("**", (event) => {
      total++;
      if (event.seq === 0) return;
      seq = event.epoch === epoch ? Math.max(seq, event.seq) : event.seq;
      epoch = event.epoch;
    });
    subscription.ready.catch((thrown: unknown) => { if (client === session.client && client.state !== "closed") activity.error(thrown, "counting events"); });
    return () => { seq = 0; };
  });
}

const perSecond = (value: number): string => (value < 100 && value > 0 ? decimal(value) : count(value));

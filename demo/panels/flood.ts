import type { EventRouterClient } from "../../src/index.ts";

const PER_SECOND = 10_000;
const SECONDS = 5;
const BEAT = 50;

/** Publishes 10,000 ephemeral events a second. Returns how to stop before the time. */
export function flood(client: EventRouterClient, ended: () => void): () => void {
  const begun = performance.now();
  let sent = 0;
  const stop = (): void => {
    clearInterval(timer);
    ended();
  };
  const timer = setInterval(() => {
    const passed = performance.now() - begun;
    // No more in one beat than the client lets wait: a page that was asleep does not make up for it.
    const due = Math.min(Math.floor(Math.min(passed, SECONDS * 1_000) / 1_000 * PER_SECOND) - sent, 2_000);
    for (let i = 0; i < due; i++, sent++) client.publishNowait(`flood.${"abcde"[sent % 5]!}`, { n: sent }, { ephemeral: true });
    if (passed >= SECONDS * 1_000) stop();
  }, BEAT);
  return stop;
}

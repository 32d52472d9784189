import type { EventRouterError } from "../../core/errors.ts";
import type { RouterEvent } from "../../core/event.ts";
import type { Predicate } from "../../core/filter.ts";
import type { Feed, Gate } from "../feed.ts";
import type { VaultHome } from "./vault-home.ts";

/** How long to wait before a dead letter that was not taken is offered again, ms. */
const AGAIN = 1_000;

/** How an event's payload stands: it is in place, and came encrypted or not; it cannot be; or it will be. */
export type PayloadState = boolean | EventRouterError | Promise<unknown>;

/**
 * Opens what a subscription gets, in its order, and asks the filter's questions about payloads, which the router cannot. What cannot be opened is told,
 * becomes a dead letter, and is never started.
 * @param stateOf the same event is opened once for all subscriptions.
 */
export function payloadGate(home: VaultHome, stateOf: (event: RouterEvent) => PayloadState, feed: Feed, accepts: Predicate | undefined): Gate {
  return (event, arrives) => {
    const state = stateOf(event);
    if (state instanceof Promise) {
      if (arrives) void state.then(() => feed.changed());
      return undefined;
    }
    if (arrives) return undefined;
    if (typeof state === "boolean") {
      const accepted = accepts === undefined || accepts(event);
      if (!accepted) feed.finish(event);
      return accepted;
    }
    home.report(state, event);
    void bury(home, feed, event, state).finally(() => feed.finish(event));
    return false;
  };
}

/** The dead letter is durable before the cursor moves on (P6). A router that keeps none, or not for this subscription, says so for good. */
async function bury({ connection, requests }: VaultHome, feed: Feed, { seq }: RouterEvent, { name, message }: EventRouterError): Promise<void> {
  // What is not in the log cannot be kept.
  if (seq === 0) return;
  const letter = { sub: feed.id, seq, attempts: 1, error: { name, message } };
  while (feed.over === undefined) {
    try {
      await requests.use((all) => all.ask('the call "dead"', (req) => JSON.stringify(["call", req, "dead", letter]), {}));
      return;
    } catch (error) {
      if ((error as Partial<EventRouterError>).retryable !== true || connection.state === "closed") return;
      await new Promise<void>((resolve) => connection.clock.after(AGAIN, resolve));
    }
  }
}

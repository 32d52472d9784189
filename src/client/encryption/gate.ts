import type { EventRouterError } from "../../core/errors.ts";
import type { RouterEvent } from "../../core/event.ts";
import type { Predicate } from "../../core/filter.ts";
import type { Connection } from "../connection.ts";
import type { Feed, Gate } from "../feed.ts";
import type { Requests } from "../requests.ts";

/** What a gate needs of its client. */
export interface GateHome {
  readonly connection: Connection;
  readonly requests: Requests;
  /** How an event's payload stands: it is in place, cannot be, or will be. The same event is opened once for all subscriptions. */
  stateOf(event: RouterEvent): true | EventRouterError | Promise<unknown>;
  report(error: unknown, event: RouterEvent): void;
}

/** How long to wait before a dead letter that was not taken is offered again, ms. */
const AGAIN = 1_000;

/**
 * Opens what a subscription gets, in its order, and asks the filter's questions about payloads, which the router cannot. What cannot be opened is told,
 * becomes a dead letter, and is never started.
 */
export function payloadGate(home: GateHome, feed: Feed, accepts: Predicate | undefined): Gate {
  return (event, arrives) => {
    const state = home.stateOf(event);
    if (state instanceof Promise) {
      if (arrives) void state.then(() => feed.changed());
      return undefined;
    }
    if (arrives) return undefined;
    if (state === true) {
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
async function bury({ connection, requests }: GateHome, feed: Feed, { seq }: RouterEvent, { name, message }: EventRouterError): Promise<void> {
  // What is not in the log cannot be kept.
  if (seq === 0) return;
  const letter = { sub: feed.id, seq, attempts: 1, error: { name, message } };
  while (feed.over === undefined) {
    try {
      await requests.ask('the call "dead"', (req) => JSON.stringify(["call", req, "dead", letter]), {});
      return;
    } catch (error) {
      if ((error as Partial<EventRouterError>).retryable !== true || connection.state === "closed") return;
      await new Promise<void>((resolve) => connection.clock.after(AGAIN, resolve));
    }
  }
}

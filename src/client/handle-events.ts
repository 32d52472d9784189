import type { RouterEvent } from "../core/event.ts";
import type { Consumer, Feed } from "./feed.ts";

/** What a handler does with an event; a promise holds up the next one until it settles. */
export type Handler<E = RouterEvent> = (event: E) => unknown;

const isPromise = (value: unknown): value is PromiseLike<unknown> => typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";

/** Runs a handler for the events of a feed, up to `concurrency` at once, started in order. A throw is told, and the next event goes on. */
export function handleEvents(feed: Feed, handler: Handler, concurrency: number, report: (error: unknown, event: RouterEvent) => void): Consumer {
  let running = 0;
  let busy = false;

  const settle = (event: RouterEvent): void => {
    running--;
    feed.finish(event);
    arrived();
  };
  const run = (event: RouterEvent): void => {
    try {
      const result = handler(event);
      if (isPromise(result)) {
        running++;
        result.then(() => settle(event), (error: unknown) => {
          report(error, event);
          settle(event);
        });
        return;
      }
    } catch (error) {
      report(error, event);
    }
    // Nothing to wait for: no promise is made.
    feed.finish(event);
  };
  const arrived = (): void => {
    // A handler may cause what calls this again.
    if (busy) return;
    busy = true;
    while (running < concurrency) {
      const event = feed.take();
      if (event === undefined) break;
      run(event);
    }
    busy = false;
  };
  return { arrived, ended: () => {} };
}

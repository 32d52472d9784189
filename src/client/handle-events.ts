import type { RouterEvent } from "../core/event.ts";
import type { Feed } from "./feed.ts";
import type { HandlerContext } from "./handler-context.ts";

/** What a handler does with an event; a promise holds up the next one until it settles. */
export type Handler<E = RouterEvent> = (event: E, context: HandlerContext) => unknown;

/** What surrounds a handler: retry, circuit breaker, permission … They compose, the outermost first. */
export type Middleware = <E extends RouterEvent>(handler: Handler<E>) => Handler<E>;

/** Runs a handler for the events of a feed, up to `concurrency` at once, started in order. A throw is told, and the next event goes on. */
export function handleEvents(feed: Feed, handler: Handler, concurrency: number, context: HandlerContext, report: (error: unknown, event: RouterEvent) => void): void {
  let running = 0;
  let busy = false;
  const run = (event: RouterEvent): void => {
    try {
      const result = handler(event, context) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === "function") {
        running++;
        const done = (): void => {
          running--;
          feed.finish(event);
          start();
        };
        result.then(done, (error: unknown) => {
          report(error, event);
          done();
        });
        return;
      }
    } catch (error) {
      report(error, event);
    }
    // Nothing to wait for: no promise is made.
    feed.finish(event);
  };
  const start = (): void => {
    // A handler may cause what calls this again.
    if (busy) return;
    busy = true;
    for (let event; running < concurrency && (event = feed.take()) !== undefined; ) run(event);
    busy = false;
  };
  feed.changed = start;
}

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
      const result = handler(event, feed.side?.contextOf(event, context) ?? context) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === "function") {
        running++;
        result.then(() => feed.finish(event), (error: unknown) => failed(event, error)).then(() => {
          running--;
          start();
        });
        return;
      }
    } catch (error) {
      return failed(event, error);
    }
    // Nothing to wait for: no promise is made.
    feed.finish(event);
  };
  const failed = (event: RouterEvent, error: unknown): void => {
    if (!feed.fail(event, error)) report(error, event);
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

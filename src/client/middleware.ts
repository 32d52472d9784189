import type { Tools } from "./failure-options.ts";
import type { Middleware } from "./handle-events.ts";

/**
 * A middleware whose code is loaded while its client connects; all handlers in it share what it knows. What is wrong with its options reaches `onError`
 * at once, and then whoever waits for a handler in it.
 */
export function lazily({ report }: Pick<Tools, "report">, loaded: Promise<Middleware>): Middleware {
  loaded.catch(report);
  return (handler) => {
    const wrapped = loaded.then((middleware) => middleware(handler));
    wrapped.catch(() => {});
    return async (event, context) => (await wrapped)(event, context);
  };
}

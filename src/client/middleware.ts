import type { EventRouterError } from "../core/errors.ts";
import type { Tools } from "./failure-options.ts";
import type { Middleware } from "./handle-events.ts";
import { notLoaded } from "./later.ts";

/** ms until code that has not come is asked for again, while an event waits for it. */
const AGAIN = 1_000;

/**
 * A middleware whose code is loaded while its client connects; all handlers in it share what it knows. Code that does not come is told, and asked for again: events wait for it,
 * since without it they would fail. What is wrong with its options reaches `onError` at once, and then whoever waits for a handler in it.
 */
export function lazily({ clock, report }: Pick<Tools, "clock" | "report">, load: () => Promise<Middleware>): Middleware {
  let loading: Promise<Middleware> | undefined;
  const loaded = (): Promise<Middleware> => (loading ??= load().catch((thrown: unknown) => {
    const error = notLoaded(thrown);
    if (error.code === "ERR_CODE") loading = undefined;
    throw error;
  }));
  loaded().catch(report);
  return (handler) => {
    let wrapped: typeof handler | undefined;
    return async (event, context) => {
      while (wrapped === undefined) {
        try {
          wrapped = (await loaded())(handler);
        } catch (error) {
          if ((error as EventRouterError).code !== "ERR_CODE" || context.signal.aborted) throw error;
          await new Promise<void>((resolve) => { clock.after(AGAIN, resolve); });
        }
      }
      return wrapped(event, context);
    };
  };
}

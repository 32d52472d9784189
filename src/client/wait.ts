import { milliseconds, type Duration } from "../core/duration.ts";
import { TimeoutError } from "../core/errors.ts";
import { checkSignal } from "./check-options.ts";
import type { Clock } from "../core/clock.ts";

/** How long a call waits. */
export interface WaitOptions {
  /** Default: the client's `timeout`. */
  readonly timeout?: Duration | undefined;
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What is waited for: how time passes there, and why nothing may come. */
interface Awaited { readonly clock: Clock; readonly error: unknown }

/** @param what what did not happen in time, and what follows from it. */
export function timeoutError(what: string, { error: cause }: Awaited, details = {}): TimeoutError {
  return new TimeoutError("ERR_TIMEOUT", what, { retryable: true, cause, details });
}

/** The promise, or a TimeoutError when it takes longer. What is waited for goes on. */
export function within<T>(promise: Promise<T>, of: Awaited, what: string, fallback: number, { timeout = fallback, signal }: WaitOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal!.reason as Error);
    let over = (): void => {};
    // First, so that its failure is never unheard, whatever is thrown below.
    void promise.then(resolve, reject).finally(() => over());
    checkSignal(signal);
    const ms = milliseconds(timeout, "timeout");
    const cancel = of.clock.after(ms, () => reject(timeoutError(`${what} took longer than ${ms} ms; is the router there?`, of)));
    signal?.addEventListener("abort", abort, { once: true });
    over = () => {
      cancel();
      signal?.removeEventListener("abort", abort);
    };
  });
}

import { milliseconds, type Duration } from "../core/duration.ts";
import { TimeoutError } from "../core/errors.ts";
import { checkSignal } from "./check-options.ts";
import type { Connection } from "./connection.ts";

/** How long a call waits. */
export interface WaitOptions {
  /** Default: the client's `timeout`. */
  readonly timeout?: Duration | undefined;
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** @param what what did not happen in time, and what follows from it. */
export function timeoutError(what: string, connection: Connection, details = {}): TimeoutError {
  return new TimeoutError("ERR_TIMEOUT", what, { retryable: true, cause: connection.error, details });
}

/** The promise, or a TimeoutError when it takes longer. What is waited for goes on. */
export function within<T>(promise: Promise<T>, connection: Connection, what: string, fallback: number, { timeout = fallback, signal }: WaitOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal!.reason as Error);
    let cancel = (): void => {};
    // First, so that its failure is never unheard, whatever is thrown below.
    void promise.then(resolve, reject).finally(() => {
      cancel();
      signal?.removeEventListener("abort", abort);
    });
    checkSignal(signal);
    const ms = milliseconds(timeout, "timeout");
    cancel = connection.clock.after(ms, () => reject(timeoutError(`${what} took longer than ${ms} ms; is the router there?`, connection)));
    signal?.addEventListener("abort", abort, { once: true });
  });
}

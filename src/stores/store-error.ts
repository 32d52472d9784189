import type { ErrorDetails, EventRouterError } from "../core/errors.ts";

type ErrorClass = new (code: string, message: string, details: ErrorDetails) => EventRouterError;

/** A failure of the storage itself. Whoever publishes again under the same ids is safe, whether the write took place or not. */
export function storeError(Class: ErrorClass, doing: string, cause: unknown): EventRouterError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Class("ERR_STORE", `${doing} failed: ${reason}; see that the store's file can be written and its disk has room, then try again with the same ids`, { retryable: true, cause });
}

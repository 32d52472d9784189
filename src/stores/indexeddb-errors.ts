import { EventRouterError, PublishError, type ErrorDetails } from "../core/errors.ts";
import { storeError } from "./store-error.ts";

type ErrorClass = new (code: string, message: string, details: ErrorDetails) => EventRouterError;

/**
 * A failure of IndexedDB as one of the family. A full quota keeps nothing of the transaction. It is retryable, as room comes back without the caller's doing
 * (retention, another site's data, a drained outbox); whoever publishes is told at once, and nothing is tried again behind its back.
 */
export function explain(Class: ErrorClass, doing: string, error: unknown): EventRouterError {
  if (error instanceof EventRouterError) return error;
  const { name = "", message = "" } = (error ?? {}) as { name?: string; message?: string };
  if (name === "QuotaExceededError" || /quota|disk is full|FILE_ERROR_NO_SPACE/i.test(message)) {
    return new PublishError("ERR_QUOTA", `${doing} failed: the browser gives this origin no more storage; nothing of it was kept. Make room (trim logs, let the outbox drain, delete other data) or ask for more with navigator.storage.persist(), then publish again`, { retryable: true, cause: error });
  }
  return storeError(Class, doing, error);
}

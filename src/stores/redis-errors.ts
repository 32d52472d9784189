import { EventRouterError, PublishError, TimeoutError, type ErrorDetails } from "../core/errors.ts";

type ErrorClass = new (code: string, message: string, details: ErrorDetails) => EventRouterError;

/** Replies by which Redis says that it did nothing of a command, and may soon. */
const LATER = /^(LOADING|MASTERDOWN|TRYAGAIN|CLUSTERDOWN|BUSY) /;
/** Replies after which another server may be the one to ask: this one is a replica now. */
const ELSEWHERE = /^(READONLY|UNBLOCKED|NOREPLICAS)\b/;

/** Whether Redis said it: its errors begin with a word in capitals. The client's own are sentences. */
export function isReply(error: unknown): boolean {
  return /^[A-Z]{2,}\b/.test((error as Error | null)?.message ?? "");
}

/** What a reply that is an error asks for: the same again later, on a new connection, or nothing. */
export function afterReply(error: unknown): "later" | "elsewhere" | "never" {
  const { message = "" } = (error ?? {}) as { message?: string };
  // A script tells what its command ran into: "READONLY You can't write … script: …".
  return LATER.test(message) ? "later" : ELSEWHERE.test(message) || message.includes("-READONLY") ? "elsewhere" : "never";
}

/** A failure of Redis as one of the family. */
export function explainRedis(Class: ErrorClass, doing: string, error: unknown): EventRouterError {
  if (error instanceof EventRouterError) return error;
  const { message = String(error) } = (error ?? {}) as { message?: string };
  if (/\bOOM\b/.test(message)) {
    return new PublishError("ERR_STORE_FULL", `${doing} failed: Redis has used its maxmemory; nothing of it was kept. Trim the logs (retention, purge) or give Redis more memory, then try again`, { retryable: true, cause: error });
  }
  if (message.startsWith("MISCONF")) return new PublishError("ERR_STORE", `${doing} failed: Redis cannot write to its disk and takes no writes; see its log and free its disk, then try again`, { retryable: true, cause: error });
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(message)) return new Class("ERR_STORE_AUTH", `${doing} failed: Redis does not let this user in or not do this (${message}); give the right user and password, and see docs/redis.md for the commands it needs`, { cause: error });
  return new Class("ERR_STORE", `${doing} failed: ${message}; see that Redis can be reached, then try again with the same ids`, { retryable: true, cause: error });
}

/** No reply in time: whether the command was carried out is unknown. */
export function redisTimeout(address: string, ms: number): EventRouterError {
  return new TimeoutError("ERR_STORE_TIMEOUT", `Redis at ${address} did not answer within ${ms} ms; whether it carried it out is unknown. Try again with the same ids`, { retryable: true });
}

/** There was no connection in time: the command was not sent. */
export function redisUnreachable(address: string, ms: number, cause: unknown): EventRouterError {
  const reason = cause instanceof Error ? cause.message || (cause as { code?: string }).code || cause.name : "no connection yet";
  return new EventRouterError("ERR_STORE_UNREACHABLE", `Redis at ${address} could not be reached within ${ms} ms (${reason}); start it, or see that host, port and password are right`, { retryable: true, cause });
}

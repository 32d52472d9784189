import { optionalText, record } from "./frame-reader.ts";

/** Why a handler failed, as its client tells. */
export interface Failure { readonly name: string; readonly message: string }

/** What a client tells of a failure is text for a log and an operator: only its own parts, cut to a length. */
export function readFailure(error: unknown): Failure {
  const { name, message } = error === undefined ? {} : record(error, "error");
  return { name: (optionalText(name, "error.name") ?? "Error").slice(0, 64), message: (optionalText(message, "error.message") ?? "the handler failed").slice(0, 2_048) };
}

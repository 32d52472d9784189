import { ConnectionError } from "../core/errors.ts";

/** What becomes of what is asked of a client that is closed. */
export function closed(): ConnectionError {
  return new ConnectionError("ERR_CLOSED", "this client is closed; make a new one");
}

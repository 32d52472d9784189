import { milliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import { checkEvent } from "../core/validate-event.ts";
import type { EventBody } from "./schemas.ts";

/** Where the ids of events come from. `run`: they are a session's running numbers, in order. */
export interface Ids { readonly run: boolean; of(index: number, own: string | undefined): string }

/**
 * Ids for a call with an `Idempotency-Key`: the same key makes the same ids, so that a repeat is told apart from another call by the log itself, however
 * much later it comes. The last event of a call has an id of its own kind: a longer call with the same key then meets another event there, a conflict.
 */
export async function idsOfKey(key: string, count: number): Promise<Ids> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  const stem = `key_${btoa(String.fromCharCode(...digest)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")}`;
  return { run: false, of: (index, own) => own ?? (index === count - 1 ? stem : `${stem}.${index}`) };
}

/** Ids for a call without one: the events' own, else the session's. */
export function idsOfSession(bodies: readonly EventBody[], next: () => string): Ids {
  return { run: bodies.every(({ id }) => id === undefined), of: (_index, own) => own ?? next() };
}

/**
 * The line of an event, as every publisher writes it.
 * @param path What the event is called in errors: "" if it is alone.
 * @throws ValidationError
 */
export function lineOf({ id: _id, type, payload = null, ephemeral: _ephemeral, delay: _delay, deliver_at: _deliverAt, correlation_id: correlationId, ttl, ...rest }: EventBody, id: string, limits: Limits, path: string): string {
  const meta = { ...rest, ...(correlationId !== undefined && { correlationId }), ...(ttl !== undefined && { ttl: Math.ceil(milliseconds(ttl, path === "" ? "ttl" : `${path}.ttl`)) }) };
  const line = JSON.stringify(Object.keys(meta).length === 0 ? [id, type, payload] : [id, type, payload, meta]);
  if (path !== "") check(() => checkEvent(id, type, payload, meta, line.length, limits), path);
  return line;
}

/** An error that says which of several events it is about. */
function check(run: () => void, path: string): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const inner = error.details.path;
    throw new ValidationError(error.code, `${path}: ${error.message}`, { details: { ...error.details, path: typeof inner === "string" ? `${path}.${inner}` : path } });
  }
}

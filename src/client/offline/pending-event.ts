import type { LogEvent } from "../../core/log-event.ts";

/** A waiting event as a handler sees it. */
export function pendingEvent({ id, type, payload, timestamp, priority, fields }: LogEvent): object {
  return { id, type, payload, seq: 0, epoch: "", timestamp, priority, ...fields[6], pending: true };
}

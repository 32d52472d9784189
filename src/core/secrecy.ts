import { isReserved } from "./pattern.ts";
import type { Rights } from "./policy.ts";

/** What of an event says who may read it. */
interface Readable { readonly type: string; readonly payload: unknown }

/**
 * Whether an event may be given to who has these rights, whatever the way it comes. The router's own names are for who manages it; and a record of the
 * router that holds another event, as a dead letter or a delayed event does, is as secret as that.
 */
export function mayReadEvent(rights: Rights, event: Readable): boolean {
  if (!isReserved(event.type)) return rights.allows("subscribe", event.type);
  if (!rights.has("manage")) return false;
  const { line } = (event.payload ?? {}) as { line?: unknown };
  return line === undefined || (typeof line === "string" && rights.allows("subscribe", typeOf(line)));
}

/** Of an event as it is in the log, `[seq,time,from,"id","type",…]`, or as its publisher wrote it, `["id","type",…]`. */
function typeOf(line: string): string {
  const parts = JSON.parse(line) as readonly unknown[];
  return String(typeof parts[0] === "number" ? parts[4] : parts[1]);
}

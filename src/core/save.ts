import { everything, type Principal, type SavedPrincipal } from "./policy.ts";
import type { Cursor } from "./reader.ts";
import type { SavedCursor } from "./saved-session.ts";

export function savePrincipal({ rights, ...principal }: Principal): SavedPrincipal {
  return { ...principal, ...(rights === everything && { everything: 1 }) };
}

export function saveCursor({ id, interest: { topics, filter }, place, window, durable, finished }: Cursor): SavedCursor {
  const runs = window.save();
  return { id, ...(durable !== undefined && { durable, finished }), topics, ...(filter !== undefined && { filter }), ...(place.state === "behind" && { after: place.after }), ...(runs.length > 0 && { window: runs }) };
}

import type { Sighting } from "../support/history.ts";

/** What each event of a simulation carries: its namespace, who published it, as which of their events. */
export interface Mark { readonly ns: string; readonly p: string; readonly n: number; readonly pad?: string }

export function sightingOf({ seq, id, type, payload, target }: { readonly seq: number; readonly id: string; readonly type: string; readonly payload: unknown; readonly target?: string | undefined }, epoch: string): Sighting {
  // A record of the router's own.
  if (type.startsWith("$")) return { epoch, seq, id, type, publisher: "$router", number: seq };
  const { ns, p, n } = payload as Mark;
  return { epoch, seq, id, type, publisher: p, number: n, namespace: ns, ...(target !== undefined && { target }) };
}

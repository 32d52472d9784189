import type { LogEvent } from "./log-event.ts";
import type { Outgoing } from "./link.ts";
import type { Slip } from "./window.ts";

/** What one subscription has of a parcel. */
export interface Share { readonly id: number; readonly slip: Slip }

/** Events as one frame, with the slips by which windows account for them. Made once for all sessions that get the same. */
export interface Parcel {
  readonly events: readonly LogEvent[];
  /** For which subscriptions each event is. */
  readonly subs: readonly (readonly number[])[];
  /** The one frame, as a port takes it. */
  readonly messages: readonly [Outgoing];
  /** One for each subscription; none for ephemeral events, which nobody acks. */
  readonly shares: readonly Share[];
}

const noShares: readonly Share[] = [];

export function parcel(events: readonly LogEvent[], subs: readonly (readonly number[])[]): Parcel {
  const uniform = subs.every((ids) => ids === subs[0] || sameIds(ids, subs[0]!));
  let lines = "";
  for (const event of events) lines = lines === "" ? event.line : `${lines},${event.line}`;
  const text = uniform ? `["ev",${JSON.stringify(subs[0])},[${lines}]]` : `["mix",${JSON.stringify(subs)},[${lines}]]`;
  const shares = events[0]!.seq === 0 ? noShares : uniform ? sharedSlip(events, subs[0]!) : ownSlips(events, subs);
  return { events, subs, messages: [{ text }], shares };
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

function sharedSlip(events: readonly LogEvent[], ids: readonly number[]): readonly Share[] {
  const slip = slipOf(events);
  return ids.map((id) => ({ id, slip }));
}

function ownSlips(events: readonly LogEvent[], subs: readonly (readonly number[])[]): readonly Share[] {
  const byId = new Map<number, LogEvent[]>();
  events.forEach((event, i) => {
    for (const id of subs[i]!) {
      const own = byId.get(id);
      if (own === undefined) byId.set(id, [event]);
      else own.push(event);
    }
  });
  return Array.from(byId, ([id, own]) => ({ id, slip: slipOf(own) }));
}

function slipOf(events: readonly LogEvent[]): Slip {
  const seqs: number[] = [];
  const sizes: number[] = [];
  let size = 0;
  for (const event of events) {
    seqs.push(event.seq);
    sizes.push((size += event.size));
  }
  return { seqs, sizes };
}

import type { EventLine } from "../line.ts";
import type { RouterFrame } from "../frames.ts";
import type { Rights } from "../policy.ts";
import { mayReadEvent } from "../secrecy.ts";

/** Whether these rights let all events of a frame pass that another router has sent, which may not have heard yet that they are others now. */
export function isLegible(line: string, rights: Rights): boolean {
  const frame = JSON.parse(line) as RouterFrame;
  const may = (event: EventLine): boolean => mayReadEvent(rights, { type: event[4], payload: event[5] });
  switch (frame[0]) {
    case "job": return may(frame[4]);
    case "ev": case "mix": return frame[2].every(may);
    default: return true;
  }
}

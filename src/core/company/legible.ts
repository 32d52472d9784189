import type { EventLine } from "../line.ts";
import type { RouterFrame } from "../frames.ts";
import type { Rights } from "../policy.ts";
import { mayReadEvent } from "../secrecy.ts";

/**
 * A frame of events that another router has sent, without those that these rights do not let pass; undefined if none is left. That router may not have heard
 * yet that they are others now. What it takes for being in hand it gives to somebody else when its time is over, or passes over once it has heard.
 */
export function legible(line: string, rights: Rights): string | undefined {
  const frame = JSON.parse(line) as RouterFrame;
  const may = (event: EventLine): boolean => mayReadEvent(rights, { type: event[4], payload: event[5] });
  switch (frame[0]) {
    case "job": return may(frame[4]) ? line : undefined;
    case "ev": {
      const events = frame[2].filter(may);
      return events.length === 0 ? undefined : events.length === frame[2].length ? line : JSON.stringify(["ev", frame[1], events]);
    }
    case "mix": {
      const events = frame[2].filter(may);
      return events.length === 0 ? undefined : events.length === frame[2].length ? line : JSON.stringify(["mix", frame[1].filter((_, i) => may(frame[2][i]!)), events]);
    }
    default: return line;
  }
}

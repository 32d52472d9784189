import type { PatternClient } from "../../../src/pattern-client.ts";
import type { BaseOptions } from "../../../src/client/options.ts";
import type { Durability } from "../../../src/core/frames.ts";
import type { RouterEvent } from "../../../src/core/event.ts";

/** A router in one of its homes, and how to reach it. */
export interface Home {
  readonly durability: Durability;
  /** A new client with a connection of its own; closed with the home. */
  connect(options?: BaseOptions): PatternClient;
  /** Breaks all connections, as a network does: nobody is told. */
  cut(): void;
  /** Ends the router and starts it on the same store; absent where the store does not outlive it. */
  restart?(): Promise<void>;
  close(): Promise<void>;
}

export type MakeHome = (options?: { retention?: { maxEvents?: number } }) => Promise<Home>;

/** For calls that must succeed, however slow the machine is. */
export const PATIENT = { timeout: "2m" } as const;

/** Collects what a subscription gets, and waits for a number of events. */
export function collector(): { readonly events: RouterEvent[]; readonly handler: (event: RouterEvent) => void; readonly seqs: () => number[]; count(number: number): Promise<readonly RouterEvent[]> } {
  const events: RouterEvent[] = [];
  let wake = (): void => {};
  return {
    events,
    handler(event) {
      events.push(event);
      wake();
    },
    seqs: () => events.map(({ seq }) => seq),
    async count(number) {
      while (events.length < number) await new Promise<void>((resolve) => { wake = resolve; });
      return events;
    },
  };
}

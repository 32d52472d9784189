import { patternsOf } from "../client/read-arguments.ts";
import { regExpAsFilter } from "../client/subscribe-options.ts";
import type { RouterEvent } from "../core/event.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import type { WindowSource } from "./window-options.ts";

interface Page { readonly epoch: string; readonly events: readonly EventLine[]; readonly next: number | null }

/** Whether the router has nothing for the windows behind this event. @throws without a connection. */
export async function isLast({ seq, epoch }: RouterEvent, source: WindowSource<RouterEvent>): Promise<boolean> {
  const { wanted, accepts, limit } = await selection(source);
  const timestamp = timestamps();
  // What is behind an ephemeral event is not known, nor what another life of the log has.
  for (let after: number | null = seq; after !== null && after > 0; ) {
    const page = await source.tools.call("read", { ...wanted, after, limit }) as Page;
    if (page.epoch !== epoch) return true;
    for (const line of page.events) if (await accepts(decodeLine(line, epoch, timestamp))) return false;
    after = page.next;
  }
  return true;
}

/** What to ask the router for, and what is left to ask here: it cannot look into encrypted payloads. */
async function selection({ topics: patterns, options: { filter }, tools }: WindowSource<RouterEvent>): Promise<{ readonly wanted: object; readonly limit: number; accepts(event: RouterEvent): boolean | Promise<boolean> }> {
  const topics = patternsOf(patterns);
  const opener = await tools.vault();
  if (filter === undefined || opener === undefined) {
    return { wanted: filter === undefined ? { topics } : { topics, filter: JSON.parse(JSON.stringify(filter, regExpAsFilter)) as object }, limit: 1, accepts: () => true };
  }
  const { splitSpec } = await import("../client/encryption/split-filter.ts");
  const { spec, accepts = () => true } = splitSpec({ topics, filter });
  return {
    wanted: spec, limit: 100,
    // What cannot be opened reaches no window.
    accepts: (event) => opener.openEvent(event).then(() => accepts(event), () => false),
  };
}

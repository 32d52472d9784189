import type { OutboxEntry } from "../client-outbox.ts";
import type { DeadLetter } from "./dead-letters.ts";
import type { Entry } from "./entry.ts";

/** What is in an outbox, as its user sees it: first what was refused, then what waits. */
export async function listing(dead: readonly DeadLetter[], waiting: AsyncIterable<Entry>): Promise<OutboxEntry[]> {
  const listed = dead.flatMap(({ entry, error }) => rows(entry, { state: "dead", error }));
  for await (const entry of waiting) listed.push(...rows(entry, { state: "waiting" }));
  return listed;
}

function rows({ events }: Entry, rest: Pick<OutboxEntry, "state" | "error">): OutboxEntry[] {
  const together = events.length > 1 && { together: events[0]!.id };
  return events.map(({ id, type, payload, priority, timestamp }) => ({ id, type, payload, priority, queuedAt: timestamp, ...together, ...rest }));
}

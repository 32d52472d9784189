import type { EventRouterClient, RouterEvent } from "../../src/index.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import type { Attempt, Life, Sighting } from "./history.ts";
import { sightingOf, type Mark } from "./recorder.ts";

/** The log as it is in a SQLite file that no process has open. */
export async function logInFile(file: string): Promise<Life> {
  const store = await sqliteStore(file);
  try {
    const log = await store.open("default");
    const events = await log.read(0, { events: Infinity, size: Infinity });
    return { epoch: log.epoch, first: log.first, events: events.map((event) => sightingOf(event, log.epoch)) };
  } finally {
    await store.close();
  }
}

/** The log as a router tells it. */
export async function logOf(client: EventRouterClient): Promise<Life> {
  const events: Sighting[] = [];
  let first: number | undefined;
  let epoch = "";
  for (let after: number | null = 0; after !== null; ) {
    const page = (await client.call("read", { after, limit: 1_000 })) as { epoch: string; events: [number, number, unknown, string, string, Mark][]; next: number | null };
    epoch = page.epoch;
    for (const [seq, , , id, type, payload] of page.events) {
      first ??= seq;
      events.push(sightingOf({ seq, id, type, payload } as RouterEvent, epoch));
    }
    after = page.next;
  }
  return { epoch, first: first ?? 1, events };
}

/**
 * What publishers tried that did not live to tell: each of their events that is in the log, of whose fate nothing is known.
 * @param known publishers that have told
 */
export function untold({ events }: Life, known: ReadonlySet<string>): Attempt[] {
  return events.filter(({ publisher }) => !known.has(publisher)).map(({ publisher, number }) => ({ publisher, number, fate: { state: "unknown" } }));
}

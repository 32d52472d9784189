import { PermissionError } from "../index.ts";
import { ask } from "./ask.ts";
import type { RouterAccess } from "./router-access.ts";
import type { Place, Selection } from "./selection.ts";
import type { Shell } from "./shell.ts";

/** An event as REST shows it, names in snake_case. */
export interface HistoryEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly seq: number;
  readonly epoch: string;
  readonly timestamp: string;
  readonly [field: string]: unknown;
}

/** The part of a log that a command goes through. */
export interface Range extends Selection {
  readonly from?: Place | undefined;
  readonly to?: Place | undefined;
}

/** So many events in memory at a time. */
const PAGE = "1000";

/**
 * Pages of a log from `from` to `to`, both included; else from its beginning to its end as it is when that is reached. Some pages are empty.
 * Who may manage the log gets all of it; others not what is meant for one client, and are told.
 */
export async function* readHistory(router: RouterAccess, { topics, filter, from, to }: Range, { stop, note }: Pick<Shell, "stop" | "note">): AsyncGenerator<readonly HistoryEvent[]> {
  const query = {
    topics: topics.join(","), limit: PAGE,
    ...(filter !== undefined && { filter: JSON.stringify(filter) }), ...(from !== undefined && { from: placeText(from) }), ...(to !== undefined && { to: placeText(to) }),
  };
  let targets: "any" | undefined = "any";
  let cursor: string | undefined;
  const read = (): Promise<Page> => ask<Page>(router, "/api/v1/events", { signal: AbortSignal.any([stop, AbortSignal.timeout(router.timeout)]), query: { ...query, cursor, targets } });
  do {
    const page = await read().catch((error: unknown) => {
      if (!(error instanceof PermissionError) || targets === undefined) throw error;
      targets = undefined;
      note('event-router: events for single clients are left out: the credential needs "manage" for them');
      return read();
    });
    yield page.events;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

interface Page { readonly events: readonly HistoryEvent[]; readonly next_cursor: string | null }

function placeText(place: Place): string {
  return typeof place === "number" ? String(place) : place.toISOString();
}

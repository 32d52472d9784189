import { Hono } from "hono";
import { fromWire, type WireError } from "../../core/errors.ts";
import { timestamps, type EventLine } from "../../core/line.ts";
import type { Door } from "../door.ts";
import { eventJson } from "../event-json.ts";
import type { HttpDeps } from "../http-deps.ts";
import { problemOf } from "../problem.ts";
import { readBody } from "../read-body.ts";
import { deadLetterChoice, deadLetterQuery, plainQuery, readAs, type DeadLetterChoice } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

/** As the router's `dead.list` answers. */
interface Letter { readonly id: string; readonly subscription: string; readonly attempts: number; readonly error: { readonly name: string; readonly message: string }; readonly failedAt: number; readonly retrying: boolean; readonly event: EventLine }
interface LetterPage { readonly epoch: string; readonly letters: readonly Letter[]; readonly total: number; readonly next: string | null }

const PAGE = 1_000;

/** Events that failed for good, for who may manage: see them, try them again where they failed, give them up. */
export function deadLetterRoutes({ doors, router: { limits }, callerOf }: HttpDeps): Hono {
  const app = new Hono();

  app.get("/dead-letters", async (c) => {
    const { subscription, cursor, limit } = readAs(deadLetterQuery, c.req.query(), "ERR_QUERY");
    const params = { limit: Number(limit ?? 100), ...(subscription !== undefined && { subscription }), ...(cursor !== undefined && { after: cursor }) };
    const { epoch, letters, total, next } = await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<LetterPage>("dead.list", params));
    const timestamp = timestamps();
    return c.json({ dead_letters: letters.map((letter) => letterJson(letter, epoch, timestamp)), total, next_cursor: next });
  });

  app.post("/dead-letters/retry", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    const choice = readAs(deadLetterChoice, await readBody(c, limits.frame), "ERR_BODY");
    const { retrying, failed } = await doors.through(visitorOf(c, callerOf(c.env)), async (door) =>
      door.call<{ readonly retrying: readonly string[]; readonly failed: readonly (readonly [string, WireError])[] }>("dead.retry", await chosen(door, choice)));
    return c.json({ retrying, failed: failed.map(([id, error]) => ({ dead_letter_id: id, problem: problemOf(fromWire(error)) })) });
  });

  app.post("/dead-letters/discard", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    const choice = readAs(deadLetterChoice, await readBody(c, limits.frame), "ERR_BODY");
    return c.json(await doors.through(visitorOf(c, callerOf(c.env)), async (door) => door.call<{ readonly discarded: readonly string[] }>("dead.discard", await chosen(door, choice))));
  });

  return app;
}

/** The event, and what became of it. */
function letterJson({ id, subscription, attempts, error, failedAt, retrying, event }: Letter, epoch: string, timestamp: (time: number) => string): Readonly<Record<string, unknown>> {
  return { ...eventJson(event, epoch, timestamp), dead_letter_id: id, subscription, attempts, last_error: error.message, error_name: error.name, failed_at: new Date(failedAt).toISOString(), retrying };
}

async function chosen(door: Door, { dead_letter_ids: ids, event_ids: events, all, subscription }: DeadLetterChoice): Promise<Readonly<Record<string, unknown>>> {
  if (all === true) return { all, ...(subscription !== undefined && { subscription }) };
  return { ids: ids ?? await idsOfEvents(door, new Set(events), subscription) };
}

/** An event may have failed at several subscriptions. */
async function idsOfEvents(door: Door, events: ReadonlySet<string>, subscription: string | undefined): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ;) {
    const page: LetterPage = await door.call<LetterPage>("dead.list", { limit: PAGE, ...(subscription !== undefined && { subscription }), ...(after !== undefined && { after }) });
    for (const { id, event } of page.letters) if (events.has(event[3])) ids.push(id);
    if (page.next === null) return ids;
    after = page.next;
  }
}

import { Hono } from "hono";
import type * as z from "zod";
import { ConflictError, ValidationError } from "../../core/errors.ts";
import { timestamps } from "../../core/line.ts";
import type { Page } from "../door.ts";
import { eventJson } from "../event-json.ts";
import type { HttpDeps } from "../http-deps.ts";
import { historyQuery, readAs } from "../schemas.ts";
import { readPlace, readPosition, readSelection } from "../selection.ts";
import { visitorOf } from "../visitor.ts";

/** The part of a log that a query asks for. */
interface Range {
  /** What the router's `read` is asked: behind a seq, from and to a time (ms). */
  readonly read: { readonly after?: number; readonly from?: number; readonly to?: number };
  readonly lastSeq: number;
  /** The life of the log that a cursor belongs to. */
  readonly epoch: string | undefined;
}

/** `GET /events`: history, in pages. */
export function historyRoutes({ doors, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.get("/events", async (c) => {
    const query = readAs(historyQuery, c.req.query(), "ERR_QUERY");
    const { read, lastSeq, epoch } = rangeOf(query);
    const params = { ...readSelection(query), ...read, limit: Number(query.limit ?? 100), ...(query.targets !== undefined && { targets: query.targets }) };
    const page = await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<Page>("read", params));
    if (epoch !== undefined && epoch !== page.epoch) throw new ConflictError("ERR_CURSOR_EPOCH", "the log this cursor belongs to is gone, and another has begun; start again without a cursor", { details: { epoch: page.epoch } });
    const lines = page.events.filter(([seq]) => seq <= lastSeq);
    const goesOn = page.next !== null && page.next < lastSeq;
    const timestamp = timestamps();
    return c.json({ events: lines.map((line) => eventJson(line, page.epoch, timestamp)), next_cursor: goesOn ? `${page.epoch}:${page.next}` : null });
  });
  return app;
}

/** @throws ValidationError */
function rangeOf(query: z.infer<typeof historyQuery>): Range {
  const from = query.from === undefined ? undefined : readPlace(query.from, "from");
  const to = query.to === undefined ? undefined : readPlace(query.to, "to");
  const cursor = query.cursor === undefined ? undefined : readPosition(query.cursor);
  if (query.cursor !== undefined && cursor === undefined) throw new ValidationError("ERR_QUERY", "cursor must be a next_cursor of an earlier answer", { details: { path: "cursor" } });
  const [epoch, after] = cursor ?? [undefined, from !== undefined && "seq" in from ? Math.max(from.seq - 1, 0) : undefined];
  return {
    read: { ...(after !== undefined && { after }), ...(from !== undefined && "time" in from && { from: from.time }), ...(to !== undefined && "time" in to && { to: to.time }) },
    lastSeq: to !== undefined && "seq" in to ? to.seq : Infinity,
    epoch,
  };
}

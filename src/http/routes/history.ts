import { Hono } from "hono";
import type * as z from "zod";
import { ConflictError, EventRouterError, ValidationError } from "../../core/errors.ts";
import type { Page } from "../door.ts";
import { BATCH, eventResponse, eventWriter, formatOf } from "../event-format.ts";
import type { HttpDeps } from "../http-deps.ts";
import { eventQuery, historyQuery, readAs } from "../schemas.ts";
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

/** `GET /events`: history, in pages; `GET /events/{seq}`: one event of it. */
export function historyRoutes({ doors, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.get("/events", async (c) => {
    const query = readAs(historyQuery, c.req.query(), "ERR_QUERY");
    const { read, lastSeq, epoch } = rangeOf(query);
    const params = { ...readSelection(query), ...read, limit: Number(query.limit ?? 100), ...(query.targets !== undefined && { targets: query.targets }) };
    const visitor = visitorOf(c, callerOf(c.env));
    const page = await doors.through(visitor, (door) => door.call<Page>("read", params));
    if (epoch !== undefined && epoch !== page.epoch) throw new ConflictError("ERR_CURSOR_EPOCH", "the log this cursor belongs to is gone, and another has begun; start again without a cursor", { details: { epoch: page.epoch } });
    const lines = page.events.filter(([seq]) => seq <= lastSeq);
    const cursor = page.next !== null && page.next < lastSeq ? `${page.epoch}:${page.next}` : null;
    const format = formatOf(c, query.format);
    const events = lines.map(eventWriter(format, page.epoch, visitor.namespace));
    c.header("Vary", "Accept", { append: true });
    if (format === "json") return c.json({ events, next_cursor: cursor });
    // A batch of CloudEvents has no room for it.
    if (cursor !== null) c.header("Link", `<${nextPage(c.req.url, cursor)}>; rel="next"`);
    return c.body(JSON.stringify(events), 200, { "Content-Type": BATCH });
  });
  app.get("/events/:seq{[0-9]{1,15}}", async (c) => {
    const { targets, format } = readAs(eventQuery, c.req.query(), "ERR_QUERY");
    const seq = Number(c.req.param("seq"));
    const visitor = visitorOf(c, callerOf(c.env));
    const { events: [line], epoch } = await doors.through(visitor, (door) => door.call<Page>("read", { after: Math.max(seq - 1, 0), limit: 1, ...(targets !== undefined && { targets }) }));
    if (line?.[0] !== seq) throw new EventRouterError("ERR_NOT_FOUND", `there is no event ${seq} that you may read; it may have been forgotten, or not have come yet`);
    return eventResponse(c, line, { format: formatOf(c, format), epoch, namespace: visitor.namespace });
  });
  return app;
}

function nextPage(url: string, cursor: string): string {
  const { pathname, searchParams } = new URL(url);
  searchParams.set("cursor", cursor);
  return `${pathname}?${searchParams.toString()}`;
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

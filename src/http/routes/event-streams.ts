import { Hono } from "hono";
import { ValidationError } from "../../core/errors.ts";
import { timestamps, type EventLine } from "../../core/line.ts";
import { eventJson } from "../event-json.ts";
import type { HttpDeps } from "../http-deps.ts";
import { publishEvents } from "../publish-events.ts";
import { readEvents } from "../read-events.ts";
import { readAs, streamAppendQuery, streamReadQuery } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

/** A page of an event stream, as the router's `stream` answers; `length` is the stream's next version, `next` the version to go on from. */
interface StreamPage { readonly epoch: string; readonly events: readonly EventLine[]; readonly length: number; readonly next: number | null }

/** `/streams/{stream}/events`: read and append. */
export function eventStreamRoutes({ doors, router: { limits }, callerOf }: HttpDeps): Hono {
  const app = new Hono();

  app.get("/streams/:stream/events", async (c) => {
    const { from_version: from, limit, direction } = readAs(streamReadQuery, c.req.query(), "ERR_QUERY");
    const params = { stream: c.req.param("stream"), limit: Number(limit ?? 100), ...(from !== undefined && { from: Number(from) }), ...(direction !== undefined && { direction }) };
    const { epoch, events, length, next } = await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<StreamPage>("stream", params));
    const timestamp = timestamps();
    return c.json({ events: events.map((line) => eventJson(line, epoch, timestamp)), length, next_version: next });
  });

  app.post("/streams/:stream/events", async (c) => {
    const { expected_version: expected = "any" } = readAs(streamAppendQuery, c.req.query(), "ERR_QUERY");
    const stream = c.req.param("stream");
    const { events, several } = await readEvents(c, limits.frame);
    const foreign = events.findIndex((event) => (event.stream ?? stream) !== stream || event.ephemeral === true);
    if (foreign !== -1) throw new ValidationError("ERR_BODY", `${several ? `[${foreign}]` : "the event"} is for another stream, or for none; leave out stream and ephemeral`, { details: { path: several ? `[${foreign}]` : "" } });
    const expect = expected === "any" ? undefined : ([stream, expected === "no-stream" ? expected : Number(expected)] as const);
    const receipts = await publishEvents(c, { doors, limits, visitor: visitorOf(c, callerOf(c.env)), events: events.map((event) => ({ ...event, stream })), several, ...(expect && { expect }) });
    return c.json(several ? receipts : receipts[0]!, 201);
  });

  return app;
}

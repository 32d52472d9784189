import { Hono, type Context } from "hono";
import { milliseconds, type Duration } from "../../core/duration.ts";
import { eventResponse, STRUCTURED, type EventFormat } from "../event-format.ts";
import { lineOf } from "../event-lines.ts";
import type { HttpDeps } from "../http-deps.ts";
import { readBody } from "../read-body.ts";
import { readEvents } from "../read-events.ts";
import { readAs, requestBody, requestQuery, type EventBody } from "../schemas.ts";
import { carryTrace } from "../trace.ts";
import { visitorOf } from "../visitor.ts";
import { ValidationError } from "../../core/errors.ts";
import { isBinaryMode } from "../cloud-events/binary-mode.ts";

const TIMEOUT = 10_000;

interface Question { readonly body: EventBody; readonly timeout: Duration; readonly format: EventFormat }

/** `POST /requests`: asks, and answers with the response's payload; a CloudEvent is answered with one, in the same mode. */
export function requestRoutes({ doors, router, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.post("/requests", async (c) => {
    const { body, timeout, format } = await readQuestion(c, router.limits.frame);
    const ms = Math.ceil(milliseconds(timeout, "timeout"));
    const visitor = visitorOf(c, callerOf(c.env));
    const { line, epoch } = await doors.through(visitor, async (door) => ({
      line: await door.request(lineOf(body, door.eventId(), router.limits, ""), ms, c.req.raw.signal), epoch: door.epoch,
    }));
    if (format !== "json") return eventResponse(c, line, { format, epoch, namespace: visitor.namespace });
    return c.body(JSON.stringify(line[5]), 200, { "Content-Type": "application/json" });
  });
  return app;
}

async function readQuestion(c: Context, limit: number): Promise<Question> {
  const { timeout: asked } = readAs(requestQuery, c.req.query(), "ERR_QUERY");
  const named = asked !== undefined && /^\d+$/.test(asked) ? Number(asked) : asked;
  if (isBinaryMode((name) => c.req.header(name)) || c.req.header("Content-Type")?.toLowerCase().startsWith(STRUCTURED)) {
    const { events: [event], format } = await readEvents(c, limit);
    return { body: event!, timeout: named ?? TIMEOUT, format };
  }
  const { timeout, ...body } = readAs(requestBody, await readBody(c, limit), "ERR_BODY");
  if (timeout !== undefined && named !== undefined) throw new ValidationError("ERR_QUERY", "timeout is given twice; give it in the body or in the query", { details: { path: "timeout" } });
  return { body: carryTrace(c, body), timeout: timeout ?? named ?? TIMEOUT, format: "json" };
}

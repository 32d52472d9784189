import { Hono } from "hono";
import { milliseconds } from "../../core/duration.ts";
import { lineOf } from "../event-lines.ts";
import type { HttpDeps } from "../http-deps.ts";
import { readBody } from "../read-body.ts";
import { readAs, requestBody } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

const TIMEOUT = 10_000;

/** `POST /requests`: asks, and answers with the response's payload. */
export function requestRoutes({ doors, router, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.post("/requests", async (c) => {
    const { timeout = TIMEOUT, ...body } = readAs(requestBody, await readBody(c, router.limits.frame), "ERR_BODY");
    const ms = Math.ceil(milliseconds(timeout, "timeout"));
    const [, , , , , payload] = await doors.through(visitorOf(c, callerOf(c.env)), (door) =>
      door.request(lineOf(body, door.eventId(), router.limits, ""), ms, c.req.raw.signal));
    return c.body(JSON.stringify(payload), 200, { "Content-Type": "application/json" });
  });
  return app;
}

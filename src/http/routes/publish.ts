import { Hono } from "hono";
import type { HttpDeps } from "../http-deps.ts";
import { publishEvents } from "../publish-events.ts";
import { readEvents } from "../read-events.ts";
import { visitorOf } from "../visitor.ts";

/** `POST /events`: publish one, or several all or none. */
export function publishRoutes({ doors, router: { limits }, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.post("/events", async (c) => {
    const { events, several } = await readEvents(c, limits.frame);
    const receipts = await publishEvents(c, { doors, limits, visitor: visitorOf(c, callerOf(c.env)), events, several });
    return c.json(several ? receipts : receipts[0]!, 201);
  });
  return app;
}

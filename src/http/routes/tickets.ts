import { Hono } from "hono";
import type { HttpDeps } from "../http-deps.ts";
import { plainQuery, readAs } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

/** `POST /tickets`: a stand-in for the caller's credential, for a browser's `EventSource` and `WebSocket`, which can send nothing but a URL. */
export function ticketRoutes({ doors, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.post("/tickets", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    const { ticket, expiresIn } = await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<{ ticket: string; expiresIn: number }>("ticket"));
    return c.json({ ticket, expires_in: expiresIn / 1_000 }, 201);
  });
  return app;
}

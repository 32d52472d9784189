import { Hono } from "hono";
import { snakeCase } from "../event-json.ts";
import type { HttpDeps } from "../http-deps.ts";
import { plainQuery, readAs } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

type Facts = Readonly<Record<string, unknown>>;

/** What the router says of a namespace, to who may manage it. */
export function managementRoutes({ doors, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.get("/stats", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    return c.json(snakeCase(await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<Facts>("stats"))));
  });
  app.get("/subscriptions", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    return c.json((await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<readonly Facts[]>("subscriptions"))).map(snakeCase));
  });
  return app;
}

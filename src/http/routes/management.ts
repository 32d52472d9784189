import { Hono } from "hono";
import { milliseconds } from "../../core/duration.ts";
import { snakeCase } from "../event-json.ts";
import type { HttpDeps } from "../http-deps.ts";
import { readBody } from "../read-body.ts";
import { plainQuery, purgeBody, readAs } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

type Facts = Readonly<Record<string, unknown>>;

/** What the router says of a namespace, to who may manage it. */
export function managementRoutes({ doors, clock, router: { limits }, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.get("/stats", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    return c.json(snakeCase(await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<Facts>("stats"))));
  });
  app.get("/subscriptions", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    return c.json((await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<readonly Facts[]>("subscriptions"))).map(snakeCase));
  });
  app.post("/purge", async (c) => {
    readAs(plainQuery, c.req.query(), "ERR_QUERY");
    const { older_than: age, before, up_to: upTo, confirm = false } = readAs(purgeBody, await readBody(c, limits.frame), "ERR_BODY");
    const params = upTo !== undefined ? { upTo } : { before: Math.max(age !== undefined ? Math.floor(clock.now() - milliseconds(age, "older_than")) : Date.parse(before!), 0) };
    const purged = await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call<Facts>("purge", { ...params, dryRun: !confirm }));
    return c.json({ ...snakeCase(purged), dry_run: !confirm });
  });
  return app;
}

import { Hono } from "hono";
import { EventRouterError } from "../../core/errors.ts";
import type { HttpDeps } from "../http-deps.ts";
import { visitorOf } from "../visitor.ts";

/** `GET /health` for whoever asks, in words that tell no secrets; `GET /metrics` for who may manage every namespace. */
export function healthRoutes({ router, doors, metrics, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.get("/health", (c) => {
    const { healthy, checks } = router.health();
    return c.json({ status: healthy ? "healthy" : "unhealthy", checks }, healthy ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    if (metrics === undefined) throw new EventRouterError("ERR_NOT_FOUND", "this host keeps no metrics; see /api/v1/stats");
    // The router's own answer is not needed, its leave is.
    await doors.through(visitorOf(c, callerOf(c.env)), (door) => door.call("oversee"));
    const { type, text } = await metrics();
    return c.body(text, 200, { "Content-Type": type });
  });
  return app;
}

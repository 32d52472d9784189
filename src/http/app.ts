import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Clock } from "../core/clock.ts";
import { asError, EventRouterError } from "../core/errors.ts";
import type { Caller } from "../core/policy.ts";
import type { Router } from "../core/router.ts";
import { Doors } from "./doors.ts";
import { gate } from "./gate.ts";
import type { HttpDeps } from "./http-deps.ts";
import { problem } from "./problem.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventStreamRoutes } from "./routes/event-streams.ts";
import { healthRoutes } from "./routes/health.ts";
import { historyRoutes } from "./routes/history.ts";
import { managementRoutes } from "./routes/management.ts";
import { publishRoutes } from "./routes/publish.ts";
import { requestRoutes } from "./routes/requests.ts";
import { ticketRoutes } from "./routes/tickets.ts";
import { streamRoutes } from "./routes/stream.ts";

export interface AppOptions {
  readonly router: Pick<Router, "connect" | "health" | "limits">;
  readonly clock: Clock;
  randomBytes(count: number): Uint8Array;
  /** Origins of pages that may use the router besides its own. */
  readonly origins?: readonly string[];
  /** Names under which the server may be addressed; undefined: any. */
  readonly hosts?: readonly string[] | undefined;
  /** Milliseconds for which a visitor's session is kept for the next request; 0: not at all, and no timer waits. Default 15 s. */
  readonly keepSessions?: number;
  readonly metrics?: HttpDeps["metrics"];
  /** What the host knows of the caller, from what it passes along with a request. */
  callerOf?(env: unknown): Caller;
  /** Gets what a route threw and should not have. */
  onError?(error: unknown): void;
}

/**
 * The HTTP side of a router, as one `fetch`. It holds no rights of its own: each call is made in a session with the caller's credential, as over any other
 * transport.
 * @example
 * const app = createApp({ router, clock, randomBytes });
 * const response = await app.fetch(new Request("http://router/health"));
 */
export function createApp({ router, clock, randomBytes, origins = [], hosts, keepSessions, metrics, callerOf = () => ({}), onError = () => {} }: AppOptions): Hono {
  const deps: HttpDeps = { router, clock, metrics, callerOf, doors: new Doors(router, { ...clock, randomBytes }, keepSessions) };
  const refusal = gate({ origins, hosts });
  const app = new Hono();

  app.use(async (c, next) => {
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer");
    c.header("X-Frame-Options", "DENY");
    // What one caller is told is for no cache that others ask.
    if (c.req.path.startsWith("/api/")) c.header("Cache-Control", "no-store");
    // Whether it is well is no secret, and a balancer asks by address.
    const refused = c.req.path === "/health" ? undefined : refusal(c.req.header("Origin"), c.req.header("Host"));
    return refused === undefined ? next() : problem(c, refused);
  });
  if (origins.length > 0) app.use(cors({ origin: [...origins], exposeHeaders: ["Retry-After", "Link"], maxAge: 600 }));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => {
    c.header("Allow", methods.join(", "));
    return problem(c, new EventRouterError("ERR_METHOD_NOT_ALLOWED", `${c.req.path} takes ${methods.join(", ")}`));
  } }));
  for (const routes of [publishRoutes, historyRoutes, streamRoutes, requestRoutes, eventStreamRoutes, managementRoutes, deadLetterRoutes, ticketRoutes]) app.route("/api/v1", routes(deps));
  app.route("/", healthRoutes(deps));
  app.route("/", docsRoutes());

  app.notFound((c) => problem(c, new EventRouterError("ERR_NOT_FOUND", `there is no ${c.req.path}; events are at /api/v1/events, their stream at /api/v1/events/stream, WebSockets at /ws, all of it is described at /docs`)));
  app.onError((thrown, c) => problem(c, asError(thrown, (cause) => {
    onError(cause);
    return new EventRouterError("ERR_INTERNAL", "the router failed; see its log", { cause });
  })));
  return app;
}

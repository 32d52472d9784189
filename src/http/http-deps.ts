import type { Clock } from "../core/clock.ts";
import type { Caller } from "../core/policy.ts";
import type { Router } from "../core/router.ts";
import type { Doors } from "./doors.ts";

/** What the routes work with. */
export interface HttpDeps {
  readonly router: Pick<Router, "connect" | "health" | "limits">;
  readonly doors: Doors;
  readonly clock: Clock;
  /** What the host knows of the caller, from what it passes along with a request. */
  callerOf(env: unknown): Caller;
  /** The figures of the process in Prometheus' text; undefined: the host has none. */
  readonly metrics: (() => Promise<{ readonly type: string; readonly text: string }>) | undefined;
}

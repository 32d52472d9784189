import type { Clock } from "../core/clock.ts";
import type { Router } from "../core/router.ts";
import type { Doors } from "./doors.ts";

/** What the routes work with. */
export interface HttpDeps {
  readonly router: Pick<Router, "connect" | "health" | "limits">;
  readonly doors: Doors;
  readonly clock: Clock;
  /** The caller's address, from what the host passes along with a request. */
  addressOf(env: unknown): string | undefined;
  /** The figures of the process in Prometheus' text; undefined: the host has none. */
  readonly metrics: (() => Promise<{ readonly type: string; readonly text: string }>) | undefined;
}

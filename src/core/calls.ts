import { type Call, type Caller, demand } from "./calls/call.ts";
import { bury, discard, list, retry } from "./calls/dead-letters.ts";
import { cancel, forget, purge, stats, subscriptions } from "./calls/management.ts";
import { readLog } from "./calls/read.ts";
import { readStream } from "./calls/read-stream.ts";
import { PermissionError } from "./errors.ts";
import type { Namespace } from "./namespace.ts";
import type { Health } from "./router-health.ts";
import { TICKET_TIME } from "./tickets.ts";

/** What a router knows beyond a namespace. */
export interface RouterFacts {
  hostStats(): Readonly<Record<string, number | string>>;
  uptime(): number;
  /** @param own the only namespace whose name the caller may learn; undefined: all */
  health(own: string | undefined): Health;
  sessions(namespace: Namespace): Iterable<Caller & { readonly id: string }>;
}

export function calls(facts: RouterFacts): ReadonlyMap<string, Call> {
  return new Map<string, Call>([
    ["read", readLog],
    ["stream", readStream],
    ["ticket", async (caller) => JSON.stringify({ ticket: await caller.ticket(), expiresIn: TICKET_TIME })],
    ["stats", (caller) => stats(caller, { uptime: facts.uptime(), ...facts.hostStats() })],
    ["health", ({ principal, namespace: { name } }) => {
      demand(principal, "manage");
      return JSON.stringify(facts.health(principal.everywhere ? undefined : name));
    }],
    // Leave to know what goes on in all namespaces, for the figures that a host keeps.
    ["oversee", ({ principal }) => {
      demand(principal, "manage");
      if (!principal.everywhere) throw new PermissionError("ERR_PERMISSION", 'the figures of all namespaces are for a credential that may manage every one (namespaces: ["*"]); those of one are at /api/v1/stats', { details: { permission: "manage" } });
      return "true";
    }],
    ["subscriptions", (caller) => subscriptions(caller, facts.sessions(caller.namespace))],
    ["purge", purge],
    ["forget", forget],
    ["cancel", cancel],
    ["dead", bury],
    ["dead.list", list],
    ["dead.retry", retry],
    ["dead.discard", discard],
  ]);
}

import { type Call, demand } from "./calls/call.ts";
import { readLog } from "./calls/read.ts";
import { readStream } from "./calls/read-stream.ts";
import type { Namespace } from "./namespace.ts";
import { namespaceStats } from "./namespace-stats.ts";
import type { Principal } from "./policy.ts";
import type { Reader } from "./reader.ts";
import { TICKET_TIME } from "./tickets.ts";

/** What a router knows beyond a namespace. */
export interface RouterFacts {
  uptime(): number;
  health(): { readonly healthy: boolean; readonly checks: Readonly<Record<string, string>>; readonly issues: readonly string[] };
  sessions(namespace: Namespace): Iterable<{ readonly id: string; readonly reader: Reader; readonly principal: Principal }>;
}

export function calls(facts: RouterFacts): ReadonlyMap<string, Call> {
  return new Map<string, Call>([
    ["read", readLog],
    ["stream", readStream],
    ["ticket", (caller) => JSON.stringify({ ticket: caller.ticket(), expiresIn: TICKET_TIME })],
    ["stats", ({ namespace, principal }) => {
      demand(principal, "manage");
      return JSON.stringify({ ...namespaceStats(namespace), uptime: facts.uptime() });
    }],
    ["health", ({ principal }) => {
      demand(principal, "manage");
      return JSON.stringify(facts.health());
    }],
    ["subscriptions", ({ namespace, principal }) => {
      demand(principal, "manage");
      return JSON.stringify([...facts.sessions(namespace)].flatMap(({ id, reader, principal: { subject } }) =>
        [...reader.cursors.values()].map((cursor) => ({
          id: `${id}:${cursor.id}`, topics: cursor.interest.topics, clientId: id, name: reader.name, subject,
          lag: cursor.place.state === "behind" ? namespace.dispatcher.head - cursor.place.after : 0, inFlight: cursor.window.events,
        }))));
    }],
  ]);
}

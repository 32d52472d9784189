import type { Namespace } from "./namespace.ts";

export interface Health {
  readonly healthy: boolean;
  readonly checks: Readonly<Record<string, string>>;
  /** In words, for people; empty if it is well. */
  readonly issues: readonly string[];
}

/** How long a failure is told of, ms. */
const RECENT = 60_000;

/** How a router is doing. @param own the only namespace that is named, to who may know of no other; undefined: all */
export function routerHealth({ now, stopping, failure, namespaces }: {
  readonly now: number;
  readonly stopping: boolean;
  readonly failure: { readonly at: number; readonly message: string } | undefined;
  readonly namespaces: Iterable<Namespace>;
}, own: string | undefined): Health {
  const issues: string[] = [];
  const recent = failure !== undefined && now - failure.at < RECENT;
  if (recent) issues.push(own === undefined ? `a failure within the last minute: ${failure.message}` : "a failure within the last minute; the router's log has more of it");
  const full = [...namespaces].filter(({ appender }) => appender.full).map(({ name }) => name);
  if (full.length > 0) issues.push(`the store does not keep up in ${own === undefined ? full.join(", ") : full.includes(own) ? own : "another namespace"}`);
  if (stopping) issues.push("the router is stopping");
  return { healthy: issues.length === 0, checks: { transport: stopping ? "stopping" : "ok", persistence: recent ? "failing" : "ok", queue: full.length > 0 ? "full" : "ok" }, issues };
}

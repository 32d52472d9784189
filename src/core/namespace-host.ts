import type { Authorities } from "./authorities.ts";
import { listSubscriptions } from "./calls/management.ts";
import { stopwatch, type Surroundings } from "./clock.ts";
import { leaderLost } from "./company/away.ts";
import { asError, ConnectionError } from "./errors.ts";
import { randomText } from "./event-id.ts";
import type { Port } from "./link.ts";
import type { Namespace, NamespaceHost } from "./namespace.ts";
import { namespaceStats } from "./namespace-stats.ts";
import type { OpenSession } from "./open-session.ts";
import type { Principal } from "./policy.ts";
import type { SavedOpenSession } from "./saved-session.ts";
import type { Session } from "./session.ts";

export interface NamespaceHostOptions {
  readonly clock: Surroundings;
  readonly authorities: Authorities;
  readonly sessions: ReadonlySet<Session>;
  meet(port: Port): Session;
  /** A session that another router vouches for. */
  join(session: Session, namespace: Namespace, principal: Principal, who: Pick<SavedOpenSession, "id" | "instance" | "name">): void;
}

/** What a router's namespaces need of it where several routers share their logs. */
export function namespaceHost({ clock, authorities, sessions, meet, join }: NamespaceHostOptions): NamespaceHost {
  const opened = function* (namespace: Namespace): Iterable<OpenSession> {
    for (const { opened: one } of sessions) if (one?.namespace === namespace) yield one;
  };
  return {
    elapsed: stopwatch(() => clock.now()),
    randomId: () => randomText(16, (count) => clock.randomBytes(count)),
    async vouch(namespace, port, { id, instance, name, principal }) {
      const admitted = await authorities.vouched(principal, namespace.name);
      const session = meet(port);
      if (session.state !== "closed") join(session, namespace, admitted, { id, ...(instance !== undefined && { instance }), ...(name !== undefined && { name }) });
      return {
        receive: (message) => session.receive(message),
        disconnected: () => session.disconnected(),
        async become(newer) {
          try {
            const next = await authorities.vouched(newer, namespace.name);
            session.opened?.become(next);
          } catch (error) {
            session.end(asError(error, (cause) => new ConnectionError("ERR_INTERNAL", "the router could not tell what this client may do; see its log", { cause, retryable: true })));
          }
        },
      };
    },
    tells: (namespace, what) => (what === "stats" ? JSON.stringify(namespaceStats(namespace)) : what === "subscriptions" ? listSubscriptions(namespace, opened(namespace)) : "null"),
    seeks(namespace, subscription) {
      for (const { away, reader } of opened(namespace)) for (const cursor of reader.cursors.values()) if (away !== undefined && cursor.label === subscription) return { away, id: cursor.id };
      return undefined;
    },
    bound(namespace) {
      const bound = [...sessions].filter(({ opened: one }) => one?.namespace === namespace && one.bound);
      return () => { for (const session of bound) session.end(leaderLost()); };
    },
  };
}

import { asError, ConnectionError } from "./errors.ts";
import type { Port } from "./link.ts";
import type { OpenSession } from "./open-session.ts";
import type { Caller } from "./policy.ts";
import type { SavedOpenSession, SavedSession } from "./saved-session.ts";
import type { Session } from "./session.ts";

/** A pipe that stayed while its host slept, and what was saved of the session on it. */
export interface Sleeper {
  readonly port: Port;
  readonly saved: SavedSession;
  readonly caller?: Caller;
}

/** What it takes of a router. */
interface Home {
  /** A pipe whose hello is still to come, or has come. */
  connect(port: Port, caller: Caller): Session;
  meet(port: Port, caller: Caller): Session;
  /** Undefined if the session has ended meanwhile. */
  join(session: Session, saved: SavedOpenSession): Promise<OpenSession | undefined>;
}

interface Awake { readonly opened: OpenSession; readonly saved: SavedOpenSession }

/**
 * Sessions go on where they were. First all of them are there, then each goes on: a request finds its responder, and what one is sent cannot come before
 * another exists. One that cannot go on is told to connect again, and loses nothing: its client resumes.
 */
export async function resume(sleepers: readonly Sleeper[], home: Home): Promise<Session[]> {
  const awake = new Map<string, Awake>();
  const sessions: Session[] = [];
  for (const { port, saved, caller = {} } of sleepers) {
    const session = saved.state === "greeting" ? home.connect(port, caller) : home.meet(port, caller);
    sessions.push(session);
    if (saved.state === "greeting" || session.state === "closed") continue;
    try {
      if (saved.state === "lost") throw asleep("the router slept while this session began");
      const opened = await home.join(session, saved);
      if (opened !== undefined) awake.set(saved.id, { opened, saved });
    } catch (thrown) {
      session.end(asError(thrown, (cause) => asleep("the session could not be taken up", cause)));
    }
  }
  for (const { opened: { namespace }, saved: { memberships = [] } } of awake.values()) {
    for (const [, { group }] of memberships) await namespace.work.groups.get(group as string);
  }
  const heads = headsOf(awake.values());
  for (const { opened, saved } of awake.values()) {
    opened.resume(saved, heads.get(saved.namespace)!);
    opened.namespace.requests.resume(saved.lastAsk);
  }
  const responderOf = (session: string, id: number) => awake.get(session)?.opened.responder(id);
  for (const { opened, saved } of awake.values()) opened.resumed(saved, responderOf);
  return sessions;
}

/**
 * Up to where each log was given out when the router went to sleep. A session is saved when something was sent to it, so the highest that any knew is it,
 * or all that came after was for none of them.
 */
function headsOf(awake: Iterable<Awake>): ReadonlyMap<string, number> {
  const heads = new Map<string, number>();
  for (const { saved: { namespace, head } } of awake) heads.set(namespace, Math.max(heads.get(namespace) ?? 0, head));
  return heads;
}

function asleep(what: string, cause?: unknown): ConnectionError {
  return new ConnectionError("ERR_ASLEEP", `${what}; connect again`, { retryable: true, cause, details: { retryAfter: 100 } });
}

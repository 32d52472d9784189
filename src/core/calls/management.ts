import { ValidationError } from "../errors.ts";
import type { Namespace } from "../namespace.ts";
import { namespaceStats, sumOfStats, type NamespaceFigures } from "../namespace-stats.ts";
import { named } from "../subscribe-spec.ts";
import { type Caller, demand, whole } from "./call.ts";

type Params = Readonly<Record<string, unknown>>;

/** The figures of the caller's namespace, of all routers that share its log. */
export async function stats({ namespace, principal }: Caller, host: Readonly<Record<string, number | string>>): Promise<string> {
  demand(principal, "manage");
  const own = namespaceStats(namespace);
  if (namespace.company === undefined) return JSON.stringify({ ...own, ...host });
  const others = (await namespace.company.gather("stats")).map((one) => JSON.parse(one) as NamespaceFigures);
  return JSON.stringify({ ...sumOfStats([own, ...others]), ...host });
}

type Subscriber = Pick<Caller, "reader" | "principal" | "memberships"> & { readonly id: string };

/** Everything that reads, on all routers that share the log. */
export async function subscriptions({ namespace, principal }: Caller, sessions: Iterable<Subscriber>): Promise<string> {
  demand(principal, "manage");
  const own = await listSubscriptions(namespace, sessions);
  if (namespace.company === undefined) return own;
  return `[${[own, ...await namespace.company.gather("subscriptions")].map((list) => list.slice(1, -1)).filter((list) => list !== "").join(",")}]`;
}

/** What one router knows of: live subscriptions, members of groups, and if it leads the durable names and groups that nobody reads now. */
export async function listSubscriptions(namespace: Namespace, sessions: Iterable<Subscriber>): Promise<string> {
  const { dispatcher, work, log } = namespace;
  const live: object[] = [];
  for (const { id, reader, principal: { subject }, memberships } of sessions) {
    const who = { clientId: id, name: reader.name, subject };
    for (const cursor of reader.cursors.values()) {
      live.push({
        id: `${id}:${cursor.id}`, ...who, topics: cursor.interest.topics, durable: cursor.durable,
        lag: cursor.place.state === "behind" ? dispatcher.head - cursor.place.after : 0, inFlight: cursor.window.events,
      });
    }
    for (const [sub, { group, member, topics }] of memberships) live.push({ id: `${id}:${sub}`, ...who, topics, group: group.name, lag: group.lag, inFlight: member.busy, acked: group.acked, redelivered: group.redelivered, dead: group.dead });
  }
  if (!namespace.leads) return JSON.stringify(live);
  const lagOf = (epoch: string, seq: number): number => (epoch === log.epoch ? log.head - seq : log.head - log.first + 1);
  for (const { active, epoch, seq, name, owner, ...one } of await work.durables.list()) if (!active) live.push({ id: `durable:${name}`, ...one, durable: name, subject: owner === "" ? undefined : owner, lag: lagOf(epoch, seq), inFlight: 0 });
  for (const { members, epoch, seq, name, owner, open, ...one } of await work.groups.list()) if (members === 0) live.push({ id: `group:${name}`, ...one, group: name, subject: owner === "" ? undefined : owner, lag: lagOf(epoch, seq) + open });
  return JSON.stringify(live);
}

/**
 * Removes the oldest events: `{ before }` (ms since 1970) or `{ upTo }` (a seq); `dryRun` only counts. Readers that had not had them are told by a gap.
 * Answers `{ events, upTo }`.
 */
export async function purge({ namespace, principal }: Caller, params: Params): Promise<string> {
  demand(principal, "manage");
  const { log } = namespace;
  const before = whole(params, "before");
  const given = whole(params, "upTo");
  if ((before === undefined) === (given === undefined)) throw new ValidationError("ERR_PARAMETER", "a purge has one of before (a time) and upTo (a seq)", { details: { path: "before" } });
  const upTo = Math.min(before === undefined ? given! : await log.seqBefore(before), log.head);
  const events = Math.max(0, upTo - log.first + 1);
  if (params.dryRun !== true && events > 0) await namespace.purge(upTo);
  return JSON.stringify({ events, upTo: Math.max(upTo, log.first - 1) });
}

/** Forgets the place of a durable name or a group, which nobody uses now: `{ durable }` or `{ group }`. Answers whether it was there. */
export async function forget({ namespace, principal }: Caller, { durable, group }: Params): Promise<string> {
  const mayForget = (owner: string): boolean => owner === (principal.subject ?? "") || principal.rights.has("manage");
  const { durables, groups } = namespace.work;
  if ((durable === undefined) === (group === undefined)) throw new ValidationError("ERR_PARAMETER", "name one of durable and group", { details: { path: "durable" } });
  return JSON.stringify(group === undefined ? await durables.forget(named(durable, "durable"), mayForget) : await groups.forget(named(group, "group"), mayForget));
}

/** Calls off an event that is held back: `{ id }`, and `publisher` if it is somebody else's, which takes `manage`. Answers whether it waited still. */
export async function cancel({ namespace, principal }: Caller, { id, publisher }: Params): Promise<string> {
  if (typeof id !== "string") throw new ValidationError("ERR_PARAMETER", "id must be the id of an event that is held back", { details: { path: "id" } });
  if (publisher !== undefined && typeof publisher !== "string") throw new ValidationError("ERR_PARAMETER", "publisher must be a subject", { details: { path: "publisher" } });
  const own = principal.subject ?? "";
  if (publisher !== undefined && publisher !== own) demand(principal, "manage");
  return JSON.stringify(await namespace.work.delayed.cancel(publisher ?? own, id));
}

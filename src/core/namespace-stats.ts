import type { Namespace } from "./namespace.ts";

export type NamespaceFigures = Readonly<Record<string, number | string>>;

/** The figures of one namespace; `published` and `delivered` count since the router's start. */
export function namespaceStats(namespace: Namespace): NamespaceFigures {
  const { log, dispatcher, appender, requests, work } = namespace;
  let subscriptions = 0;
  let queueDepth = appender.waiting;
  for (const { cursors } of namespace.readers) {
    subscriptions += cursors.size;
    for (const { place } of cursors.values()) if (place.state === "behind") queueDepth += Math.max(0, dispatcher.head - place.after);
  }
  let redelivered = 0;
  for (const group of work.groups.loaded) {
    subscriptions += group.members.size;
    queueDepth += group.lag;
    redelivered += group.redelivered;
  }
  const tried = namespace.published + namespace.refused;
  const leads: NamespaceFigures = namespace.company === undefined ? {} : { leads: namespace.leads ? 1 : 0 };
  return {
    epoch: log.epoch, head: log.head, first: log.first, totalEvents: log.extent.events, totalSize: log.extent.size,
    eventsPublished: namespace.published, eventsDelivered: dispatcher.delivered, eventsRefused: namespace.refused, eventsPerSecond: namespace.rate(),
    activeSubscriptions: subscriptions, connections: connectionsOf(namespace), queueDepth,
    eventsRedelivered: redelivered, deadLetters: work.deadLetters.size, eventsDead: work.deadLetters.total, delayedEvents: work.delayed.size, lateAcks: work.jobs.late, creditStalls: dispatcher.stalls,
    openRequests: requests.open, lateAnswers: requests.late, errorRate: tried === 0 ? 0 : namespace.refused / tried, ...leads,
  };
}

/** Of the log, and so the same for each router that shares it, but for when each began to count. */
const OF_THE_LOG: ReadonlySet<string> = new Set(["head", "first", "totalEvents", "totalSize", "eventsPublished", "eventsPerSecond"]);

/** Those of all routers that share a log, the first of them this one's; `routers`: how many they are. */
export function sumOfStats(all: readonly NamespaceFigures[]): NamespaceFigures {
  const sum: Record<string, number | string> = { ...all[0] };
  for (const one of all.slice(1)) {
    for (const [name, value] of Object.entries(one)) {
      if (typeof value === "number") sum[name] = OF_THE_LOG.has(name) ? Math.max(Number(sum[name] ?? 0), value) : Number(sum[name] ?? 0) + value;
    }
  }
  const tried = Number(sum.eventsPublished) + Number(sum.eventsRefused);
  return { ...sum, errorRate: tried === 0 ? 0 : Number(sum.eventsRefused) / tried, routers: all.length };
}

/** Clients of this router, and not those it leads for others. */
function connectionsOf({ readers, company }: Namespace): number {
  if (company === undefined) return readers.size;
  let count = 0;
  for (const { vouched } of readers) if (!vouched) count++;
  return count;
}

/** How far the named readers of a namespace are behind its head, live or not. */
export async function namespaceLags({ log, work, leads }: Namespace): Promise<readonly Lag[]> {
  // They are the leader's to tell.
  if (!leads) return [];
  const behind = (epoch: string, seq: number): number => Math.max(epoch === log.epoch ? log.head - seq : log.head - log.first + 1, 0);
  const [durables, groups] = await Promise.all([work.durables.list(), work.groups.list()]);
  return [
    ...durables.map(({ name, epoch, seq }) => ({ kind: "durable" as const, name, lag: behind(epoch, seq) })),
    ...groups.map(({ name, epoch, seq, open }) => ({ kind: "group" as const, name, lag: behind(epoch, seq) + open })),
  ];
}

export interface Lag { readonly kind: "durable" | "group"; readonly name: string; readonly lag: number }

import type { Namespace } from "./namespace.ts";

/** The figures of one namespace; `published` and `delivered` count since the router's start. */
export function namespaceStats(namespace: Namespace): Readonly<Record<string, number | string>> {
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
  return {
    epoch: log.epoch, head: log.head, first: log.first, totalEvents: log.extent.events, totalSize: log.extent.size,
    eventsPublished: namespace.published, eventsDelivered: dispatcher.delivered, eventsRefused: namespace.refused, eventsPerSecond: namespace.rate(),
    activeSubscriptions: subscriptions, connections: namespace.readers.size, queueDepth,
    eventsRedelivered: redelivered, deadLetters: work.deadLetters.size, eventsDead: work.deadLetters.total, delayedEvents: work.delayed.size, lateAcks: work.jobs.late, creditStalls: dispatcher.stalls,
    openRequests: requests.open, lateAnswers: requests.late, errorRate: tried === 0 ? 0 : namespace.refused / tried,
  };
}

/** How far the named readers of a namespace are behind its head, live or not. */
export async function namespaceLags({ log, work }: Namespace): Promise<readonly Lag[]> {
  const behind = (epoch: string, seq: number): number => Math.max(epoch === log.epoch ? log.head - seq : log.head - log.first + 1, 0);
  const [durables, groups] = await Promise.all([work.durables.list(), work.groups.list()]);
  return [
    ...durables.map(({ name, epoch, seq }) => ({ kind: "durable" as const, name, lag: behind(epoch, seq) })),
    ...groups.map(({ name, epoch, seq, open }) => ({ kind: "group" as const, name, lag: behind(epoch, seq) + open })),
  ];
}

export interface Lag { readonly kind: "durable" | "group"; readonly name: string; readonly lag: number }

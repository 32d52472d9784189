import type { Namespace } from "./namespace.ts";

/** The figures of one namespace; `published` and `delivered` count since the router's start. */
export function namespaceStats(namespace: Namespace): Readonly<Record<string, number | string>> {
  const { log, dispatcher, appender, requests } = namespace;
  let subscriptions = 0;
  let queueDepth = appender.waiting;
  for (const { cursors } of namespace.readers) {
    subscriptions += cursors.size;
    for (const { place } of cursors.values()) if (place.state === "behind") queueDepth += Math.max(0, dispatcher.head - place.after);
  }
  const tried = namespace.published + namespace.refused;
  return {
    epoch: log.epoch, head: log.head, first: log.first, totalEvents: log.extent.events, totalSize: log.extent.size,
    eventsPublished: namespace.published, eventsDelivered: dispatcher.delivered, eventsRefused: namespace.refused, eventsPerSecond: namespace.rate(),
    activeSubscriptions: subscriptions, connections: namespace.readers.size, queueDepth,
    openRequests: requests.open, lateAnswers: requests.late, errorRate: tried === 0 ? 0 : namespace.refused / tried,
  };
}

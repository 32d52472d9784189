import type { RouterEvent } from "./core/event.ts";

/** What a view needs of a client. */
export interface ViewSource {
  on(topics: string | readonly string[], options: object, handler: (event: RouterEvent) => void): { unsubscribe(): Promise<void> };
}

/** Events as a value that changes: the newest of a subscription, oldest first. */
export interface EventView<E> {
  /** Subscribes at the router while somebody listens. Returns how to stop listening. */
  subscribe(changed: () => void): () => void;
  /** The same array as long as nothing new has come. */
  snapshot(): readonly E[];
}

/** @param limit events that are kept */
export function eventView<E extends RouterEvent>(client: ViewSource, topics: string | readonly string[], options: object, limit: number): EventView<E> {
  const listeners = new Set<() => void>();
  let events: readonly E[] = [];
  let fresh: E[] = [];
  let subscription: { unsubscribe(): Promise<void> } | undefined;
  let planned = false;

  /** What came in one turn is shown at once. */
  const show = (): void => {
    planned = false;
    if (fresh.length === 0) return;
    events = [...events, ...fresh].slice(-limit);
    fresh = [];
    for (const changed of listeners) changed();
  };

  const take = (event: RouterEvent): void => {
    fresh.push(event as E);
    // No more than is shown, whatever comes in a turn.
    if (fresh.length > 2 * limit) fresh = fresh.slice(-limit);
    if (planned) return;
    planned = true;
    setTimeout(show);
  };

  return {
    subscribe(changed) {
      listeners.add(changed);
      if (subscription === undefined) {
        // What is subscribed anew may come again from the start.
        [events, fresh] = [[], []];
        subscription = client.on(topics, options, take);
      }
      return () => {
        if (!listeners.delete(changed) || listeners.size > 0) return;
        void subscription?.unsubscribe();
        subscription = undefined;
      };
    },
    snapshot: () => events,
  };
}

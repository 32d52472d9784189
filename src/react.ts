import { useMemo, useSyncExternalStore } from "react";
import { wholeNumber } from "./client/check-options.ts";
import type { EventMap, EventOf } from "./client/typed-events.ts";
import type { SubscribeOptions } from "./client/subscribe-options.ts";
import type { ClientState } from "./client/connection.ts";
import type { EventRouterClient } from "./event-router.ts";
import { eventView, type ViewSource } from "./event-view.ts";

/** As of a subscription; what is for handlers has no meaning here. */
export interface UseEventsOptions extends Pick<SubscribeOptions, "filter" | "from"> {
  /** Events that are kept, the newest; default 100. */
  readonly limit?: number;
}

/** What the hooks need of a client. */
export type HookClient<Events extends EventMap, Inputs extends EventMap = Events> = Pick<EventRouterClient<Events, Inputs>, "on" | "state" | "onStateChange">;

const nothing: readonly never[] = [];

/**
 * The newest events of these topics, oldest first; they come while the component is mounted. Rendered on a server: none. What the router refuses reaches
 * the client's `onError`.
 * @example
 * const orders = useEvents(client, "order.*", { filter: { "payload.total": { $gt: 100 } }, limit: 20 });
 */
export function useEvents<Events extends EventMap, Inputs extends EventMap, Pattern extends string>(
  client: HookClient<Events, Inputs>, topics: Pattern | readonly Pattern[], { limit, ...options }: UseEventsOptions = {},
): readonly EventOf<Events, Pattern>[] {
  const most = wholeNumber(limit, "limit", 100);
  // By value: a component writes its options anew each time.
  const key = JSON.stringify([topics, options, most], (_name, value: unknown) => (value instanceof RegExp ? String(value) : value));
  // oxlint-disable-next-line react/exhaustive-deps -- the key stands for topics and options
  const view = useMemo(() => eventView<EventOf<Events, Pattern>>(client as unknown as ViewSource, topics, options, most), [client, key]);
  return useSyncExternalStore(view.subscribe, view.snapshot, () => nothing);
}

/**
 * The newest event of these topics; undefined until there is one.
 * @example
 * const temperature = useLatest(client, "sensor.kitchen")?.payload;
 */
export function useLatest<Events extends EventMap, Inputs extends EventMap, Pattern extends string>(
  client: HookClient<Events, Inputs>, topics: Pattern | readonly Pattern[], options: Omit<UseEventsOptions, "limit"> = {},
): EventOf<Events, Pattern> | undefined {
  return useEvents(client, topics, { ...options, limit: 1 }).at(-1);
}

/**
 * The client's state, as it changes; rendered on a server: `"idle"`.
 * @example
 * {useConnection(client) === "offline" && <p>Working offline</p>}
 */
export function useConnection(client: Pick<EventRouterClient, "state" | "onStateChange">): ClientState {
  const source = useMemo(() => ({ subscribe: (changed: () => void) => client.onStateChange(changed), snapshot: () => client.state }), [client]);
  return useSyncExternalStore(source.subscribe, source.snapshot, () => "idle");
}

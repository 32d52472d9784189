import type { Duration } from "../core/duration.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Tools } from "../client/failure-options.ts";
import type { Stream } from "../client/stream.ts";
import type { SubscribeOptions } from "../client/subscribe-options.ts";

export interface WindowOptions extends Pick<SubscribeOptions, "filter" | "from" | "signal"> {
  /** How much time a window spans. */
  readonly size: Duration;
  /** How far apart windows begin; default `size` (tumbling), less: they overlap (sliding). They begin at multiples of it since 1970, UTC. */
  readonly slide?: Duration;
  /** How long a window waits behind its end for events that come out of order; default 0. What comes later still is left out and counted in `late`. */
  readonly allowedLateness?: Duration;
}

/** The events of a span of time, in the order of the log: `start` ≤ timestamp < `end`. */
export interface EventWindow<E extends RouterEvent = RouterEvent> extends Iterable<E> {
  readonly start: Date;
  readonly end: Date;
  readonly events: readonly E[];
  /** How many. */
  readonly length: number;
}

/** What windows need of their client. */
export interface WindowSource<E extends RouterEvent> {
  readonly stream: Stream<E>;
  readonly tools: Tools;
  readonly topics: string | readonly string[];
  readonly options: WindowOptions;
}

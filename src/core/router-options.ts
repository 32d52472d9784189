import type { Surroundings } from "./clock.ts";
import type { Limits } from "./limits.ts";
import type { Policy } from "./policy.ts";
import type { RateLimits } from "./rate-limit.ts";
import type { RetentionPolicy } from "./retention.ts";
import type { Store } from "./store.ts";
import type { TicketShelf } from "./tickets.ts";

/** What a host gives its router, and how that is to be. */
export interface RouterOptions {
  readonly store: Store;
  readonly surroundings: Surroundings;
  /** Who may do what; default: everyone everything. */
  readonly policy?: Policy;
  readonly limits?: Partial<Limits>;
  /** How much each principal may do; default: as much as it can. */
  readonly rates?: RateLimits;
  /** What the logs keep; default: everything. */
  readonly retention?: RetentionPolicy;
  /** Newest events kept in memory for readers that are a little behind; size in UTF-16 units. */
  readonly tail?: { readonly events: number; readonly size: number };
  /** Milliseconds of silence after which a client asks for a sign of life; 0: never. */
  readonly heartbeat?: number;
  /**
   * Milliseconds until what readers with a name have finished is written down, default 50: a crash takes that much, and those events come again. 0: with
   * each turn, for hosts that are put to sleep.
   */
  readonly bookmarkDelay?: number;
  /** Namespaces that may be opened. */
  readonly namespaces?: number;
  /** Keeps tickets beyond this router's life, for hosts that are put to sleep; default: in memory alone. */
  readonly tickets?: TicketShelf | undefined;
  /** Figures of the host, told with those of a namespace. */
  hostStats?(): Readonly<Record<string, number | string>>;
  /** A failure behind the sessions, for a log. */
  onError?(error: unknown): void;
}

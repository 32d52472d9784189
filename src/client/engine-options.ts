import type { Clock } from "../core/clock.ts";
import type { Link } from "../core/link.ts";
import type { ClientOutbox } from "./client-outbox.ts";
import type { ClientState } from "./connection.ts";
import type { DurableOutbox } from "./offline/durable-outbox.ts";
import type { MakeOutboxHome } from "./offline/open-outbox.ts";
import type { BaseOptions, Settings } from "./options.ts";
import type { Reporter } from "./reporter.ts";

/** What a client's engine gets from who starts it. */
export interface EngineOptions {
  readonly options: BaseOptions<never>;
  readonly settings: Settings;
  readonly surroundings: {
    makeLink(): Link;
    /** 0 ≤ x < 1 */
    random(): number;
    randomBytes(count: number): Uint8Array;
    /** Where an outbox is kept; absent: nowhere. */
    readonly outboxHome?: MakeOutboxHome;
  };
  readonly clock: Clock;
  readonly report: Reporter["report"];
  /** Where what is published goes first, with the option `offline`. */
  readonly queue: ClientOutbox<DurableOutbox> | undefined;
  /** The same. @throws ValidationError without it. */
  readonly outbox: ClientOutbox;
  /** A text that nobody else has. */
  nextId(): string;
  /** A number for a frame, never used before. */
  next(): number;
  changed(state: ClientState): void;
}

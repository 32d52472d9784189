import type { Connection } from "../connection.ts";
import type { Outbox, Publication } from "../outbox.ts";
import type { OutboxHome } from "./outbox-home.ts";

/** What an outbox needs of its client, and its limits. */
export interface DurableOutboxOptions {
  readonly home: OutboxHome;
  readonly connection: Connection;
  readonly direct: Outbox;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly order: "published" | "priority";
  readonly window: number;
  /** How long leaving may take, ms. */
  readonly timeout: number;
  /** Makes the lines as they will travel. */
  seal(one: Publication): Promise<void>;
  changed(size: number): void;
  report(error: unknown, event?: unknown): void;
}

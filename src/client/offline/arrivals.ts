import { PublishError } from "../../core/errors.ts";
import { defaultLimits } from "../../core/limits.ts";
import { readLine } from "../../core/publish.ts";
import type { Log } from "../../core/store.ts";
import type { Connection } from "../connection.ts";
import type { Publication } from "../outbox.ts";
import { batchOf } from "./entry.ts";
import type { Places } from "./places.ts";
import { settle } from "./waiters.ts";

export interface ArrivalsOptions {
  log(): Log;
  readonly places: Places;
  readonly connection: Pick<Connection, "clock">;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly order: "published" | "priority";
  /** Makes the lines as they will travel. */
  seal(one: Publication): Promise<void>;
  /** It is in the log, or was before: in this place, if it is known. */
  kept(one: Publication, seq: number | null): void;
  /** A transaction is done. */
  written(): void;
}

/** What only a router knows is for it to say. */
const LIMITS = { ...defaultLimits, payload: Infinity, headers: Infinity, headerValue: Infinity, depth: Infinity };

/** What is published and not yet in the outbox's log. Group commit: what comes while one transaction is written goes into the next together. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  #waiting: Publication[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is being written. */
  get written(): Promise<void> { return this.#writing ?? Promise.resolve(); }

  add(one: Publication): void {
    this.#waiting.push(one);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const ready: Publication[] = [];
      for (const one of group) {
        try {
          // Encryption takes the id, and comes before the transaction.
          await this.#options.seal(one);
          for (const { line } of one.events) readLine(line, LIMITS);
          if (!one.settled) ready.push(one);
        } catch (error) {
          refuse(one, error);
        }
      }
      await this.#append(this.#withRoom(ready));
    }
    this.#writing = undefined;
  }

  #withRoom(group: readonly Publication[]): Publication[] {
    const { maxEvents, maxBytes, log, places } = this.#options;
    let events = places.waiting;
    let { size } = log().extent;
    return group.filter((one) => {
      const own = one.events.reduce((sum, { line }) => sum + line.length, 0);
      const fits = events + one.events.length <= maxEvents && size + own <= maxBytes;
      if (fits) {
        events += one.events.length;
        size += own;
      } else refuse(one, new PublishError("ERR_OUTBOX_FULL", `the outbox is full: ${events} events (maxEvents: ${maxEvents}), ${size} units of text (maxBytes: ${maxBytes}) wait; the event was not kept. Publish it again when there is a connection, or raise the limit`, { retryable: true, details: { events, size, maxEvents, maxBytes } }));
      return fits;
    });
  }

  async #append(group: readonly Publication[]): Promise<void> {
    if (group.length === 0) return;
    const { log, connection, order, kept, written } = this.#options;
    const now = connection.clock.now();
    try {
      // What is sent in another order has no running numbers: they would leave more holes than a store remembers.
      const outcomes = await log().append(group.map((one) => batchOf(order === "priority" ? { ...one, run: false } : one, now)));
      outcomes.forEach(([outcome], index) => {
        const one = group[index]!;
        if (outcome!.state === "refused") refuse(one, outcome!.error);
        else kept(one, outcome!.seq);
      });
      written();
    } catch (error) {
      for (const one of group) refuse(one, error);
    }
  }
}

export function refuse(one: Publication, error: unknown): void {
  if (settle(one)) one.reject(error);
}

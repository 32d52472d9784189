import type { EventRouterClient, Gap, RouterEvent } from "../../src/index.ts";
import { EventRouterError } from "../../src/index.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import type { LogEvent } from "../../src/core/log-event.ts";
import type { Attempt, Fate, History, Reading, Sighting } from "./history.ts";

/** What each event of a recorded history carries: who published it, as which of their events. */
export interface Mark { readonly p: string; readonly n: number; readonly pad?: string }

type Receipt = Awaited<ReturnType<EventRouterClient["publish"]>>;
type Settled<T> = { -readonly [Key in keyof T]: T[Key] };

const wake = (sleepers: Set<() => void>): void => { for (const check of sleepers) check(); };

/** A reading that grows: its methods are what a subscription needs. */
export class RecordedReading implements Reading {
  readonly name: string;
  readonly topics: readonly string[];
  readonly seen: (Sighting | Gap)[] = [];
  readonly once = true;
  after: number;
  left = false;
  readonly #sleepers: Set<() => void>;

  constructor(name: string, topics: readonly string[], after: number, sleepers: Set<() => void>) {
    this.name = name;
    this.topics = topics;
    this.after = after;
    this.#sleepers = sleepers;
  }

  readonly handler = (event: RouterEvent): void => {
    this.seen.push(sightingOf(event, event.epoch));
    wake(this.#sleepers);
  };

  readonly gap = (gap: Gap): void => {
    this.seen.push(gap);
    wake(this.#sleepers);
  };

  wants({ type }: { readonly type: string }): boolean {
    return this.topics.some((pattern) => matchesPattern(pattern, type));
  }
}

/** Publishes and subscribes for a test, and writes down what its callers came to know. */
export class Recorder {
  readonly attempts: Settled<Attempt>[] = [];
  readonly readings: RecordedReading[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #sleepers = new Set<() => void>();
  readonly #pad: (type: string) => string;
  #transactions = 0;
  acked = 0;

  /** @param options.pad characters in a payload that say nothing */
  constructor({ pad = () => 0 }: { pad?: (type: string) => number } = {}) {
    this.#pad = (type) => "x".repeat(pad(type));
  }

  /** The publisher's next event. Resolves with its fate, whatever that is. */
  async publish(client: EventRouterClient, publisher: string, type: string): Promise<Fate> {
    const attempt = this.#attempt(publisher);
    await this.#settle([attempt], async () => [await client.publish(type, this.#mark(attempt, type))]);
    return attempt.fate;
  }

  /** The publisher's next events, which stand or fall together. */
  async transaction(client: EventRouterClient, publisher: string, types: readonly string[], how: "transaction" | "publishBatch" = "transaction"): Promise<void> {
    const name = `${how} ${++this.#transactions}`;
    const attempts = types.map(() => this.#attempt(publisher, name));
    await this.#settle(attempts, async () => how === "publishBatch"
      ? client.publishBatch(types.map((type, i) => [type, this.#mark(attempts[i]!, type)] as const))
      : client.transaction(async (tx) => {
        for (const [i, type] of types.entries()) await tx.publish(type, this.#mark(attempts[i]!, type));
      }));
  }

  /** Something to hand to a subscription. @param after the log's head when it was asked for */
  reading(name: string, topics: readonly string[], after = 0): RecordedReading {
    const reading = new RecordedReading(name, topics, after, this.#sleepers);
    this.readings.push(reading);
    return reading;
  }

  /** Resolves when a condition on what is written here has come true. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#sleepers.delete(check);
        resolve();
      };
      this.#sleepers.add(check);
    });
  }

  /** Resolves when each reading has had the last event of the log that it wants. */
  async readToTheEnd({ events }: History["log"]): Promise<void> {
    for (const reading of this.readings) {
      const last = events.findLast((event) => reading.wants(event))?.seq ?? 0;
      if (!reading.left && last > reading.after) await this.until(() => (reading.seen.at(-1) as Sighting | undefined)?.seq === last);
    }
  }

  history(log: History["log"]): History {
    return { attempts: this.attempts, readings: this.readings, log };
  }

  #mark({ publisher, number }: Attempt, type: string): Mark {
    const pad = this.#pad(type);
    return { p: publisher, n: number, ...(pad !== "" && { pad }) };
  }

  #attempt(publisher: string, transaction?: string): Settled<Attempt> {
    const number = (this.#numbers.get(publisher) ?? 0) + 1;
    this.#numbers.set(publisher, number);
    const attempt: Settled<Attempt> = { publisher, number, ...(transaction !== undefined && { transaction }), fate: { state: "unknown" } };
    this.attempts.push(attempt);
    return attempt;
  }

  async #settle(attempts: readonly Settled<Attempt>[], publish: () => Promise<readonly Receipt[]>): Promise<void> {
    try {
      const receipts = await publish();
      attempts.forEach((attempt, i) => {
        const { id, epoch, seq } = receipts[i]!;
        attempt.fate = { state: "acked", id, epoch, seq };
      });
      this.acked += attempts.length;
    } catch (error) {
      // P1: an error that says that trying again is no use is a promise that the event is not stored. Any other says nothing.
      if (error instanceof EventRouterError && !error.retryable) for (const attempt of attempts) attempt.fate = { state: "failed" };
    }
    wake(this.#sleepers);
  }
}

export function sightingOf({ seq, id, type, payload }: RouterEvent | LogEvent, epoch: string): Sighting {
  const { p, n } = payload as Mark;
  return { epoch, seq, id, type, publisher: p, number: n };
}

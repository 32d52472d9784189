import type { LogEvent } from "../../../src/core/log-event.ts";
import type { Batch, Log, Outcome, Store } from "../../../src/core/store.ts";
import type { Suite } from "../suite.ts";

/** A fresh, empty store. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens what it left behind: the same data if the store is durable, else an empty one. */
  reopen(): Promise<Store>;
  cleanup(): Promise<void>;
}

export interface StoreFactory {
  /** Whether an append outlives the store object. */
  readonly durable: boolean;
  make(onError: (error: unknown) => void): Promise<StoreUnderTest>;
}

/** What a test of the contract gets. */
export interface Bench extends StoreUnderTest {
  readonly log: Log;
  /** What listeners threw. */
  readonly errors: unknown[];
}

export interface Kit {
  readonly durable: boolean;
  test(name: string, run: (bench: Bench) => Promise<void>): void;
}

export function kit(suite: Suite, { durable, make }: StoreFactory): Kit {
  return {
    durable,
    test: (name, run) => suite.test(name, async () => {
      const errors: unknown[] = [];
      const made = await make((error) => errors.push(error));
      try {
        await run({ ...made, errors, log: await made.store.open("default") });
      } finally {
        await made.cleanup();
      }
    }),
  };
}

/** Appends one batch. */
export async function appendOne(log: Log, batch: Batch): Promise<readonly Outcome[]> {
  return (await log.append([batch]))[0]!;
}

/** Outcomes in short: a seq, `[seq]` of a duplicate, an error's code. */
export function brief(outcomes: readonly Outcome[]): (number | [number | null] | string)[] {
  return outcomes.map((outcome) => (outcome.state === "appended" ? outcome.seq : outcome.state === "duplicate" ? [outcome.seq] : outcome.error.code));
}

export const everything = { events: 1_000_000, size: 1_000_000_000 };

/** The lines that a log shows to a reader from the start. */
export async function linesOf(log: Log): Promise<string[]> {
  return (await log.read(0, everything)).map(({ line }) => line);
}

export const seqsOf = (events: readonly LogEvent[]): number[] => events.map(({ seq }) => seq);

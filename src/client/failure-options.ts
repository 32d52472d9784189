import type { Clock } from "../core/clock.ts";
import type { Duration } from "../core/duration.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Vault } from "./encryption/vault.ts";
import type { WaitOptions } from "./wait.ts";

/** What a client lends to what surrounds its handlers. */
export interface Tools {
  readonly clock: Clock;
  call(method: string, params: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<unknown>;
  report(error: unknown, event?: RouterEvent): void;
  /** A text that nobody else has. */
  nextId(): string;
  /** What decrypts and encrypts, where the client does. */
  vault(): Promise<Vault> | undefined;
}

/** What becomes of an event whose handler fails. */
export interface ErrorHandlerOptions {
  /** Tries after the first; default 3. */
  readonly maxRetries?: number;
  /** The wait doubles with each try (default), or stays. */
  readonly backoff?: "exponential" | "fixed";
  /** Before the second try; default 100 ms. */
  readonly delay?: Duration;
  /** Default 30 s. */
  readonly maxDelay?: Duration;
  /** Whether another try may help; default: always. */
  readonly retryIf?: (error: unknown) => boolean;
  /** The event becomes a dead letter after the last try; default: its error reaches `onError`. */
  readonly deadLetterQueue?: boolean;
}

export interface CircuitBreakerOptions {
  /** Failures in a row that open it; default 5. */
  readonly failureThreshold?: number;
  /** How long it stays open before one event tries whether the service is back; default 30 s. */
  readonly recoveryTimeout?: Duration;
  /** The class of the errors that count, or a function that says so; default: all. Others pass and show that the service answers. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constructor takes what it takes
  readonly expectedException?: (abstract new (...args: any[]) => unknown) | ((error: unknown) => boolean);
}

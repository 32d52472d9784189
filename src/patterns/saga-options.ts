import type { PublishOptions } from "../client/client.ts";
import type { ErrorHandlerOptions } from "../client/failure-options.ts";
import type { SubscribeOptions } from "../client/subscribe-options.ts";
import type { AnyEvents } from "../client/typed-events.ts";
import type { Duration } from "../core/duration.ts";
import type { RouterEvent } from "../core/event.ts";

/** `failed`: a compensation failed for good, so somebody must look. */
export type SagaStatus = "running" | "completed" | "compensating" | "compensated" | "failed";

/** An event as a step gets it: its payload is what JSON.parse gives. */
export type SagaEvent = RouterEvent<AnyEvents[string]>;

/** JSON that an instance keeps; of a shape of its own where the definition says which. */
export type SagaState = Record<string, AnyEvents[string]>;

/** What a step publishes is stored with the step, so it has no terms of its own. */
export type SagaPublishOptions = Omit<PublishOptions, "id" | "stream" | "ephemeral" | "timeout" | "signal" | "delay" | "deliverAt">;

/** One instance as a step sees it. */
export interface SagaScope<State = SagaState> {
  /** The saga's name. */
  readonly name: string;
  /** Which instance, as `correlate` said. */
  readonly key: string;
  /** JSON that the instance keeps; change it, or put another in its place. It is stored with the step. */
  state: State;
  /** Aborts when the process is to stop; the step is then done by another. */
  readonly signal: AbortSignal;
  /** Publishes with the step, all or none, with the key as correlation id. A step that runs again, after a crash, stores nothing twice. */
  publish(type: string, payload?: unknown, options?: SagaPublishOptions): Promise<void>;
  /** The instance ends well with this step. */
  complete(): void;
  /** The instance ends by compensating all finished steps, newest first. */
  compensate(reason?: string): void;
}

type Run<State> = (event: SagaEvent, saga: SagaScope<State>) => unknown;

export interface SagaStep<State = SagaState> {
  /** Its events begin instances. */
  readonly start?: boolean;
  /** Runs for each of its events; default: once in an instance, and further ones are no news. */
  readonly repeat?: boolean;
  readonly run: Run<State>;
  /** Takes back what it did. */
  readonly compensate?: (saga: SagaScope<State>) => unknown;
}

interface SagaTerms {
  /** Which instance an event is for; undefined: for none. Default: the event's correlation id, or of a starting one its id. */
  readonly correlate?: (event: SagaEvent) => string | number | undefined;
  /** An instance that has not ended after so long is compensated. Survives restarts. */
  readonly timeout?: Duration;
  /** Before a step, or a compensation, counts as failed; default 3 retries. What fails for good is compensated. */
  readonly retry?: Omit<ErrorHandlerOptions, "deadLetterQueue">;
  /** Instances that may be worked on at once, in this process; default 10. */
  readonly concurrency?: number;
  /** How long a step may take, with its retries, until another process takes it over; default 30 s. */
  readonly ackTimeout?: Duration;
  /** Where the very first process begins in the log; default now. */
  readonly from?: SubscribeOptions["from"];
}

export interface SagaDefinition<State = SagaState> extends SagaTerms {
  /** Of a new instance; default `{}`. */
  readonly state?: State;
  /** By the patterns of their events; several are parted by spaces. */
  readonly steps: Readonly<Record<string, Run<State> | SagaStep<State>>>;
}

/** A saga as a class: `static steps` names methods; that of the first, or what says `start`, begins instances. */
export interface SagaClass extends SagaTerms {
  new (scope: SagaScope<AnyEvents[string]>): SagaScope<AnyEvents[string]>;
  readonly state?: unknown;
  readonly steps: Readonly<Record<string, string | { readonly method: string; readonly compensate?: string; readonly start?: boolean; readonly repeat?: boolean }>>;
}

/** A finished step: the event that brought it about, and whether it was taken back. */
export interface SagaStepRecord {
  readonly step: string;
  readonly event: string;
  readonly compensated?: true;
}

export interface SagaInstance<State = SagaState> {
  readonly key: string;
  readonly status: SagaStatus;
  readonly state: State;
  /** Oldest first. */
  readonly steps: readonly SagaStepRecord[];
  /** Why it was compensated, or failed. */
  readonly reason?: string;
}

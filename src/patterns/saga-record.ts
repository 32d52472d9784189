import type { SagaInstance, SagaStatus, SagaStepRecord } from "./saga-options.ts";
import type { PlannedStep } from "./saga-plan.ts";

/** An instance as its newest record in the log has it: whole, so that one event tells all. */
export interface SagaRecord extends SagaInstance<unknown> {
  /** The event that began it. */
  readonly start: string;
}

/** What a step, or its failure, makes of its instance. */
export type Ending =
  | { readonly kind: "goes on" }
  | { readonly kind: "completes" }
  | { readonly kind: "compensates"; readonly reason: string };

export function begun(key: string, start: string, state: unknown): SagaRecord {
  return { key, status: "running", state, steps: [], start };
}

/** A step has finished, by this event. */
export function stepped(record: SagaRecord, done: SagaStepRecord, state: unknown, ending: Ending, steps: readonly PlannedStep[]): SagaRecord {
  return ended({ ...record, state, steps: [...record.steps, done] }, ending, steps);
}

/** A step failed for good, or time ran out: what it would have done did not happen. */
export function broken(record: SagaRecord, reason: string, steps: readonly PlannedStep[]): SagaRecord {
  return ended(record, { kind: "compensates", reason }, steps);
}

function ended(record: SagaRecord, ending: Ending, steps: readonly PlannedStep[]): SagaRecord {
  switch (ending.kind) {
    case "goes on": return record;
    case "completes": return { ...record, status: "completed" };
    case "compensates": return { ...record, status: undone(record, steps), reason: ending.reason };
  }
}

/** A step was taken back. */
export function compensated(record: SagaRecord, { step, event }: SagaStepRecord, state: unknown, steps: readonly PlannedStep[]): SagaRecord {
  const next = { ...record, state, steps: record.steps.map((one) => (one.step === step && one.event === event ? { ...one, compensated: true as const } : one)) };
  return { ...next, status: undone(next, steps) };
}

/** A compensation failed for good. */
export function failed(record: SagaRecord, reason: string): SagaRecord {
  return { ...record, status: "failed", reason };
}

/** What is to be taken back next: the newest step that can be and is not. */
export function toCompensate({ steps: done }: SagaRecord, steps: readonly PlannedStep[]): { readonly done: SagaStepRecord; readonly step: PlannedStep } | undefined {
  for (const one of done.toReversed()) {
    const step = steps.find(({ name }) => name === one.step);
    if (one.compensated !== true && step?.compensate !== undefined) return { done: one, step };
  }
  return undefined;
}

function undone(record: SagaRecord, steps: readonly PlannedStep[]): SagaStatus {
  return toCompensate(record, steps) === undefined ? "compensated" : "compensating";
}

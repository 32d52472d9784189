import { checkFunction, checkOptions, wholeNumber } from "../client/check-options.ts";
import type { ErrorHandlerOptions } from "../client/failure-options.ts";
import { milliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import { assertPattern, matchesPattern } from "../core/pattern.ts";
import type { SagaClass, SagaDefinition, SagaEvent, SagaScope } from "./saga-options.ts";

export interface PlannedStep {
  /** As it is recorded: the key in the definition. */
  readonly name: string;
  readonly topics: readonly string[];
  readonly start: boolean;
  readonly repeat: boolean;
  run(event: SagaEvent, scope: SagaScope): unknown;
  readonly compensate: ((scope: SagaScope) => unknown) | undefined;
}

/** A saga as it is run, whichever way it was defined. */
export interface SagaPlan {
  readonly name: string;
  readonly steps: readonly PlannedStep[];
  readonly topics: readonly string[];
  readonly initial: unknown;
  correlate(event: SagaEvent): string | undefined;
  readonly timeout: number | undefined;
  readonly retry: ErrorHandlerOptions;
  readonly concurrency: number;
  readonly ackTimeout: number;
  readonly from: SagaDefinition["from"];
}

const OPTIONS = "correlate timeout retry concurrency ackTimeout from state steps";

/** @throws ValidationError for what makes no sense, naming the place. */
export function planOf(name: string, saga: SagaDefinition<never> | SagaClass): SagaPlan {
  if (typeof name !== "string" || !/^[\w-]{1,48}$/.test(name)) throw invalid("name", 'of a saga must be 1 to 48 characters of A-Z a-z 0-9 _ -, such as "process_order"');
  if (typeof saga !== "function") checkOptions(saga, OPTIONS, "saga");
  const { correlate, timeout, retry = {}, ackTimeout = 30_000, from, state = {} } = saga as SagaDefinition;
  if (correlate !== undefined) checkFunction(correlate, "correlate");
  const steps = typeof saga === "function" ? stepsOfClass(saga) : stepsOf(saga as SagaDefinition);
  if (!steps.some(({ start }) => start)) throw invalid("steps", "has no step with start: true, so no instance would ever begin");
  return {
    name, steps, initial: state, retry, from,
    topics: [...new Set(steps.flatMap(({ topics }) => topics)), timeoutType(name)],
    correlate(event) {
      const key = correlate === undefined ? event.correlationId ?? (stepFor(steps, event.type)?.start === true ? event.id : undefined) : correlate(event);
      return key === undefined || key === null ? undefined : String(key);
    },
    timeout: timeout === undefined ? undefined : milliseconds(timeout, "timeout"),
    concurrency: wholeNumber(saga.concurrency, "concurrency", 10),
    ackTimeout: milliseconds(ackTimeout, "ackTimeout"),
  };
}

/** The type of the event that ends an instance which has taken too long. */
export function timeoutType(name: string): string {
  return `saga.${name}.timeout`;
}

/** The first step, as written, that has one of its patterns match. */
export function stepFor(steps: readonly PlannedStep[], type: string): PlannedStep | undefined {
  return steps.find(({ topics }) => topics.some((pattern) => matchesPattern(pattern, type)));
}

function stepsOf({ steps }: SagaDefinition): PlannedStep[] {
  return entriesOf(steps).map(([name, topics, value]) => {
    const step = typeof value === "function" ? { run: value } : value;
    checkOptions(step, "start repeat run compensate", `the step "${name}"`);
    checkFunction(step.run, `steps["${name}"].run`);
    if (step.compensate !== undefined) checkFunction(step.compensate, `steps["${name}"].compensate`);
    return { name, topics, start: step.start === true, repeat: step.repeat === true, run: step.run, compensate: step.compensate };
  });
}

function stepsOfClass(Class: SagaClass): PlannedStep[] {
  const method = (name: string, step: string): ((scope: SagaScope, event?: SagaEvent) => unknown) => {
    const own = (Class.prototype as Record<string, unknown>)[name];
    if (typeof own !== "function") throw invalid("steps", `of ${Class.name} names the method "${name}" for "${step}", which it does not have`);
    return (scope, event) => own.call(new Class(scope), event) as unknown;
  };
  return entriesOf(Class.steps).map(([name, topics, value], i) => {
    const step = typeof value === "string" ? { method: value } : value;
    checkOptions(step, "method start repeat compensate", `the step "${name}"`);
    const run = method(step.method, name);
    return {
      name, topics, start: step.start ?? i === 0, repeat: step.repeat === true,
      run: (event, scope) => run(scope, event), compensate: step.compensate === undefined ? undefined : method(step.compensate, name),
    };
  });
}

function entriesOf<T>(steps: Readonly<Record<string, T>>): (readonly [name: string, topics: readonly string[], value: T])[] {
  if (typeof steps !== "object" || steps === null) throw invalid("steps", 'must be an object, such as { "order.created": { start: true, run } }');
  return Object.entries(steps).map(([name, value]) => {
    const topics = name.trim().split(/\s+/);
    for (const topic of topics) assertPattern(topic, "steps");
    return [name, topics, value] as const;
  });
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError("ERR_SAGA", `${path} ${message}`, { details: { path } });
}

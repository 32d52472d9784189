import type { Client } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import type { Handler } from "../client/handle-events.ts";
import type { HandlerContext } from "../client/handler-context.ts";
import { retry } from "../client/retry.ts";
import { ConflictError, EventRouterError, PermissionError, ValidationError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { Attempt } from "./saga-attempt.ts";
import { correlationOf, SagaLog, type Stored } from "./saga-log.ts";
import type { SagaEvent } from "./saga-options.ts";
import { stepFor, timeoutType, type PlannedStep, type SagaPlan } from "./saga-plan.ts";
import { begun, broken, compensated, failed, stepped, toCompensate } from "./saga-record.ts";

/** Others that moved an instance on meanwhile, in a row: each of them got further. */
const MOST_CLASHES = 20;
/** Tries of an event for which there is no instance: its start may be on its way through another process, for some seconds. */
const UNKNOWN_TRIES = 7;

/**
 * Moves instances on. A step runs, and then all that it published and the instance's new record are appended at once, if nobody else has moved the instance
 * since: so each step has its effect once, whoever runs it and however often (P5). What fails on the way is given back to the group, which hands the event
 * to another process.
 */
export class SagaRunner {
  readonly #client: Client;
  readonly #tools: Tools;
  readonly #plan: SagaPlan;
  readonly #log: SagaLog;
  /** Events of one instance are taken one after another here. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(client: Client, tools: Tools, plan: SagaPlan) {
    this.#client = client;
    this.#tools = tools;
    this.#plan = plan;
    this.#log = new SagaLog(client, tools, plan.name);
  }

  readonly handle: Handler = async (event, context) => {
    const { name } = this.#plan;
    const late = event.type === timeoutType(name);
    // Its own records are no news to a saga that listens to everything.
    if (!late && event.type.startsWith(`saga.${name}.`)) return;
    const key = late ? (event.payload as { readonly key: string }).key : this.#plan.correlate(event as SagaEvent);
    if (key !== undefined) await this.#inTurn(key, () => this.#advance(key, event as SagaEvent, context));
  };

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  async #advance(key: string, event: SagaEvent, context: HandlerContext): Promise<void> {
    for (let clashes = 0; ; clashes++) {
      try {
        return await this.#tryToAdvance(key, event, context);
      } catch (error) {
        // Somebody else was faster: the instance is looked at anew.
        if (!(error instanceof ConflictError) || clashes === MOST_CLASHES) throw error;
      }
    }
  }

  async #tryToAdvance(key: string, event: SagaEvent, context: HandlerContext): Promise<void> {
    const { steps, name } = this.#plan;
    const step = event.type === timeoutType(name) ? undefined : stepFor(steps, event.type);
    let stored = await this.#log.load(key);
    if (stored === undefined) {
      if (step?.start === true) stored = await this.#begin(key, event);
      else if (step === undefined || context.attempt >= UNKNOWN_TRIES) return;
      else throw new EventRouterError("ERR_SAGA_NOT_STARTED", `the saga "${name}" has no instance ${key} yet`, { retryable: true });
    }
    // Another process left it so.
    if (stored.record.status === "compensating") stored = await this.#undo(stored, event, context);
    const { record } = stored;
    if (record.status !== "running") return;
    if (step === undefined) return this.#break(stored, event, "timeout", context);
    if (record.steps.some((done) => done.event === event.id || (done.step === step.name && !step.repeat))) return;
    if (record.steps.length === 0 && record.start !== event.id) throw new EventRouterError("ERR_SAGA_NOT_STARTED", `the first step of ${key} in the saga "${name}" is not finished yet`, { retryable: true });
    await this.#step(stored, step, event, context);
  }

  /** The timeout is set first: a crash behind it leaves one that ends nothing. */
  async #begin(key: string, event: SagaEvent): Promise<Stored> {
    const { name, timeout, initial } = this.#plan;
    if (timeout !== undefined) await this.#client.publish(timeoutType(name), { key }, { id: this.#log.idOf(event.id, "t"), delay: timeout, correlationId: correlationOf(key) });
    return this.#log.append("started", begun(key, event.id, initial), undefined, event.id, "s");
  }

  async #step(before: Stored, step: PlannedStep, event: SagaEvent, context: HandlerContext): Promise<void> {
    const { steps } = this.#plan;
    let attempt: Attempt;
    try {
      attempt = await this.#attempt(before, "end", event, context, (scope) => step.run(event, scope));
    } catch (error) {
      // Then it has not failed: another process tries.
      if (context.signal.aborted) throw error;
      return this.#break(before, event, messageOf(error), context);
    }
    const record = stepped(before.record, { step: step.name, event: event.id }, attempt.state, attempt.ending, steps);
    let after: Stored;
    try {
      after = await this.#log.append(record.status === "running" ? "stepped" : record.status, record, before, event.id, "r", attempt.published);
    } catch (error) {
      // What can never be stored is a step's failure, and no reason to try for ever.
      if (error instanceof ValidationError || error instanceof PermissionError) return this.#break(before, event, messageOf(error), context);
      throw error;
    }
    await this.#undo(after, event, context);
  }

  /** The instance cannot go on: what it has done is taken back. */
  async #break(before: Stored, event: RouterEvent, reason: string, context: HandlerContext): Promise<void> {
    const record = broken(before.record, reason, this.#plan.steps);
    await this.#undo(await this.#log.append(record.status, record, before, event.id, "b"), event, context);
  }

  /** Takes back one step after another, newest first, as far as that is due; each is recorded with what it published. */
  async #undo(stored: Stored, event: RouterEvent, context: HandlerContext): Promise<Stored> {
    const { steps } = this.#plan;
    let at = stored;
    while (at.record.status === "compensating") {
      const next = toCompensate(at.record, steps);
      if (next === undefined) {
        // A definition that no longer has the compensation.
        at = await this.#log.append("compensated", { ...at.record, status: "compensated" }, at, at.record.start, "u");
        break;
      }
      let attempt: Attempt;
      try {
        attempt = await this.#attempt(at, "undo", event, context, next.step.compensate!);
      } catch (error) {
        if (context.signal.aborted) throw error;
        this.#tools.report(error, event);
        at = await this.#log.append("failed", failed(at.record, messageOf(error)), at, next.done.event, "f");
        break;
      }
      const record = compensated(at.record, next.done, attempt.state, steps);
      at = await this.#log.append(record.status, record, at, next.done.event, "c", attempt.published);
    }
    if (at.record.status !== "running") await this.#disarm(at);
    return at;
  }

  /** Its timeout need not come any more; if it does, it ends nothing. */
  async #disarm({ record: { start } }: Stored): Promise<void> {
    if (this.#plan.timeout !== undefined) await this.#tools.call("cancel", { id: this.#log.idOf(start, "t") }).catch(() => {});
  }

  async #attempt({ record }: Stored, may: "end" | "undo", event: RouterEvent, context: HandlerContext, run: (scope: Attempt) => unknown): Promise<Attempt> {
    const tries = retry(this.#tools, this.#plan.retry)(async () => {
      const attempt = new Attempt(this.#plan.name, record, context.signal, may);
      await run(attempt);
      return attempt.close();
    });
    return await tries(event, context) as Attempt;
  }

  async #inTurn(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(work);
    const settled = turn.catch(() => {}).then(() => { if (this.#turns.get(key) === settled) this.#turns.delete(key); });
    this.#turns.set(key, settled);
    await turn;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { ValidationError } from "../core/errors.ts";
import { correlationOf, type SagaEventInit } from "./saga-log.ts";
import type { SagaPublishOptions, SagaScope, SagaState } from "./saga-options.ts";
import type { Ending, SagaRecord } from "./saga-record.ts";

/** One try of a step or a compensation: what it wants to happen, none of which happens before it is over. */
export class Attempt implements SagaScope {
  readonly name: string;
  readonly key: string;
  readonly signal: AbortSignal;
  state: SagaState;
  readonly published: SagaEventInit[] = [];
  ending: Ending = { kind: "goes on" };
  readonly #may: "end" | "undo";
  #over = false;

  /** @param may a step may end its instance; a compensation only undoes */
  constructor(name: string, { key, state }: SagaRecord, signal: AbortSignal, may: "end" | "undo") {
    this.name = name;
    this.key = key;
    this.signal = signal;
    // What a try that fails has changed is forgotten.
    this.state = structuredClone(state) as SagaState;
    this.#may = may;
  }

  async publish(type: string, payload?: unknown, options?: SagaPublishOptions): Promise<void> {
    this.#check("publish");
    this.published.push({ correlationId: correlationOf(this.key), ...options, type, payload });
  }

  complete(): void {
    this.#end("complete", { kind: "completes" });
  }

  compensate(reason = "compensate() was called"): void {
    this.#end("compensate", { kind: "compensates", reason });
  }

  /** Nothing more can be added. */
  close(): this {
    this.#over = true;
    return this;
  }

  #end(what: string, ending: Ending): void {
    this.#check(what);
    if (this.#may === "undo") throw new ValidationError("ERR_SAGA", `a compensation cannot ${what}; it undoes its step, and the instance ends as compensated`);
    if (this.ending.kind !== "goes on" && this.ending.kind !== ending.kind) throw new ValidationError("ERR_SAGA", "a step either completes its instance or compensates it, not both");
    this.ending = ending;
  }

  #check(what: string): void {
    if (this.#over) throw new ValidationError("ERR_SAGA", `the step is over, so it cannot ${what} any more; await all it does before it returns`);
  }
}

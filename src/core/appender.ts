import { asError, EventRouterError, PublishError } from "./errors.ts";
import type { Measures } from "./measures.ts";
import type { Batch, Log, Outcome } from "./store.ts";

/** Called once with the fate of what was submitted: outcomes by batch, or the failure of the store, which kept none of it. */
export type Done = (fate: readonly Outcome[][] | EventRouterError) => void;

interface Waiting { readonly batches: readonly Batch[]; readonly done: Done; /** When it came. */ readonly since: number }

/** Events written in one transaction at most: bounds how long one takes and what is in memory for it. */
const MOST = 4_096;
/** UTF-16 units that may wait: a store that has stopped must not fill the memory. */
const FULL = 64 * 1024 * 1024;

/** Group commit: what comes while one transaction is written waits, and goes into the next together. */
export class Appender {
  readonly #log: Log;
  readonly #defer: (callback: () => void) => void;
  readonly #committed: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #now: () => number;
  readonly #measures: Pick<Measures, "publish" | "append">;
  #waiting: Waiting[] = [];
  #events = 0;
  #size = 0;
  #state: "idle" | "scheduled" | "writing" = "idle";

  /** @param options.failed the store could not write, or a publisher could not be answered: for whoever runs the router. */
  constructor(options: { log: Log; defer(callback: () => void): void; committed(): void; failed(error: unknown): void; now(): number; measures: Pick<Measures, "publish" | "append"> }) {
    this.#log = options.log;
    this.#defer = options.defer;
    this.#committed = options.committed;
    this.#failed = options.failed;
    this.#now = options.now;
    this.#measures = options.measures;
  }

  /** Events submitted and not yet written. */
  get waiting(): number { return this.#events; }

  /** No more should be submitted now: the store does not keep up. */
  get full(): boolean { return this.#size > FULL; }

  /** Batches of one publisher, in order; they are appended after everything submitted before. */
  submit(batches: readonly Batch[], done: Done): void {
    this.#waiting.push({ batches, done, since: this.#now() });
    for (const { drafts } of batches) for (const { body } of drafts) this.#count(1, body.length);
    if (this.#state !== "idle") return;
    this.#state = "scheduled";
    this.#defer(() => void this.#write());
  }

  /** Resolves when everything submitted so far has its fate, whatever is submitted meanwhile. */
  async drained(): Promise<void> {
    if (this.#state !== "idle") await new Promise<void>((resolve) => this.#waiting.push({ batches: [], done: () => resolve(), since: this.#now() }));
  }

  async #write(): Promise<void> {
    this.#state = "writing";
    while (this.#waiting.length > 0) {
      const group = this.#take(MOST);
      const begun = this.#now();
      const fate = await this.#append(group.flatMap(({ batches }) => batches));
      const ended = this.#now();
      this.#measures.append.observe(ended - begun);
      for (const { since } of group) this.#measures.publish.observe(ended - since);
      if (fate instanceof EventRouterError) {
        this.#failed(fate);
        // What waits fails too: an event must not be stored that came after one of the same publisher that was not (P3).
        for (const { done } of [...group, ...this.#take(Infinity)]) this.#answer(done, fate);
      } else {
        let next = 0;
        for (const { batches, done } of group) this.#answer(done, fate.slice(next, (next += batches.length)));
      }
      this.#committed();
    }
    this.#state = "idle";
  }

  async #append(batches: readonly Batch[]): Promise<readonly Outcome[][] | EventRouterError> {
    try {
      return batches.length === 0 ? [] : await this.#log.append(batches);
    } catch (thrown) {
      return asError(thrown, (cause) => new PublishError("ERR_STORE", "the store could not write; nothing of this publish was kept, publish again later", { retryable: true, cause }));
    }
  }

  /** One that cannot be answered must not keep the others from their answers, nor the appender from the next write. */
  #answer(done: Done, fate: Parameters<Done>[0]): void {
    try {
      done(fate);
    } catch (error) {
      this.#failed(error);
    }
  }

  #take(most: number): Waiting[] {
    let count = 0;
    let events = 0;
    while (count < this.#waiting.length && (count === 0 || events < most)) for (const { drafts } of this.#waiting[count++]!.batches) events += drafts.length;
    const taken = this.#waiting.splice(0, count);
    for (const { batches } of taken) for (const { drafts } of batches) for (const { body } of drafts) this.#count(-1, -body.length);
    return taken;
  }

  #count(events: number, size: number): void {
    this.#events += events;
    this.#size += size;
  }
}

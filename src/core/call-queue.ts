import type { Call, Caller } from "./calls/call.ts";
import { asError, EventRouterError, toWire, ValidationError } from "./errors.ts";
import { record } from "./frame-reader.ts";
import { isLeadLost } from "./peers.ts";
import type { SavedCall } from "./saved-session.ts";

/** The calls of one session: one after another, each when there is room for its answer. Answers are large, and a client may ask faster than it reads (P11). */
export class CallQueue {
  readonly #caller: Caller;
  readonly #calls: ReadonlyMap<string, Call>;
  readonly #unanswered = new Set<SavedCall>();
  /** Ends when the calls so far are answered. */
  #called: Promise<void> = Promise.resolve();
  #roomMade: () => void = () => {};
  #closed = false;

  constructor(caller: Caller, calls: ReadonlyMap<string, Call>) {
    this.#caller = caller;
    this.#calls = calls;
  }

  get unanswered(): readonly SavedCall[] { return [...this.#unanswered]; }

  add(req: number, method: unknown, params: unknown): void {
    const { reader, namespace: { limits: { requests } } } = this.#caller;
    if (this.#unanswered.size >= requests) return this.#refuse(req, new EventRouterError("ERR_BUSY", `a session may wait for the answers to ${requests} calls at a time; wait for some first`, { retryable: true }));
    const call: SavedCall = [req, method, params];
    this.#unanswered.add(call);
    this.#called = this.#called.then(async () => {
      if (reader.room <= 0) await new Promise<void>((resolve) => (this.#roomMade = resolve));
      await this.#call(req, method, params);
      this.#unanswered.delete(call);
    });
  }

  /** There may be room again. */
  wake(): void {
    if (this.#caller.reader.room > 0) this.#roomMade();
  }

  close(): void {
    this.#closed = true;
  }

  async #call(req: number, method: unknown, params: unknown): Promise<void> {
    const { lead, company } = this.#caller.namespace;
    try {
      const call = typeof method === "string" ? this.#calls.get(method) : undefined;
      if (call === undefined) throw new ValidationError("ERR_METHOD", `this router has no call ${typeof method === "string" ? JSON.stringify(method.slice(0, 64)) : "without a name"}; it has ${[...this.#calls.keys()].join(", ")}`);
      this.#caller.spend();
      const value = await call(this.#caller, params === undefined ? {} : record(params, "params"));
      if (!this.#closed) this.#caller.reader.tell(`["ok",${req},${value}]`);
    } catch (error) {
      if (isLeadLost(error)) company?.refused(lead);
      if (!this.#closed) this.#refuse(req, asError(error, (cause) => new EventRouterError("ERR_INTERNAL", "the router failed to answer; see its log", { cause })));
    }
  }

  #refuse(req: number, error: EventRouterError): void {
    this.#caller.reader.tell(JSON.stringify(["err", req, toWire(error)]));
  }
}

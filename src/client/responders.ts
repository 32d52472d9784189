import { asyncDispose } from "../core/dispose.ts";
import { EventRouterError, fromWire, SubscriptionError, type WireError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { matchesPattern } from "../core/pattern.ts";
import type { Part } from "./connection.ts";
import { Ready } from "./ready.ts";
import type { StandardSchema } from "./typed-events.ts";

/** Answers a request: what it returns is the payload of the response, what it throws reaches the requester as a RemoteError. */
export type RequestHandler<E = RouterEvent> = (request: E) => unknown;

/** A standing offer to answer requests. */
export interface Responder {
  readonly patterns: readonly string[];
  /** Resolves when the router has it. @throws why the router refused it. */
  readonly ready: Promise<Responder>;
  /** No more requests come; those that run are still answered. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RespondOptions {
  /** Checks the payload of each request, and hands on what it makes of it. */
  readonly schema?: StandardSchema;
}

interface Entry {
  readonly patterns: readonly string[];
  /** The payload of the response. */
  readonly answer: RequestHandler;
  readonly ready: Ready<Responder>;
  readonly responder: Responder;
}

export interface RespondersOptions {
  nextId(): number;
  wake(): void;
  leave(id: number): Promise<void>;
  report(error: unknown): void;
  encodePayload(payload: unknown): string;
}

/** The responders of a connection. Loaded with the first of them. */
export class Responders implements Part {
  readonly #options: RespondersOptions;
  readonly #entries = new Map<number, Entry>();
  #unsent: number[] = [];
  #answers: string[] = [];
  /** Sessions so far: an answer to a question of an older one is for nobody. */
  #session = 0;

  constructor(options: RespondersOptions) {
    this.#options = options;
  }

  add(patterns: readonly string[], answer: RequestHandler): Responder {
    const id = this.#options.nextId();
    const ready = new Ready<Responder>();
    const stop = () => this.#stop(id);
    const responder: Responder = { patterns, get ready() { return ready.promise; }, stop, [asyncDispose]: stop };
    this.#entries.set(id, { patterns, answer, ready, responder });
    this.#unsent.push(id);
    this.#options.wake();
    return responder;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((id) => this.#stop(id)));
  }

  async #stop(id: number): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    entry.ready.reject(new SubscriptionError("ERR_UNSUBSCRIBED", "the responder was stopped before the router had it"));
    const unsent = this.#unsent.indexOf(id);
    if (unsent >= 0) this.#unsent.splice(unsent, 1);
    else await this.#options.leave(id);
  }

  opened(): void {
    this.#session++;
    this.#unsent = [...this.#entries.keys()];
  }

  write(put: (frame: string) => void): void {
    for (const id of this.#unsent) put(JSON.stringify(["serve", id, this.#entries.get(id)!.patterns]));
    for (const answer of this.#answers) put(answer);
    this.#unsent = [];
    this.#answers = [];
  }

  on(id: number): void {
    const entry = this.#entries.get(id);
    entry?.ready.resolve(entry.responder);
  }

  end(id: number, wire: WireError | undefined): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && wire !== undefined) this.#fail(id, entry, fromWire(wire));
  }

  async asked(ask: number, request: RouterEvent): Promise<void> {
    const session = this.#session;
    const answer = await this.#answer(ask, request);
    if (session !== this.#session) return;
    this.#answers.push(answer);
    this.#options.wake();
  }

  async #answer(ask: number, request: RouterEvent): Promise<string> {
    try {
      const entry = [...this.#entries.values()].find(({ patterns }) => patterns.some((pattern) => matchesPattern(pattern, request.type)));
      if (entry === undefined) throw new SubscriptionError("ERR_RESPONDER_STOPPED", `the responder of "${request.type}" has stopped; ask again`, { retryable: true });
      return `["answer",${ask}]\n${this.#options.encodePayload(await entry.answer(request))}`;
    } catch (thrown) {
      return JSON.stringify(["fail", ask, remoteError(thrown)]);
    }
  }

  lost(): void {
    this.#session++;
    this.#answers = [];
  }

  failed(error: EventRouterError): void {
    for (const [id, entry] of this.#entries) this.#fail(id, entry, error);
    this.#unsent = [];
  }

  #fail(id: number, { ready }: Entry, error: EventRouterError): void {
    this.#entries.delete(id);
    if (!ready.asked || ready.settled) this.#options.report(error);
    ready.reject(error);
  }
}

/** What of a throw may cross the wire: its name and message. Never its stack. */
function remoteError(thrown: unknown): WireError {
  const { name, message } = thrown instanceof Error ? thrown : { name: "Error", message: String(thrown) };
  const code = thrown instanceof EventRouterError ? thrown.code : "ERR_REMOTE";
  return ["RemoteError", code, message, 0, { name }];
}

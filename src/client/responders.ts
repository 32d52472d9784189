import { EncryptionError, EventRouterError, fromWire, SubscriptionError, type WireError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { RouterFrame } from "../core/frames.ts";
import { decodeLine, timestamps } from "../core/line.ts";
import { matchesPattern } from "../core/pattern.ts";
import type { Connection, Part } from "./connection.ts";
import { checkPayload } from "./check-event.ts";
import type { Running, Standing } from "./standing.ts";
import { contextOf, type HandlerContext } from "./handler-context.ts";
import { traced } from "./tracing.ts";
import { validate } from "./schema.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { StandardSchema } from "./typed-events.ts";

/** Answers a request: what it returns is the payload of the response, what it throws reaches the requester as a RemoteError. */
export type RequestHandler<E = RouterEvent> = (request: E, context: HandlerContext) => unknown;

/**
 * A standing offer to answer requests. `ready` resolves when the router has it, or rejects with why it was refused; after `stop()` no more requests come, and
 * those that run are still answered.
 */
export type Responder = Standing<{ readonly patterns: readonly string[] }>;

export interface RespondOptions {
  /** Checks the payload of each request, and hands on what it makes of it. */
  readonly schema?: StandardSchema;
}

interface Entry {
  readonly patterns: readonly string[];
  readonly options: RespondOptions;
  readonly handler: RequestHandler;
  readonly ready: PromiseWithResolvers<void>;
  began: boolean;
}

/** The responders of a connection. Loaded with the first of them. */
export class Responders implements Part {
  readonly #connection: Connection;
  readonly #subscriptions: Subscriptions;
  readonly #report: (error: unknown) => void;
  readonly #entries = new Map<number, Entry>();
  readonly #timestamp = timestamps();
  #unsent: number[] = [];
  #answers: string[] = [];
  /** Ends with the session: an answer to a question of an older one is for nobody. */
  #session = new AbortController();

  constructor(connection: Connection, subscriptions: Subscriptions, report: (error: unknown) => void) {
    this.#connection = connection;
    this.#subscriptions = subscriptions;
    this.#report = report;
    // Who answers speaks before who asks, so that a client may ask itself.
    connection.parts.unshift(this);
  }

  /** `ready` rejects if the router refuses it. */
  add(patterns: readonly string[], options: RespondOptions, handler: RequestHandler): Running {
    const id = this.#connection.next();
    const ready = Promise.withResolvers<void>();
    this.#entries.set(id, { patterns, options, handler: traced(handler), ready, began: false });
    this.#unsent.push(id);
    this.#connection.wake();
    return { ready: ready.promise, stop: () => this.#stop(id) };
  }

  /** No more requests come to it. */
  async #stop(id: number): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    entry.ready.reject(new SubscriptionError("ERR_UNSUBSCRIBED", "the responder was stopped before the router had it"));
    if (!this.#unsent.includes(id)) return this.#subscriptions.leave(id);
    this.#unsent = this.#unsent.filter((one) => one !== id);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((id) => this.#stop(id)));
  }

  opened(): void {
    this.#unsent = [...this.#entries.keys()];
  }

  write(put: (frame: string) => void): void {
    for (const id of this.#unsent) put(JSON.stringify(["serve", id, this.#entries.get(id)!.patterns]));
    for (const answer of this.#answers) put(answer);
    this.#unsent = [];
    this.#answers = [];
  }

  receive(frame: RouterFrame): boolean {
    if (frame[0] === "ask") {
      void this.#asked(frame[1], decodeLine(frame[3], this.#connection.welcome!.epoch, this.#timestamp));
      return true;
    }
    const entry = this.#entries.get(frame[1] as number);
    if (entry === undefined || (frame[0] !== "on" && frame[0] !== "end")) return false;
    if (frame[0] === "on") {
      entry.began = true;
      entry.ready.resolve();
    } else this.#fail(frame[1], entry, frame[2] === undefined ? new SubscriptionError("ERR_SUBSCRIPTION_ENDED", "the router ended the responder; respond again", { retryable: true }) : fromWire(frame[2]));
    return true;
  }

  down(error: EventRouterError, final: boolean): void {
    this.#session.abort(error);
    this.#session = new AbortController();
    this.#answers = [];
    if (final) for (const [id, entry] of this.#entries) this.#fail(id, entry, error);
  }

  async #asked(ask: number, request: RouterEvent): Promise<void> {
    const session = this.#session;
    const { vault } = this.#connection;
    let secret = false;
    let frame: string;
    const answered = (json: string): string => `["answer",${ask}]\n${json}`;
    const failed = (thrown: unknown): string => JSON.stringify(["fail", ask, remoteError(thrown)]);
    try {
      if (vault !== undefined) secret = await vault.openRequest(request);
      const { options: { schema }, handler } = this.#entryOf(request.type);
      const checked = schema === undefined ? request : { ...request, payload: await validate(schema, request.payload, `the request "${request.type}"`) };
      const payload: unknown = await handler(checked, contextOf(this.#connection.user, session.signal));
      checkPayload(payload);
      const json = JSON.stringify(payload) ?? "null";
      frame = answered(secret ? await vault!.sealAnswer(request, "answer", json) : json);
    } catch (thrown) {
      // What went wrong with a secret may tell of it; what went wrong with encryption does not.
      frame = secret && !(thrown instanceof EncryptionError) ? await vault!.sealAnswer(request, "failure", JSON.stringify(remoteError(thrown))).then(answered, failed) : failed(thrown);
    }
    if (session !== this.#session) return;
    this.#answers.push(frame);
    this.#connection.wake();
  }

  #entryOf(type: string): Entry {
    for (const entry of this.#entries.values()) if (entry.patterns.some((pattern) => matchesPattern(pattern, type))) return entry;
    throw new SubscriptionError("ERR_RESPONDER_STOPPED", `the responder of "${type}" has stopped; ask again`, { retryable: true });
  }

  #fail(id: number, { ready, began }: Entry, error: EventRouterError): void {
    this.#entries.delete(id);
    if (began) this.#report(error);
    ready.reject(error);
  }
}

/** What of a throw may cross the wire: its name and message. Never its stack. */
function remoteError(thrown: unknown): WireError {
  const { name, message } = thrown instanceof Error ? thrown : { name: "Error", message: String(thrown) };
  const code = thrown instanceof EventRouterError ? thrown.code : "ERR_REMOTE";
  return ["RemoteError", code, message, 0, { name }];
}

import type { Clock } from "../core/clock.ts";
import { ConnectionError, fromWire, TimeoutError, type EventRouterError, type WireError } from "../core/errors.ts";
import { Alarm } from "./alarm.ts";
import type { Part } from "./connection.ts";

/** Something asked of the router or, through it, of another client. */
export interface Question {
  /** For messages: `the request "calculator.add"`. */
  readonly what: string;
  /** ms */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** @param left ms until the deadline */
  frame(req: number, left: number): string;
}

interface Waiting extends Question {
  readonly req: number;
  readonly deadline: number;
  sent: boolean;
  readonly abort: () => void;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Questions that wait for an answer. One that was sent before a cut fails: whether it was carried out is unknown, and it may not be harmless twice (P7). */
export class Requests implements Part {
  readonly #clock: Clock;
  readonly #nextReq: () => number;
  readonly #wake: () => void;
  readonly #lastError: () => unknown;
  readonly #alarm: Alarm;
  readonly #waiting = new Map<number, Waiting>();
  #unsent: Waiting[] = [];
  #cancels: number[] = [];

  constructor(options: { clock: Clock; nextReq(): number; wake(): void; lastError(): unknown }) {
    this.#clock = options.clock;
    this.#nextReq = options.nextReq;
    this.#wake = options.wake;
    this.#lastError = options.lastError;
    this.#alarm = new Alarm(options.clock, (now) => this.#expire(now));
  }

  ask(question: Question): Promise<unknown> {
    const { signal } = question;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const req = this.#nextReq();
      const abort = (): void => this.#giveUp(waiting, signal!.reason);
      const waiting: Waiting = { ...question, req, deadline: this.#clock.now() + question.timeout, sent: false, abort, resolve, reject };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(req, waiting);
      this.#unsent.push(waiting);
      this.#alarm.set(waiting.deadline);
      this.#wake();
    });
  }

  write(put: (frame: string) => void): void {
    for (const req of this.#cancels) put(`["cancel",${req}]`);
    for (const one of this.#unsent) {
      one.sent = true;
      put(one.frame(one.req, Math.max(1, Math.ceil(one.deadline - this.#clock.now()))));
    }
    this.#cancels = [];
    this.#unsent = [];
  }

  answered(req: number, value: unknown): void {
    this.#settle(this.#waiting.get(req))?.resolve(value);
  }

  refused(req: number, error: WireError): void {
    this.#settle(this.#waiting.get(req))?.reject(fromWire(error));
  }

  lost(cause: ConnectionError): void {
    this.#cancels = [];
    for (const one of this.#waiting.values()) {
      if (one.sent) this.#settle(one)?.reject(new ConnectionError("ERR_CONNECTION_LOST", `the connection was lost before ${one.what} was answered; whether it was carried out is unknown. Ask again if that does no harm`, { retryable: true, cause }));
    }
  }

  failed(error: EventRouterError): void {
    for (const one of this.#waiting.values()) this.#settle(one)?.reject(error);
    this.#unsent = [];
    this.#cancels = [];
  }

  #giveUp(one: Waiting, reason: unknown): void {
    if (this.#settle(one) === undefined) return;
    if (one.sent) this.#cancels.push(one.req);
    else this.#unsent.splice(this.#unsent.indexOf(one), 1);
    this.#wake();
    one.reject(reason);
  }

  #settle(one: Waiting | undefined): Waiting | undefined {
    if (one === undefined || !this.#waiting.delete(one.req)) return undefined;
    one.signal?.removeEventListener("abort", one.abort);
    if (this.#waiting.size === 0) this.#alarm.off();
    return one;
  }

  #expire(now: number): number {
    let next = Infinity;
    for (const one of this.#waiting.values()) {
      if (one.deadline > now) next = Math.min(next, one.deadline);
      else this.#giveUp(one, new TimeoutError("ERR_TIMEOUT", `no answer to ${one.what} within ${one.timeout} ms; ${one.sent ? "whether it was carried out is unknown" : "it was not sent, there was no connection"}`, { retryable: true, cause: this.#lastError() }));
    }
    return next;
  }
}

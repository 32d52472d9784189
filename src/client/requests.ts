import { milliseconds } from "../core/duration.ts";
import { ConnectionError, fromWire, type EventRouterError } from "../core/errors.ts";
import type { EventMeta, RouterEvent } from "../core/event.ts";
import type { RouterFrame } from "../core/frames.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import { Alarm } from "./alarm.ts";
import { checkPayload } from "./check-event.ts";
import { checkSignal } from "./check-options.ts";
import type { Connection, Part } from "./connection.ts";
import { lineOf, plainText } from "./encode-event.ts";
import type { Home } from "./home.ts";
import type { Later } from "./later.ts";
import { isTraced } from "./open-telemetry.ts";
import type { Publishing } from "./publishing.ts";
import { timeoutError, type WaitOptions } from "./wait.ts";

interface Question {
  readonly req: number;
  readonly what: string;
  readonly deadline: number;
  /** @param left ms until the deadline */
  readonly frame: (req: number, left: number) => string;
  sent: boolean;
  /** Called once. */
  readonly settle: (error: unknown, value?: unknown) => void;
}

interface Parts { readonly publishing: Later<Publishing>; readonly responders: Later<unknown> }

const unknown = "whether it was carried out is unknown";

/** Questions that wait for an answer, of a responder or of the router itself. Loaded with the first. One that was sent before a cut fails: whether it was carried out is unknown, and it may not be harmless twice (P7). */
export class Requests implements Part {
  readonly #home: Home & Parts;
  readonly #connection: Connection;
  readonly #alarm: Alarm;
  readonly #open = new Map<number, Question>();
  readonly #timestamp = timestamps();
  #unsent: Question[] = [];
  #cancels: number[] = [];

  constructor(home: Home & Parts) {
    const { connection } = home;
    this.#home = home;
    this.#connection = connection;
    this.#alarm = new Alarm(connection.clock, (now) => this.#expire(now));
    connection.parts.push(this);
  }

  /** Asks whoever responds to this type; resolves with the response as an event. */
  async request(type: string, payload: unknown, { timeout, signal, ...fields }: EventMeta & WaitOptions = {}): Promise<RouterEvent> {
    const { publishing, responders } = this.#home;
    const event = { ...fields, type, payload };
    // It does not overtake what is published while that code is on its way.
    const plain = (publishing.part ?? publishing.loading) === undefined && !isTraced() && plainText(event);
    const text = plain || (await publishing.use((all) => all.encode(event))).text;
    const id = this.#home.nextId();
    const opening = this.#home.vault();
    const vault = opening && await opening;
    const line = lineOf(text, id, vault && await vault.sealRequest(type, id, text.payload));
    // What this client offers to answer goes out before what it asks after that.
    await responders.loading;
    const answer = await this.ask(`the request "${type}"`, (req, left) => `["req",${req},${left}]\n${line}`, { timeout, signal });
    const response = decodeLine(answer as EventLine, this.#connection.welcome!.epoch, this.#timestamp);
    if (vault !== undefined) await vault.openAnswer(response, type, id);
    return response;
  }

  ask(what: string, frame: Question["frame"], { timeout = this.#home.settings.timeout, signal }: WaitOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      checkSignal(signal);
      this.#connection.use();
      const req = this.#connection.next();
      const abort = (): void => this.#giveUp(question, signal!.reason);
      const settle: Question["settle"] = (error, value) => {
        this.#open.delete(req);
        signal?.removeEventListener("abort", abort);
        if (this.#open.size === 0) this.#alarm.off();
        if (error === undefined) resolve(value);
        else reject(error);
      };
      const question: Question = { req, what, deadline: this.#connection.clock.now() + milliseconds(timeout, "timeout"), frame, sent: false, settle };
      signal?.addEventListener("abort", abort, { once: true });
      this.#open.set(req, question);
      this.#unsent.push(question);
      this.#alarm.set(question.deadline);
      this.#connection.wake();
    });
  }

  /** Asks the router itself: its statistics, its subscriptions … */
  call(method: string, params: Readonly<Record<string, unknown>>, options: WaitOptions): Promise<unknown> {
    checkPayload(params, "params", "ERR_PARAMETER");
    return this.ask(`the call "${method}"`, (req) => JSON.stringify(["call", req, method, params]), options);
  }

  write(put: (frame: string) => void): void {
    for (const req of this.#cancels) put(`["cancel",${req}]`);
    for (const one of this.#unsent) {
      if (!this.#open.has(one.req)) continue;
      one.sent = true;
      put(one.frame(one.req, Math.max(1, Math.ceil(one.deadline - this.#connection.clock.now()))));
    }
    this.#cancels = [];
    this.#unsent = [];
  }

  receive(frame: RouterFrame): boolean {
    if (frame[0] === "ok") this.#open.get(frame[1])?.settle(undefined, frame[2]);
    else if (frame[0] === "err") this.#open.get(frame[1])?.settle(fromWire(frame[2]));
    else return false;
    return true;
  }

  down(error: EventRouterError, final: boolean): void {
    this.#cancels = [];
    for (const one of this.#open.values()) {
      if (final && !one.sent) one.settle(error);
      else if (one.sent) one.settle(new ConnectionError("ERR_CONNECTION_LOST", `the connection was lost before the answer to ${one.what}; ${unknown}`, { retryable: true, cause: error }));
    }
  }

  #giveUp(one: Question, reason: unknown): void {
    if (one.sent) this.#cancels.push(one.req);
    this.#connection.wake();
    one.settle(reason);
  }

  #expire(now: number): number {
    let next = Infinity;
    for (const one of this.#open.values()) {
      if (one.deadline > now) next = Math.min(next, one.deadline);
      else this.#giveUp(one, timeoutError(`no answer to ${one.what} in time; ${one.sent ? unknown : "it was not sent, for want of a connection"}`, this.#connection));
    }
    return next;
  }
}

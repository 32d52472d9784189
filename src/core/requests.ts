import { Deadlines } from "./deadlines.ts";
import { ConnectionError, NoRespondersError, PermissionError, PublishError, TimeoutError, toWire, type EventRouterError, type WireError } from "./errors.ts";
import type { Histogram } from "./histogram.ts";
import type { Reader } from "./reader.ts";
import type { SavedRequest } from "./saved-session.ts";
import { TopicIndex } from "./topic-index.ts";

/** A session's offer to answer requests of these types. */
export interface Responder {
  readonly id: number;
  readonly reader: Reader;
  readonly patterns: readonly string[];
  /** Requests it has not answered. */
  open: number;
}

interface Pending {
  readonly ask: number;
  readonly req: number;
  /** The request event's id. */
  readonly id: string;
  readonly requester: Reader;
  readonly responder: Responder;
  readonly type: string;
  readonly deadline: number;
  /** When it was asked; unknown if the router has slept meanwhile. */
  readonly since?: number;
}

/** Deadlines of answered requests that may lie about: most are answered long before. */
const SLACK = 1_024;

/** Hands requests to responders and answers to requesters. Nothing of it is stored: an answer is for the caller that waits, and for no other (P7). */
export class Requests {
  readonly #index = new TopicIndex<Responder>();
  readonly #pending = new Map<number, Pending>();
  readonly #byRequester = new Map<Reader, Map<number, Pending>>();
  readonly #deadlines = new Deadlines<number>();
  readonly #now: () => number;
  readonly #deadlineSet: (at: number) => void;
  readonly #took: Histogram;
  #lastAsk = 0;
  #turn = 0;
  /** Answers nobody waited for any more. */
  late = 0;

  constructor(options: { now(): number; deadlineSet(at: number): void; took: Histogram }) {
    this.#now = options.now;
    this.#took = options.took;
    this.#deadlineSet = options.deadlineSet;
  }

  get open(): number { return this.#pending.size; }
  openFor(requester: Reader): number { return this.#byRequester.get(requester)?.size ?? 0; }
  /** Whether the requester waits under this number already. */
  waits(requester: Reader, req: number): boolean { return this.#byRequester.get(requester)?.has(req) === true; }
  /** When `expire` is next needed. */
  get due(): number | null { return this.#deadlines.due((ask) => this.#pending.has(ask)); }

  serve(responder: Responder): void {
    for (const pattern of responder.patterns) this.#index.add(pattern, responder);
  }

  /** It takes no more requests; those it has may still be answered. */
  retire(responder: Responder): void {
    for (const pattern of responder.patterns) this.#index.delete(pattern, responder);
  }

  /**
   * Gives a request to the responder with the fewest open ones, in turn among equals.
   * @param timeout ms
   * @throws NoRespondersError if there is none, PublishError `ERR_BUSY` if none has room.
   */
  ask(requester: Reader, req: number, { id, type, line }: { id: string; type: string; line: string }, timeout: number): void {
    const responders = this.#index.match(type).filter(({ reader }) => reader.rights.allows("respond", type));
    if (responders.length === 0) throw new NoRespondersError("ERR_NO_RESPONDERS", `nobody answers "${type}" now; start a client that calls respond("${type}", …) in this namespace`, { retryable: true });
    const responder = this.#choose(responders, line.length);
    if (responder === undefined) throw new PublishError("ERR_BUSY", `all responders of "${type}" are busy; ask again later or add a responder`, { retryable: true });
    const ask = ++this.#lastAsk;
    const since = this.#now();
    this.#await({ ask, req, id, requester, responder, type, since, deadline: since + timeout });
    responder.reader.tell(`["ask",${ask},${timeout},${line}]`);
  }

  #choose(responders: readonly Responder[], size: number): Responder | undefined {
    let best: Responder | undefined;
    const start = this.#turn++;
    for (let i = 0; i < responders.length; i++) {
      const one = responders[(start + i) % responders.length]!;
      if ((best === undefined || one.open < best.open) && one.reader.fits(size + 64)) best = one;
    }
    return best;
  }

  /** A responder's answer as the line of a response event. */
  answer(reader: Reader, ask: number, response: (request: { readonly id: string; readonly type: string }) => string): void {
    const pending = this.#settle(reader, ask);
    if (pending === undefined) return;
    // The right may have gone while it waited.
    if (pending.requester.rights.allows("request", pending.type)) pending.requester.tell(`["ok",${pending.req},${response(pending)}]`);
    else refuse(pending, mayNotRequest(pending.type));
  }

  /** A responder's refusal. */
  fail(reader: Reader, ask: number, error: WireError): void {
    const pending = this.#settle(reader, ask);
    if (pending !== undefined) refuse(pending, error);
  }

  /** The requester no longer waits. */
  cancel(requester: Reader, req: number): void {
    const pending = this.#byRequester.get(requester)?.get(req);
    if (pending !== undefined) this.#remove(pending);
  }

  /** A session has gone: its requests are forgotten, those it should have answered fail. */
  leave(reader: Reader): void {
    for (const pending of this.#pending.values()) {
      if (pending.requester === reader) this.#remove(pending);
      else if (pending.responder.reader === reader) {
        this.#remove(pending);
        refuse(pending, responderLost(pending.type));
      }
    }
  }

  get lastAsk(): number { return this.#lastAsk; }

  /** What a requester waits for. */
  save(requester: Reader): SavedRequest[] {
    return [...this.#byRequester.get(requester)?.values() ?? []].map(({ ask, req, id, type, deadline, responder }) =>
      ({ ask, req, id, type, deadline, responder: [responder.reader.session, responder.id] }));
  }

  /** Numbers up to this one were given out before the router slept: a late answer must not meet another request (P7). */
  resume(lastAsk: number): void {
    this.#lastAsk = Math.max(this.#lastAsk, lastAsk);
  }

  /** A requester waits again for what it waited for. */
  restore(requester: Reader, { ask, req, id, type, deadline }: SavedRequest, responder: Responder): void {
    this.resume(ask);
    this.#await({ ask, req, id, type, deadline, requester, responder });
  }

  #await(pending: Pending): void {
    const { ask, req, requester, deadline } = pending;
    pending.responder.open++;
    this.#pending.set(ask, pending);
    const own = this.#byRequester.get(requester);
    if (own === undefined) this.#byRequester.set(requester, new Map([[req, pending]]));
    else own.set(req, pending);
    if (this.#deadlines.size > 2 * this.#pending.size + SLACK) this.#deadlines.keep((one) => this.#pending.has(one));
    this.#deadlines.add(deadline, ask);
    this.#deadlineSet(deadline);
  }

  /** Fails what has waited too long. */
  expire(now: number): void {
    for (let ask = this.#deadlines.take(now); ask !== undefined; ask = this.#deadlines.take(now)) {
      const pending = this.#pending.get(ask);
      if (pending === undefined) continue;
      this.#remove(pending);
      refuse(pending, new TimeoutError("ERR_TIMEOUT", `no answer to "${pending.type}" in time; whether it was carried out is unknown`, { retryable: true }));
    }
  }

  #settle(reader: Reader, ask: number): Pending | undefined {
    const pending = this.#pending.get(ask);
    if (pending === undefined || pending.responder.reader !== reader) {
      this.late++;
      return undefined;
    }
    this.#remove(pending);
    if (pending.since !== undefined) this.#took.observe(this.#now() - pending.since);
    return pending;
  }

  #remove(pending: Pending): void {
    pending.responder.open--;
    this.#pending.delete(pending.ask);
    const own = this.#byRequester.get(pending.requester)!;
    own.delete(pending.req);
    if (own.size === 0) this.#byRequester.delete(pending.requester);
  }
}

export function mayNotRequest(type: string): PermissionError {
  return new PermissionError("ERR_PERMISSION", `not allowed to request "${type}"; the credential needs request:${type}`, { details: { permission: `request:${type}` } });
}

export function responderLost(type: string): EventRouterError {
  return new ConnectionError("ERR_RESPONDER_LOST", `the responder of "${type}" left before it answered; whether it carried out the request is unknown`, { retryable: true });
}

function refuse({ requester, req }: Pending, error: EventRouterError | WireError): void {
  requester.tell(JSON.stringify(["err", req, error instanceof Error ? toWire(error) : error]));
}

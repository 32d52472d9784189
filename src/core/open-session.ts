import { Away } from "./company/away.ts";
import type { Authority } from "./authority.ts";
import { CallQueue } from "./call-queue.ts";
import type { Call } from "./calls/call.ts";
import { asError, EventRouterError, NoRespondersError, PublishError, toWire, type WireError } from "./errors.ts";
import { count, FrameReader, malformed, record } from "./frame-reader.ts";
import type { Credential } from "./frames.ts";
import { Handles } from "./handles.ts";
import type { KnownEvent } from "./known-event.ts";
import type { Membership } from "./membership.ts";
import type { Namespace } from "./namespace.ts";
import type { Principal, SavedPrincipal } from "./policy.ts";
import { readLine } from "./publish.ts";
import { Publisher } from "./publisher.ts";
import type { RateKind } from "./rate-limit.ts";
import type { Reader } from "./reader.ts";
import { mayNotRequest, responderLost, type Responder } from "./requests.ts";
import { savePrincipal } from "./save.ts";
import type { Vouched } from "./company/vouching.ts";
import type { SavedCall, SavedOpenSession } from "./saved-session.ts";
import { checkPayload } from "./validate-event.ts";

const NONE: readonly never[] = [];

export interface OpenSessionOptions {
  /** Whose session it is, if the client says that it comes back under the same secret. */
  readonly instance: string | undefined;
  readonly namespace: Namespace;
  readonly principal: Principal;
  readonly reader: Reader;
  readonly calls: ReadonlyMap<string, Call>;
  readonly authority: Authority;
}

/** A session after its welcome: what each frame of a client does. */
export class OpenSession {
  readonly instance: string | undefined;
  readonly namespace: Namespace;
  readonly reader: Reader;
  readonly #authority: Authority;
  readonly #calls: ReadonlyMap<string, Call>;
  #principal: Principal;
  readonly #handles: Handles;
  // Made when they are needed: most sessions only listen.
  #callQueue: CallQueue | undefined;
  #ownPublisher: Publisher | undefined;
  /** What of it is at the leader, where several routers share the log. */
  readonly #away: Away | undefined;
  /** Newer credentials that are being looked at: by the number of the question alone, as a credential is written nowhere. */
  #renewals: readonly number[] = NONE;
  #closed = false;

  constructor({ instance, namespace, principal, reader, calls, authority }: OpenSessionOptions) {
    this.instance = instance;
    this.namespace = namespace;
    this.reader = reader;
    this.#calls = calls;
    this.#authority = authority;
    this.#principal = principal;
    this.#handles = new Handles(this);
    this.#away = namespace.company && new Away({
      session: reader.session, reader, outbound: namespace.company, now: () => namespace.now(), end: (error) => reader.owner.end(error), receive: (message) => void this.receive(message),
      facts: () => ({ principal: this.#vouchedFor(), ...(reader.name !== undefined && { name: reader.name }), ...(instance !== undefined && { instance }) } satisfies Omit<Vouched, "id">),
      principal: () => this.#vouchedFor(),
    });
  }

  /** What another router is told of its principal; that it expires is for this one to see to. */
  #vouchedFor(): SavedPrincipal {
    const { expiresAt: _here, ...principal } = savePrincipal(this.principal);
    return principal;
  }

  get id(): string { return this.reader.session; }
  get away(): Away | undefined { return this.#away; }
  /** Whether the leader has something under this id. */
  elsewhere(id: number): boolean { return this.#away?.has(id) === true; }
  /** Whether it has something that only the leader has. */
  get bound(): boolean { return this.#handles.bound || this.#unanswered.length > 0 || this.namespace.requests.openFor(this.reader) > 0; }

  /** Something counts. @throws `ERR_RATE_LIMIT` if it is too much. */
  spend(kind: RateKind = "call", count = 1): void { this.#authority.spend(this, kind, count); }

  /** A ticket for its principal. @throws PermissionError */
  ticket(): Promise<string> { return this.#authority.ticket(this); }

  get memberships(): ReadonlyMap<number, Membership> { return this.#handles.memberships; }
  get principal(): Principal { return this.#principal; }
  get #publisher(): Publisher { return (this.#ownPublisher ??= new Publisher(this)); }
  get #unanswered(): readonly SavedCall[] { return this.#callQueue?.unanswered ?? NONE; }

  /** The same principal, with what it may do from now on. */
  become(principal: Principal): void {
    this.#principal = principal;
    this.#handles.entitle(principal.rights);
    this.#away?.become();
    this.tell(["rights", this.#authority.standing(principal)]);
  }

  /**
   * Carries out the frames of a message; says whether the client leaves.
   * @throws ValidationError `ERR_FRAME` if the client does not speak the protocol: the session must end.
   */
  receive(message: string, known?: readonly KnownEvent[]): "stays" | "leaves" {
    const frames = new FrameReader(message);
    let published = 0;
    const away = this.#away === undefined || this.namespace.leads ? undefined : this.#away;
    // One that stood still past its lease has found out just now, and ended what it led.
    if (this.#closed) return "stays";
    for (let frame = frames.frame(); frame !== undefined; frame = frames.frame()) {
      if (away?.takes(frame, frames) === true) continue;
      const [name, ...args] = frame;
      switch (name) {
        case "pub": {
          const lines = frames.raw(count(args[1], "lines"));
          this.#publisher.publish(count(args[0], "req"), lines, args[2], known?.slice(published, (published += lines.length)));
          break;
        }
        case "ack":
          this.#handles.ack(args);
          away?.ack(args);
          this.#callQueue?.wake();
          break;
        case "done": this.#handles.done(args); break;
        case "nack": this.#handles.nack(args); break;
        case "req": this.#request(count(args[0], "req"), count(args[1], "timeout"), frames.raw(1)[0]!); break;
        case "answer": this.#answer(count(args[0], "ask"), frames.raw(1)[0]!); break;
        case "fail": this.#fail(count(args[0], "ask"), args[1]); break;
        case "sub": void this.#handles.subscribe(count(args[0], "id"), record(args[1], "subscription")); break;
        case "serve": this.#handles.serve(count(args[0], "id"), args[1]); break;
        case "unsub": this.#handles.leave(args); break;
        case "cancel": this.namespace.requests.cancel(this.reader, count(args[0], "req")); break;
        case "call": this.#call(count(args[0], "req"), args[1], args[2]); break;
        case "auth": void this.#renew(count(args[0], "req"), record(args[1], "credential")); break;
        case "revive":
          if (!this.reader.vouched) throw malformed("revive");
          this.namespace.company?.found(String(args[1]), { reader: this.reader, id: count(args[0], "id") });
          break;
        case "bye": return "leaves";
        default: throw malformed(`unknown frame ${JSON.stringify(name.slice(0, 32))}`);
      }
    }
    away?.flush();
    return "stays";
  }

  /** What it takes to go on as if nothing had been, after the router has slept. */
  save(): SavedOpenSession {
    const { id, instance, namespace, principal, reader } = this;
    const requests = namespace.requests.save(reader);
    return {
      state: "open", id, ...(instance !== undefined && { instance }), namespace: namespace.name, ...(reader.name !== undefined && { name: reader.name }),
      principal: savePrincipal(principal), flow: reader.flow, head: namespace.dispatcher.head, lastAsk: namespace.requests.lastAsk,
      ...this.#handles.save(), ...(requests.length > 0 && { requests }), ...(this.#renewals.length > 0 && { renewals: this.#renewals }),
      ...(this.#unanswered.length > 0 && { calls: this.#unanswered }),
    };
  }

  /** Takes up what was saved. Nothing is sent before `resumed`. @param head up to where the log was given out when the router went to sleep */
  resume(saved: SavedOpenSession, head: number): void {
    this.reader.resume(saved.flow);
    this.#handles.resume(saved, head);
  }

  /** All sessions are there again: goes on. */
  resumed({ opening, renewals = [], calls = [], requests = [] }: SavedOpenSession, responderOf: (session: string, id: number) => Responder | undefined): void {
    const { reader, namespace } = this;
    for (const saved of requests) {
      const responder = responderOf(...saved.responder);
      if (responder !== undefined) namespace.requests.restore(reader, saved, responder);
      else this.tell(["err", saved.req, toWire(responderLost(saved.type))]);
    }
    this.#handles.resumed(opening);
    for (const req of renewals) this.tell(["err", req, toWire(new EventRouterError("ERR_ASLEEP", "the router slept while it looked at the credential; show it again", { retryable: true }))]);
    for (const call of calls) this.#call(...call);
  }

  responder(id: number): Responder | undefined { return this.#handles.responder(id); }

  /** The link is gone, or the router leaves. */
  close(): void {
    this.#closed = true;
    this.#away?.close();
    this.#callQueue?.close();
    this.#handles.close();
    this.namespace.requests.leave(this.reader);
    this.namespace.readers.delete(this.reader);
  }

  #call(...call: SavedCall): void {
    (this.#callQueue ??= new CallQueue(this, this.#calls)).add(...call);
  }

  #request(req: number, timeout: number, line: string): void {
    const { namespace } = this;
    if (namespace.requests.waits(this.reader, req)) throw malformed(`request ${req} has no answer yet; number requests anew`);
    try {
      this.spend("request");
      const request = readLine(line, namespace.limits);
      if (!this.principal.rights.allows("request", request.type)) throw mayNotRequest(request.type);
      if (namespace.requests.openFor(this.reader) >= namespace.limits.requests) throw new PublishError("ERR_BUSY", `a session may wait for ${namespace.limits.requests} answers at a time; wait for some first`, { retryable: true });
      const stamped = `[0,${namespace.stampTime()},${this.#publisher.stamp},${line.slice(1)}`;
      namespace.requests.ask(this.reader, req, { id: request.id, type: request.type, line: stamped }, Math.min(timeout, namespace.limits.requestTime));
    } catch (error) {
      this.tell(["err", req, toWire(asError(error, (cause) => new NoRespondersError("ERR_REQUEST", "the request could not be handed on", { cause })))]);
    }
  }

  #answer(ask: number, payload: string): void {
    const { requests, limits } = this.namespace;
    try {
      checkPayload(parse(payload), payload.length, limits);
    } catch (error) {
      const { message } = asError(error, (cause) => malformed("answer", cause));
      return requests.fail(this.reader, ask, ["RemoteError", "ERR_ANSWER", `the responder's answer was refused: ${message}`, 0]);
    }
    requests.answer(this.reader, ask, ({ id, type }) => `[0,${this.namespace.stampTime()},${this.#publisher.stamp},"res_${ask}",${JSON.stringify(type)},${payload},{"correlationId":${JSON.stringify(id)}}]`);
  }

  #fail(ask: number, error: unknown): void {
    this.namespace.requests.fail(this.reader, ask, readWireError(error));
  }

  /** The client shows a newer credential of the same principal. */
  async #renew(req: number, credential: Readonly<Record<string, unknown>>): Promise<void> {
    this.#renewals = [...this.#renewals, req];
    try {
      this.spend("call");
      const principal = await this.#authority.renew(this, credential as unknown as Credential);
      if (this.#closed) return;
      this.become(principal);
      this.tell(["ok", req, null]);
    } catch (error) {
      if (!this.#closed) this.tell(["err", req, toWire(asError(error, (cause) => new EventRouterError("ERR_INTERNAL", "the router could not check the credential; show it again later", { cause, retryable: true })))]);
    } finally {
      this.#renewals = this.#renewals.filter((one) => one !== req);
    }
  }

  tell(frame: readonly unknown[]): void {
    this.reader.tell(JSON.stringify(frame));
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw malformed("a payload is not JSON", cause);
  }
}

/** An error that a client sends is text for another client: only its own parts, cut to a length. */
function readWireError(error: unknown): WireError {
  const [, code, message, , details] = Array.isArray(error) ? (error as unknown[]) : [];
  const name = typeof details === "object" && details !== null ? (details as { name?: unknown }).name : undefined;
  return ["RemoteError", text(code, 64, "ERR_REMOTE"), text(message, 2_048, "the responder failed"), 0, { name: text(name, 64, "Error") }];
}

function text(value: unknown, length: number, fallback: string): string {
  return typeof value === "string" ? value.slice(0, length) : fallback;
}

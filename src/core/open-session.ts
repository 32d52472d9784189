import type { Authority } from "./authority.ts";
import { CallQueue } from "./call-queue.ts";
import type { Call } from "./calls/call.ts";
import { checkReach, entitle } from "./entitle.ts";
import { asError, EventRouterError, NoRespondersError, PublishError, SubscriptionError, toWire, ValidationError, type WireError } from "./errors.ts";
import { count, FrameReader, malformed, optionalText, record } from "./frame-reader.ts";
import type { Credential, From } from "./frames.ts";
import type { Filter } from "./filter.ts";
import type { Namespace } from "./namespace.ts";
import { assertPattern } from "./pattern.ts";
import type { Action, Principal } from "./policy.ts";
import { readLine } from "./publish.ts";
import { Publisher } from "./publisher.ts";
import type { Reader } from "./reader.ts";
import { mayNotRequest, responderLost, type Responder } from "./requests.ts";
import { saveCursor, savePrincipal } from "./save.ts";
import type { SavedOpenSession } from "./saved-session.ts";
import { checkPayload } from "./validate-event.ts";

export interface OpenSessionOptions {
  readonly id: string;
  /** Whose session it is, if the client says that it comes back under the same secret. */
  readonly instance: string | undefined;
  readonly namespace: Namespace;
  readonly principal: Principal;
  readonly reader: Reader;
  readonly calls: ReadonlyMap<string, Call>;
  readonly authority: Authority;
  /** The session cannot go on. */
  end(error: EventRouterError): void;
}

/** A session after its welcome: what each frame of a client does. */
export class OpenSession {
  readonly id: string;
  readonly instance: string | undefined;
  readonly namespace: Namespace;
  readonly reader: Reader;
  readonly #calls: CallQueue;
  readonly #authority: Authority;
  readonly #publisher: Publisher;
  readonly #responders = new Map<number, Responder>();
  /** Subscriptions that are being opened, each by the attempt that does: another's, or none, and it was ended meanwhile. */
  readonly #opening = new Map<number, Readonly<Record<string, unknown>>>();
  /** Newer credentials that are being looked at. */
  readonly #renewals = new Map<number, Readonly<Record<string, unknown>>>();
  #closed = false;

  constructor({ id, instance, namespace, principal, reader, calls, authority, end }: OpenSessionOptions) {
    this.id = id;
    this.instance = instance;
    this.namespace = namespace;
    this.reader = reader;
    this.#calls = new CallQueue(this, calls);
    this.#authority = authority;
    this.#publisher = new Publisher({ namespace, principal, name: reader.name, spend: (events) => authority.spend("publish", events), tell: (frame) => this.#tell(frame), broken: end });
  }

  spend(): void { this.#authority.spend("call"); }

  /** A ticket for its principal. @throws PermissionError */
  ticket(): string { return this.#authority.ticket(this.principal); }

  get principal(): Principal { return this.#publisher.principal; }

  /** The same principal, with what it may do from now on. */
  become(principal: Principal): void {
    this.#publisher.principal = principal;
    entitle(principal.rights, { namespace: this.namespace, reader: this.reader, responders: this.#responders, tell: (frame) => this.#tell(frame) });
    this.#tell(["rights", this.#authority.standing(principal)]);
  }

  /**
   * Carries out the frames of a message; says whether the client leaves.
   * @throws ValidationError `ERR_FRAME` if the client does not speak the protocol: the session must end.
   */
  receive(message: string): "stays" | "leaves" {
    const frames = new FrameReader(message);
    for (let frame = frames.frame(); frame !== undefined; frame = frames.frame()) {
      const [name, ...args] = frame;
      switch (name) {
        case "pub": this.#publisher.publish(count(args[0], "req"), frames.raw(count(args[1], "lines")), args[2]); break;
        case "ack": this.#ack(args); break;
        case "req": this.#request(count(args[0], "req"), count(args[1], "timeout"), frames.raw(1)[0]!); break;
        case "answer": this.#answer(count(args[0], "ask"), frames.raw(1)[0]!); break;
        case "fail": this.#fail(count(args[0], "ask"), args[1]); break;
        case "sub": void this.#subscribe(count(args[0], "id"), record(args[1], "subscription")); break;
        case "serve": this.#serve(count(args[0], "id"), args[1]); break;
        case "unsub": this.#unsubscribe(count(args[0], "id")); break;
        case "cancel": this.namespace.requests.cancel(this.reader, count(args[0], "req")); break;
        case "call": this.#calls.add(count(args[0], "req"), args[1], args[2]); break;
        case "auth": void this.#renew(count(args[0], "req"), record(args[1], "credential")); break;
        case "bye": return "leaves";
        default: throw malformed(`unknown frame ${JSON.stringify(name.slice(0, 32))}`);
      }
    }
    return "stays";
  }

  /** What it takes to go on as if nothing had been, after the router has slept. */
  save(): SavedOpenSession {
    const { id, instance, namespace, principal, reader } = this;
    const cursors = [...reader.cursors.values()].map(saveCursor);
    const responders = [...this.#responders.values()].map((one) => [one.id, one.patterns] as const);
    const requests = namespace.requests.save(reader);
    return {
      state: "open", id, ...(instance !== undefined && { instance }), namespace: namespace.name, ...(reader.name !== undefined && { name: reader.name }),
      principal: savePrincipal(principal), flow: reader.flow, head: namespace.dispatcher.head, lastAsk: namespace.requests.lastAsk,
      ...(cursors.length > 0 && { cursors }), ...(responders.length > 0 && { responders }), ...(requests.length > 0 && { requests }),
      ...(this.#opening.size > 0 && { opening: [...this.#opening] }), ...(this.#renewals.size > 0 && { renewals: [...this.#renewals] }),
      ...(this.#calls.unanswered.length > 0 && { calls: this.#calls.unanswered }),
    };
  }

  /** Takes up what was saved. Nothing is sent before `resumed`. @param head up to where the log was given out when the router went to sleep */
  resume({ flow, cursors = [], responders = [] }: SavedOpenSession, head: number): void {
    const { reader, namespace } = this;
    reader.resume(flow);
    for (const saved of cursors) reader.cursors.set(saved.id, namespace.resume(reader, saved, head));
    for (const [id, patterns] of responders) this.#offer({ id, reader, patterns, open: 0 });
  }

  /** All sessions are there again: goes on. */
  resumed({ opening = [], renewals = [], calls = [], requests = [] }: SavedOpenSession, responderOf: (session: string, id: number) => Responder | undefined): void {
    const { reader, namespace } = this;
    for (const saved of requests) {
      const responder = responderOf(...saved.responder);
      if (responder !== undefined) namespace.requests.restore(reader, saved, responder);
      else this.#tell(["err", saved.req, toWire(responderLost(saved.type))]);
    }
    for (const cursor of reader.cursors.values()) namespace.begin(cursor);
    for (const [id, spec] of opening) void this.#subscribe(id, spec);
    for (const [req, credential] of renewals) void this.#renew(req, credential);
    for (const call of calls) this.#calls.add(...call);
  }

  responder(id: number): Responder | undefined { return this.#responders.get(id); }

  /** The link is gone, or the router leaves. */
  close(): void {
    this.#closed = true;
    this.#calls.close();
    this.#opening.clear();
    for (const cursor of this.reader.cursors.values()) this.namespace.unsubscribe(cursor);
    this.reader.cursors.clear();
    for (const responder of this.#responders.values()) this.namespace.requests.retire(responder);
    this.#responders.clear();
    this.namespace.requests.leave(this.reader);
    this.namespace.readers.delete(this.reader);
  }

  #ack([received, ...done]: readonly unknown[]): void {
    const { reader, namespace } = this;
    reader.received(count(received, "received"));
    for (let i = 0; i < done.length; i += 2) {
      const seq = count(done[i + 1], "seq");
      reader.cursors.get(count(done[i], "subscription"))?.window.finished(seq);
    }
    for (const cursor of reader.cursors.values()) namespace.catchUp.wake(cursor);
    this.#calls.wake();
  }

  async #subscribe(id: number, spec: Readonly<Record<string, unknown>>): Promise<void> {
    const { namespace, reader } = this;
    // An object of its own: a later attempt may ask for the same.
    const attempt = { ...spec };
    const arrive = (): boolean => this.#opening.get(id) === attempt && this.#opening.delete(id);
    const refuse = (error: unknown): void => this.#tell(["end", id, toWire(asError(error, (cause) => new SubscriptionError("ERR_STORE", "the subscription's place in the log could not be read; subscribe again later", { retryable: true, cause })))]);
    let topics;
    try {
      topics = this.#newHandle(id, "subscribe", spec.topics);
    } catch (error) {
      return refuse(error);
    }
    this.#opening.set(id, attempt);
    try {
      const filter = spec.filter === undefined ? undefined : (record(spec.filter, "filter") as Filter);
      const { cursor, gap } = await namespace.subscribe(reader, id, topics, filter, readFrom(spec.from));
      if (!arrive()) return namespace.unsubscribe(cursor);
      try {
        // The rights may be others by now.
        checkReach(reader.rights, "subscribe", topics);
      } catch (error) {
        namespace.unsubscribe(cursor);
        return refuse(error);
      }
      reader.cursors.set(id, cursor);
      this.#tell(["on", id, namespace.log.epoch, namespace.placeOf(cursor)]);
      if (gap !== undefined) this.#tell(["gap", id, gap]);
      namespace.begin(cursor);
    } catch (error) {
      if (arrive()) refuse(error);
    }
  }

  #serve(id: number, patterns: unknown): void {
    try {
      this.#offer({ id, reader: this.reader, patterns: this.#newHandle(id, "respond", patterns), open: 0 });
      this.#tell(["on", id, this.namespace.log.epoch, this.namespace.dispatcher.head]);
    } catch (error) {
      this.#tell(["end", id, toWire(asError(error, (cause) => malformed("serve", cause)))]);
    }
  }

  #offer(responder: Responder): void {
    this.#responders.set(responder.id, responder);
    this.namespace.requests.serve(responder);
  }

  /** Checks that the id is free and the patterns are sound and allowed; a pattern that reaches beyond what is allowed is refused whole. */
  #newHandle(id: number, action: Action, patterns: unknown): readonly string[] {
    const { limits } = this.namespace;
    if (this.reader.cursors.has(id) || this.#responders.has(id) || this.#opening.has(id)) throw new SubscriptionError("ERR_SUBSCRIPTION_ID", `this session has a subscription ${id} already; use another id`);
    if (this.reader.cursors.size + this.#responders.size + this.#opening.size >= limits.subscriptions) throw new SubscriptionError("ERR_TOO_MANY_SUBSCRIPTIONS", `a session may have ${limits.subscriptions} subscriptions; end some, or use wider patterns`);
    if (!Array.isArray(patterns) || patterns.length === 0 || patterns.length > limits.topics) throw new ValidationError("ERR_PATTERN", `topics must be 1 to ${limits.topics} patterns`, { details: { path: "topics" } });
    for (const pattern of patterns as unknown[]) assertPattern(pattern);
    checkReach(this.principal.rights, action, patterns as string[]);
    this.#authority.spend("subscribe");
    return patterns as string[];
  }

  #unsubscribe(id: number): void {
    const cursor = this.reader.cursors.get(id);
    const responder = this.#responders.get(id);
    if (cursor !== undefined) {
      this.reader.cursors.delete(id);
      this.namespace.unsubscribe(cursor);
    } else if (responder !== undefined) {
      this.#responders.delete(id);
      this.namespace.requests.retire(responder);
    } else this.#opening.delete(id);
    this.#tell(["end", id]);
  }

  #request(req: number, timeout: number, line: string): void {
    const { namespace } = this;
    if (namespace.requests.waits(this.reader, req)) throw malformed(`request ${req} has no answer yet; number requests anew`);
    try {
      this.#authority.spend("request");
      const request = readLine(line, namespace.limits);
      if (!this.principal.rights.allows("request", request.type)) throw mayNotRequest(request.type);
      if (namespace.requests.openFor(this.reader) >= namespace.limits.requests) throw new PublishError("ERR_BUSY", `a session may wait for ${namespace.limits.requests} answers at a time; wait for some first`, { retryable: true });
      const stamped = `[0,${namespace.stampTime()},${this.#publisher.stamp},${line.slice(1)}`;
      namespace.requests.ask(this.reader, req, { id: request.id, type: request.type, line: stamped }, Math.min(timeout, namespace.limits.requestTime));
    } catch (error) {
      this.#tell(["err", req, toWire(asError(error, (cause) => new NoRespondersError("ERR_REQUEST", "the request could not be handed on", { cause })))]);
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
    this.#renewals.set(req, credential);
    try {
      this.#authority.spend("call");
      const principal = await this.#authority.renew(credential as unknown as Credential, this.principal);
      if (this.#closed) return;
      this.become(principal);
      this.#tell(["ok", req, null]);
    } catch (error) {
      if (!this.#closed) this.#tell(["err", req, toWire(asError(error, (cause) => new EventRouterError("ERR_INTERNAL", "the router could not check the credential; show it again later", { cause, retryable: true })))]);
    } finally {
      this.#renewals.delete(req);
    }
  }

  #tell(frame: readonly unknown[]): void {
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

function readFrom(from: unknown): From {
  if (from === undefined || from === "now" || from === "start") return from ?? "now";
  if (Array.isArray(from)) return [optionalText(from[0], "from[0]") ?? "", count(from[1], "from[1]")];
  const { seq, time } = record(from, "from");
  if (seq !== undefined) return { seq: count(seq, "from.seq") };
  return { time: count(time, "from.time") };
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

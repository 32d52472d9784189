import type { Clock } from "../core/clock.ts";
import { asyncDispose } from "../core/dispose.ts";
import { milliseconds } from "../core/duration.ts";
import { ConnectionError, ValidationError } from "../core/errors.ts";
import type { EventInit, RouterEvent } from "../core/event.ts";
import type { Durability, Hello } from "../core/frames.ts";
import type { EventLine } from "../core/line.ts";
import type { Link } from "../core/link.ts";
import { Channel } from "./channel.ts";
import { checkFunction, checkOptions } from "./check-options.ts";
import { within, type ClientState } from "./connection.ts";
import type { Handler } from "./handle-events.ts";
import { parseOptions, type BaseOptions, type Settings } from "./options.ts";
import { Publisher, type Encoded, type PublishInit, type WaitOptions } from "./publisher.ts";
import type { Receipt } from "./receipt.ts";
import { Reporter, type ErrorListener } from "./reporter.ts";
import type { RequestHandler, RespondOptions, Responder } from "./responders.ts";
import { validate } from "./schema.ts";
import { Stream, type StreamOptions } from "./stream.ts";
import { parseSubscription, patternFilter, patternsOf, type SubscribeInit, type SubscribeOptions } from "./subscribe-options.ts";
import { Subscription } from "./subscription.ts";
import type { Transaction } from "./transaction.ts";
import type { AnyEvents, EventMap, EventOf, PayloadOf } from "./typed-events.ts";

/** What a client needs of where it runs. */
export interface ClientSurroundings {
  makeLink(): Link;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  randomBytes(count: number): Uint8Array;
}

/** What may be said of an event besides type and payload, and how to publish it. */
export type PublishOptions = Omit<PublishInit, "type" | "payload">;
/** A request's own options: it is never stored, and answered once. */
export type RequestOptions = Omit<EventInit, "id" | "type" | "payload"> & WaitOptions;
type Topics = string | readonly string[];
type TypeIn<Events extends EventMap> = keyof Events & string;

/** The application's end: publishes, subscribes, asks and answers over one connection (more for publishes, if asked for). Knows no transport. */
export class Client<Events extends EventMap = AnyEvents> {
  readonly #settings: Settings;
  readonly #surroundings: ClientSurroundings;
  readonly #reporter: Reporter;
  readonly #channel: Channel;
  readonly #publisher: Publisher;
  readonly #pooled: Channel[] = [];
  readonly #stateListeners = new Set<(state: ClientState) => void>();
  #spread: Promise<(event: PublishInit) => Promise<Receipt>> | undefined;
  #closing: Promise<void> | undefined;

  constructor(surroundings: ClientSurroundings, options: BaseOptions<Events> = {}) {
    this.#settings = parseOptions(options as BaseOptions<never>);
    this.#surroundings = surroundings;
    this.#reporter = new Reporter(this.#settings.logger);
    this.#channel = this.#makeChannel((state) => {
      for (const listener of this.#stateListeners) listener(state);
    });
    this.#publisher = this.#makePublisher(this.#channel);
  }

  get state(): ClientState { return this.#channel.connection.state; }

  /** What the router promises and can do; undefined without a connection. */
  get capabilities(): { readonly durability: Durability; readonly names: readonly string[] } | undefined {
    const { welcome } = this.#channel.connection;
    return welcome && { durability: welcome.durability, names: welcome.caps };
  }

  /** Calls back on each change of `state`. Returns how to stop listening. */
  onStateChange(listener: (state: ClientState) => void): () => void {
    checkFunction(listener, "listener");
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  /** Calls back for every failure that no one else handles. Without a listener they are logged. Returns how to stop listening. */
  onError(listener: ErrorListener): () => void {
    checkFunction(listener, "listener");
    return this.#reporter.listen(listener);
  }

  /** Optional: the first use connects. @throws TimeoutError if it takes longer than `timeout`; attempts go on. */
  async connect(options?: WaitOptions): Promise<void> {
    this.#assertOpen();
    await this.#within(this.#channel.connection.connected(), "connecting", options);
  }

  /** Drops the connection and makes a new one, also after the router has refused the client. */
  reconnect(options?: WaitOptions): Promise<void> {
    if (this.#closing === undefined) for (const { connection } of [this.#channel, ...this.#pooled]) connection.reconnect();
    const connected = this.connect(options);
    // A button that calls this and does not wait must not end in an unhandled rejection: attempts go on.
    connected.catch(() => {});
    return connected;
  }

  /** Resolves when the router has stored the event. @throws TimeoutError, ConnectionError: unknown; all others: it is not stored. */
  publish<Type extends TypeIn<Events>>(type: Type, payload?: PayloadOf<Events, Type>, options?: PublishOptions): Promise<Receipt>;
  publish(event: PublishInit, options?: WaitOptions): Promise<Receipt>;
  publish(typeOrEvent: string | PublishInit, payload?: unknown, options?: PublishOptions): Promise<Receipt> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    const event = eventOf(typeOrEvent, payload, options);
    const { poolSize, cacheSize } = this.#settings;
    if (poolSize === 1 && cacheSize === 0) return this.#publisher.publish(event);
    this.#spread ??= this.#loadSpread();
    return this.#spread.then((publish) => publish(event));
  }

  /** Publishes and does not wait; failures reach `onError`. */
  publishNowait<Type extends TypeIn<Events>>(type: Type, payload?: PayloadOf<Events, Type>, options?: PublishOptions): void;
  publishNowait(event: PublishInit): void;
  publishNowait(typeOrEvent: string | PublishInit, payload?: unknown, options?: PublishOptions): void {
    const event = eventOf(typeOrEvent, payload, options);
    if (this.#closing === undefined) this.#publisher.publishNowait(event);
    else this.#publisher.fail(closed(), event);
  }

  /** Publishes `[type, payload, meta?]` tuples in their order, all or none. */
  async publishBatch(events: readonly (readonly [type: TypeIn<Events>, payload?: unknown, meta?: Omit<EventInit, "type" | "payload">])[], options?: WaitOptions): Promise<Receipt[]> {
    return this.publishEvents(listOf(events).map((event) => eventOf(...event)), options);
  }

  /** Publishes events in their order, all or none. */
  async publishEvents(events: readonly EventInit[], options?: WaitOptions): Promise<Receipt[]> {
    this.#assertOpen();
    const encoded = listOf(events).map((event) => this.#publisher.encodeTogether(event));
    // Only schemas that take their time may let a later publish go before these.
    return this.#publisher.publishAll(encoded.some((one) => one instanceof Promise) ? await Promise.all(encoded) : encoded as Encoded[], options);
  }

  /** Publishes what the function gathers, whole, with consecutive seqs; a throw inside publishes nothing and is rethrown. */
  async transaction(run: (tx: Transaction) => unknown, options?: WaitOptions): Promise<Receipt[]> {
    this.#assertOpen();
    checkFunction(run, "run");
    const { transaction } = await import("./transaction.ts");
    return transaction(this.#publisher, run, options);
  }

  /** Subscribes at once; `.ready` resolves when the router has it. Also waits out times without a connection. */
  on<Pattern extends string>(topics: Pattern | readonly Pattern[], handler: Handler<EventOf<Events, Pattern>>): Subscription<EventOf<Events, Pattern>>;
  on<Pattern extends string>(topics: Pattern | readonly Pattern[], options: SubscribeOptions, handler: Handler<EventOf<Events, Pattern>>): Subscription<EventOf<Events, Pattern>>;
  on(topics: Topics, ...rest: readonly [unknown, unknown?]): Subscription {
    const [options, handler] = optionsAndHandler<Handler>(rest);
    return this.#subscribe({ ...options, topics, handler } as SubscribeInit<never>, "on");
  }

  /** Subscribes to the types that a regular expression matches. The router runs it, in linear time: no lookaround, no backreferences. */
  onPattern(pattern: RegExp, handler: Handler): Subscription;
  onPattern(pattern: RegExp, options: SubscribeOptions, handler: Handler): Subscription;
  onPattern(pattern: RegExp, ...rest: readonly [unknown, unknown?]): Subscription {
    const [options, handler] = optionsAndHandler<Handler>(rest);
    const { filter } = options as SubscribeOptions;
    return this.#subscribe({ ...options, topics: "**", filter: patternFilter(pattern, filter), handler } as SubscribeInit<never>, "onPattern");
  }

  /** Resolves when the router has the subscription: with a handler, or without one for `for await`. */
  subscribe<Pattern extends string>(topics: Pattern | readonly Pattern[], handler: Handler<EventOf<Events, Pattern>>): Promise<Subscription<EventOf<Events, Pattern>>>;
  subscribe<Pattern extends string>(topics: Pattern | readonly Pattern[], options?: SubscribeOptions, handler?: Handler<EventOf<Events, Pattern>>): Promise<Subscription<EventOf<Events, Pattern>>>;
  subscribe(init: SubscribeInit<EventOf<Events, string>>): Promise<Subscription<EventOf<Events, string>>>;
  async subscribe(topicsOrInit: Topics | SubscribeInit<never>, optionsOrHandler?: unknown, handler?: unknown): Promise<Subscription> {
    const init = typeof topicsOrInit === "string" || Array.isArray(topicsOrInit)
      ? { ...(typeof optionsOrHandler === "function" ? { handler: optionsOrHandler } : { ...(optionsOrHandler as object), handler }), topics: topicsOrInit }
      : topicsOrInit;
    const subscription = this.#subscribe(init as SubscribeInit<never>, "subscribe");
    try {
      return await this.#within(subscription.ready, `subscribing to ${subscription.topics.join(", ")}`, {});
    } catch (error) {
      void subscription.unsubscribe();
      throw error;
    }
  }

  /** Events as they are asked for, or arrays of them if `batchSize` or `timeout` is given. */
  stream<Pattern extends string>(topics: Pattern | readonly Pattern[], options: StreamOptions & ({ readonly batchSize: number } | { readonly timeout: number | string })): Stream<EventOf<Events, Pattern>[]>;
  stream<Pattern extends string>(topics: Pattern | readonly Pattern[], options?: StreamOptions): Stream<EventOf<Events, Pattern>>;
  stream(topics: Topics, { batchSize, timeout, ...options }: StreamOptions = {}): Stream<RouterEvent> | Stream<RouterEvent[]> {
    const subscription = this.#subscribe({ ...options, topics } as SubscribeInit<never>, "stream");
    return batchSize === undefined && timeout === undefined ? Stream.of(subscription) : Stream.batched(subscription, { batchSize, timeout } as StreamOptions, this.#surroundings.clock);
  }

  /**
   * Asks whoever responds to this type; resolves with the response as an event.
   * @throws NoRespondersError at once if nobody does, RemoteError what the responder threw; TimeoutError, ConnectionError: unknown whether it was carried out.
   */
  async request<Response = PayloadOf<AnyEvents, string>, Type extends TypeIn<Events> = TypeIn<Events>>(type: Type, payload?: PayloadOf<Events, Type>, { timeout, signal, ...meta }: RequestOptions = {}): Promise<RouterEvent<Response>> {
    this.#assertOpen();
    const encoded = this.#publisher.encode({ ...meta, type, payload });
    const { body } = encoded instanceof Promise ? await encoded : encoded;
    await this.#channel.offered();
    const line = `["${this.#channel.nextRequestId()}",${body}`;
    const answer = await this.#ask(`the request "${type}"`, (req, left) => `["req",${req},${left}]\n${line}`, { timeout, signal } as WaitOptions);
    return this.#channel.decode(answer as EventLine) as RouterEvent<Response>;
  }

  /** Answers requests: what the handler returns is the response's payload. Several responders of a type share its requests. */
  respond<Pattern extends string>(patterns: Pattern | readonly Pattern[], handler: RequestHandler<EventOf<Events, Pattern>>): Responder;
  respond<Pattern extends string>(patterns: Pattern | readonly Pattern[], options: RespondOptions, handler: RequestHandler<EventOf<Events, Pattern>>): Responder;
  respond(patterns: Topics, ...rest: readonly [unknown, unknown?]): Responder {
    this.#assertOpen();
    const [options, handler] = optionsAndHandler<RequestHandler>(rest);
    const list = patternsOf(patterns);
    checkOptions(options, "schema", "respond");
    const { schema } = options as RespondOptions;
    this.#channel.connection.use();
    const answer: RequestHandler = schema === undefined ? handler : async (request) => handler({ ...request, payload: await validate(schema, request.payload, `the request "${request.type}"`) });
    const added = this.#channel.responders().then((responders) => responders.add(list, answer));
    const stop = async (): Promise<void> => (await added).stop();
    return { patterns: list, get ready() { return added.then(({ ready }) => ready); }, stop, [asyncDispose]: stop };
  }

  /** Asks the router itself: its statistics, its subscriptions … */
  async call(method: string, params: Readonly<Record<string, unknown>> = {}, options: WaitOptions = {}): Promise<unknown> {
    this.#assertOpen();
    return this.#ask(`the call "${method}"`, (req) => JSON.stringify(["call", req, method, params]), options);
  }

  /** Ends subscriptions, waits for the answers to what was published (each up to its own timeout), takes leave. Nothing of the client is left running. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const channels = [this.#channel, ...this.#pooled];
    this.#publisher.release();
    const left = Promise.all([this.#channel.subscriptions.closeAll(), this.#channel.offered().then((responders) => responders?.closeAll())]);
    await Promise.all([this.#within(left, "closing", {}).catch(() => {}), ...channels.map(({ outbox }) => outbox.drained())]);
    for (const { connection } of channels) connection.close(closed());
  }

  #subscribe(init: SubscribeInit<never>, what: string): Subscription {
    this.#assertOpen();
    const { report } = this.#reporter;
    const parsed = parseSubscription(init, what);
    this.#channel.connection.use();
    return new Subscription(this.#channel.subscriptions, { ...parsed, report });
  }

  async #ask(what: string, frame: (req: number, left: number) => string, { timeout, signal }: WaitOptions): Promise<unknown> {
    this.#channel.connection.use();
    return this.#channel.requests.ask({ what, frame, timeout: this.#timeout(timeout), signal });
  }

  #within<T>(promise: Promise<T>, what: string, { timeout, signal }: WaitOptions = {}): Promise<T> {
    return within(promise, { clock: this.#surroundings.clock, timeout: this.#timeout(timeout), signal, what, error: () => this.#channel.connection.error });
  }

  #timeout(timeout: WaitOptions["timeout"]): number {
    return timeout === undefined ? this.#settings.timeout : milliseconds(timeout, "timeout");
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }

  #makeChannel(changed: (state: ClientState) => void): Channel {
    const { timeout, maxPending } = this.#settings;
    return new Channel({ ...this.#surroundings, timeout, maxPending, changed, hello: () => this.#hello(), report: this.#reporter.report });
  }

  #makePublisher(channel: Channel): Publisher {
    return new Publisher(channel, { ...this.#settings, clock: this.#surroundings.clock, reporter: this.#reporter });
  }

  async #hello(): Promise<Omit<Hello, "v">> {
    const { namespace, name, auth } = this.#settings;
    const credential = auth?.type === "jwt" && typeof auth.token === "function" ? { type: auth.type, token: await auth.token() } : auth as Hello["auth"];
    return { ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }), ...(credential !== undefined && { auth: credential }) };
  }

  /** What few clients use is loaded when it is used. */
  async #loadSpread(): Promise<(event: PublishInit) => Promise<Receipt>> {
    const { poolSize, poolTimeout, cacheSize, cacheTtl } = this.#settings;
    const { clock } = this.#surroundings;
    let send = (event: PublishInit): Promise<Receipt> => this.#publisher.publish(event);
    if (poolSize > 1) {
      const { Pool } = await import("./pool.ts");
      while (this.#pooled.length < poolSize - 1) this.#pooled.push(this.#makeChannel(() => {}));
      const pool = new Pool([{ channel: this.#channel, publisher: this.#publisher }, ...this.#pooled.map((channel) => ({ channel, publisher: this.#makePublisher(channel) }))], clock, poolTimeout);
      send = async (event) => (await pool.next()).publish(event);
    }
    if (cacheSize === 0) return send;
    const { PublishCache } = await import("./cache.ts");
    const cache = new PublishCache(cacheSize, cacheTtl, clock);
    return (event) => cache.publish(event, send);
  }
}

function closed(): ConnectionError {
  return new ConnectionError("ERR_CLOSED", "this client is closed; make a new one");
}

function eventOf(typeOrEvent: unknown, payload: unknown, options: object | undefined): PublishInit {
  if (typeof typeOrEvent === "string") return options === undefined ? { type: typeOrEvent, payload } : { ...options, type: typeOrEvent, payload };
  if (typeof typeOrEvent === "object" && typeOrEvent !== null) return payload === undefined ? typeOrEvent as PublishInit : { ...typeOrEvent as PublishInit, ...payload };
  // What is no type is told by its check, with the others of its kind.
  return { type: typeOrEvent as string, payload };
}

function listOf<T>(list: readonly T[]): readonly T[] {
  if (Array.isArray(list)) return list;
  throw new ValidationError("ERR_OPTION", `an array is expected here; got ${typeof list}`);
}

/** The tail of `(…, handler)` and `(…, options, handler)`. */
function optionsAndHandler<H>([first, second]: readonly [unknown, unknown?]): [options: object, handler: H] {
  const [options, handler] = typeof first === "function" && second === undefined ? [{}, first] : [first ?? {}, second];
  checkFunction(handler, "handler");
  return [options as object, handler as H];
}

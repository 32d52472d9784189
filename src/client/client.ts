import { steady, type Clock } from "../core/clock.ts";
import { asyncDispose } from "../core/dispose.ts";
import { milliseconds } from "../core/duration.ts";
import { ConnectionError } from "../core/errors.ts";
import { eventIds, INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import type { EventInit, RouterEvent } from "../core/event.ts";
import type { Durability, Hello } from "../core/frames.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import type { Link } from "../core/link.ts";
import { checkFunction, checkOptions, invalidOption, wholeNumber } from "./check-options.ts";
import { ClientOutbox, type OfflineOptions } from "./client-outbox.ts";
import { Connection, type ClientState } from "./connection.ts";
import { checkPayload, lineOf } from "./encode-event.ts";
import type { Vault } from "./encryption/vault.ts";
import type { Tools } from "./failure-options.ts";
import type { Handler } from "./handle-events.ts";
import type { DurableOutbox, OutboxHome } from "./offline/durable-outbox.ts";
import { errorHandler } from "./middleware.ts";
import { offer } from "./offer.ts";
import { Publisher, type PublishInit, type TogetherOptions } from "./publisher.ts";
import { eventOf, listOf, optionsAndHandler, type Tail } from "./read-arguments.ts";
import type { Receipt } from "./receipt.ts";
import { Reporter, type ErrorListener } from "./reporter.ts";
import { Requests } from "./requests.ts";
import type { RequestHandler, RespondOptions, Responder, Responders } from "./responders.ts";
import { settingsOf, type BaseOptions, type Settings } from "./options.ts";
import type { Lane, Spread } from "./spread.ts";
import { Stream, type StreamOptions } from "./stream.ts";
import { parseSubscription, patternFilter, patternsOf, type SubscribeInit, type SubscribeOptions } from "./subscribe-options.ts";
import { Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { Transaction } from "./transaction.ts";
import type { AnyEvents, EventMap, EventOf, InitOf, PayloadOf, Said, TupleOf } from "./typed-events.ts";
import { within, type WaitOptions } from "./wait.ts";

/** What a client needs of where it runs. */
export interface ClientSurroundings {
  makeLink(): Link;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Where an outbox is kept; absent: nowhere. */
  outboxHome?(options: OfflineOptions, report: (error: unknown) => void): Promise<OutboxHome>;
}

/** What may be said of an event besides type and payload, and how to publish it. */
export type PublishOptions = Omit<PublishInit, "type" | "payload">;
/** A request's own options: it is never stored, and answered once. */
export type RequestOptions = Omit<EventInit, "id" | "type" | "payload"> & WaitOptions;
type Topics = string | readonly string[];
type TypeIn<Events extends EventMap> = keyof Events & string;

/** The application's end: publishes, subscribes, asks and answers over one connection (more for publishes, if asked for). Knows no transport. */
export class Client<Events extends EventMap = AnyEvents, Inputs extends EventMap = Events> {
  /** What it lends to patterns. @internal */
  readonly tools: Tools;
  readonly #options: BaseOptions<never>;
  readonly #settings: Settings;
  readonly #surroundings: ClientSurroundings;
  readonly #reporter: Reporter;
  readonly #vault: Promise<Vault> | undefined;
  readonly #outbox: ClientOutbox<DurableOutbox> | undefined;
  readonly #connection: Connection;
  readonly #subscriptions: Subscriptions;
  readonly #publisher: Publisher;
  readonly #requests: Requests;
  readonly #nextRequestId: () => string;
  readonly #timestamp = timestamps();
  readonly #lanes: Lane[];
  readonly #stateListeners = new Set<(state: ClientState) => void>();
  #responders: Promise<Responders> | undefined;
  #spread: Promise<Spread> | undefined;
  #closing: Promise<void> | undefined;

  constructor(surroundings: ClientSurroundings, options: BaseOptions<Events, Inputs> = {}) {
    this.#options = options as BaseOptions<never>;
    this.#settings = settingsOf(this.#options);
    const { clock } = surroundings;
    this.#surroundings = surroundings = { ...surroundings, clock: { now: steady(() => clock.now()), after: (ms, callback) => clock.after(ms, callback) } };
    this.#reporter = new Reporter(options.logger ?? console);
    this.tools = { clock: surroundings.clock, call: (...called) => this.call(...called), report: this.#reporter.report, vault: () => this.#vault, nextId: () => this.#nextRequestId() };
    this.#connection = this.#connect((state) => this.#stateListeners.forEach((listener) => {
      try {
        listener(state);
      } catch (error) {
        this.#reporter.report(error);
      }
    }));
    // In a turn's message, who listens comes before what is said: a handler sees what is published after it in the same turn.
    this.#subscriptions = new Subscriptions(this.#connection);
    const { offline } = options;
    if (offline) this.#outbox = new ClientOutbox((changed) => import("./offline/open-outbox.ts").then(({ openOutbox }) => openOutbox(offline, { connection: this.#connection, direct: this.#publisher.outbox, settings: this.#settings, vault: this.#vault, home: surroundings.outboxHome, changed, report: this.#reporter.report })), this.#reporter.report);
    this.#publisher = new Publisher(this.#connection, this.#settings, surroundings.randomBytes, this.#outbox);
    this.#requests = new Requests(this.#connection, this.#settings.timeout);
    this.#nextRequestId = eventIds(randomText(INSTANCE_LENGTH, surroundings.randomBytes), () => surroundings.clock.now());
    this.#lanes = [{ connection: this.#connection, publisher: this.#publisher }];
    const { encryption, namespace } = options;
    // What is no key must not mean no encryption.
    if (encryption !== undefined) this.#vault = import("./encryption/open-vault.ts").then(({ openVault }) => openVault(encryption, { connection: this.#connection, requests: this.#requests, namespace, randomBytes: surroundings.randomBytes, report: this.#reporter.report }));
    // The first hello waits for it, and tells.
    this.#vault?.catch(() => {});
  }

  get state(): ClientState { return this.#connection.state; }

  /** What the router promises and can do; undefined without a connection. */
  get capabilities(): { readonly durability: Durability; readonly names: readonly string[] } | undefined {
    const { welcome } = this.#connection;
    return welcome && { durability: welcome.durability, names: welcome.caps };
  }

  /** What waits on this device to be sent. @throws ValidationError without the option `offline`. */
  get outbox(): ClientOutbox {
    if (this.#outbox === undefined) throw invalidOption("offline", "must be set for an outbox, to true or { store }");
    return this.#outbox;
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
    await this.#within(this.#connection.connected(), "connecting", options);
  }

  /** Drops the connection and makes a new one, also after the router has refused the client. */
  reconnect(options?: WaitOptions): Promise<void> {
    if (this.#closing === undefined) for (const { connection } of this.#lanes) connection.reconnect();
    const connected = this.connect(options);
    // A button that calls this and does not wait must not end in an unhandled rejection: attempts go on.
    connected.catch(() => {});
    return connected;
  }

  /** Resolves when the router has stored the event. @throws TimeoutError, ConnectionError: unknown; all others: it is not stored. */
  publish<Type extends TypeIn<Inputs>>(type: Type, ...said: Said<Inputs, Type, PublishOptions>): Promise<Receipt>;
  publish(event: InitOf<Inputs, PublishInit>, options?: WaitOptions): Promise<Receipt>;
  publish(typeOrEvent: string | PublishInit, payload?: unknown, options?: PublishOptions): Promise<Receipt> {
    return this.#publish(eventOf(typeOrEvent, payload, options), false);
  }

  /** Publishes and does not wait; failures reach `onError`. */
  publishNowait<Type extends TypeIn<Inputs>>(type: Type, ...said: Said<Inputs, Type, PublishOptions>): void;
  publishNowait(event: InitOf<Inputs, PublishInit>): void;
  publishNowait(typeOrEvent: string | PublishInit, payload?: unknown, options?: PublishOptions): void {
    const event = eventOf(typeOrEvent, payload, options);
    this.#publish(event, true).catch((error: unknown) => this.#reporter.report(error, { id: "", seq: 0, epoch: "", timestamp: "", payload: null, priority: 5, pending: true, ...event } as RouterEvent));
  }

  /** Publishes `[type, payload, meta?]` tuples in their order, all or none. */
  async publishBatch(events: readonly TupleOf<Inputs, Omit<EventInit, "type" | "payload">>[], options?: TogetherOptions): Promise<Receipt[]> {
    return this.publishEvents(listOf(events).map((event) => eventOf(...(listOf(event) as readonly [string, unknown?, object?])) as InitOf<Inputs, EventInit>), options);
  }

  /** Publishes events in their order, all or none. */
  async publishEvents(events: readonly InitOf<Inputs, EventInit>[], options?: TogetherOptions): Promise<Receipt[]> {
    this.#assertOpen();
    return this.#publisher.publishAll(listOf(events).map((event) => this.#publisher.encodeTogether(eventOf(event, undefined))), options);
  }

  /** Publishes what the function gathers, whole, with consecutive seqs; a throw inside publishes nothing and is rethrown. */
  async transaction(run: (tx: Transaction<Inputs>) => unknown, options?: TogetherOptions): Promise<Receipt[]> {
    this.#assertOpen();
    checkFunction(run, "run");
    const { transaction } = await import("./transaction.ts");
    return transaction(this.#publisher, run as (tx: Transaction) => unknown, options);
  }

  /** Subscribes at once; `.ready` resolves when the router has it. Also waits out times without a connection. */
  on<Pattern extends string>(topics: Pattern | readonly Pattern[], handler: Handler<EventOf<Events, Pattern>>): Subscription<EventOf<Events, Pattern>>;
  on<Pattern extends string>(topics: Pattern | readonly Pattern[], options: SubscribeOptions, handler: Handler<EventOf<Events, Pattern>>): Subscription<EventOf<Events, Pattern>>;
  on(topics: Topics, ...tail: Tail): Subscription {
    const [options, handler] = optionsAndHandler(tail);
    return this.#subscribe({ ...options, topics, handler } as SubscribeInit<never>, "on");
  }

  /** Subscribes to the types that a regular expression matches. The router runs it, in linear time: no lookaround, no backreferences. */
  onPattern(pattern: RegExp, handler: Handler): Subscription;
  onPattern(pattern: RegExp, options: SubscribeOptions, handler: Handler): Subscription;
  onPattern(pattern: RegExp, ...tail: Tail): Subscription {
    const [options, handler] = optionsAndHandler(tail);
    return this.#subscribe({ ...options, topics: "**", filter: patternFilter(pattern, (options as SubscribeOptions).filter), handler } as SubscribeInit<never>, "onPattern");
  }

  /** Resolves when the router has the subscription: with a handler, or without one for `for await`. */
  subscribe<Pattern extends string>(topics: Pattern | readonly Pattern[], handler: Handler<EventOf<Events, Pattern>>): Promise<Subscription<EventOf<Events, Pattern>>>;
  subscribe<Pattern extends string>(topics: Pattern | readonly Pattern[], options?: SubscribeOptions, handler?: Handler<EventOf<Events, Pattern>>): Promise<Subscription<EventOf<Events, Pattern>>>;
  subscribe<Pattern extends string>(init: SubscribeInit<EventOf<Events, Pattern>, Pattern>): Promise<Subscription<EventOf<Events, Pattern>>>;
  async subscribe(topics: Topics | SubscribeInit<never>, options?: unknown, handler?: unknown): Promise<Subscription> {
    const init = typeof topics === "object" && "topics" in topics ? topics : typeof options === "function" ? { topics, handler: options } : { ...options as object, topics, handler };
    const subscription = this.#subscribe(init as SubscribeInit<never>, "subscribe");
    try {
      return await this.#within(subscription.ready, `subscribing to ${subscription.topics.join(", ")}`);
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
    const { clock } = this.#surroundings;
    const size = wholeNumber(batchSize, "batchSize", Infinity);
    const wait = milliseconds(timeout ?? 0, "timeout");
    return batchSize === undefined && timeout === undefined
      ? new Stream(subscription, () => subscription[Symbol.asyncIterator]())
      : new Stream(subscription, async function* () {
        const { batches } = await import("./batches.ts");
        return yield* batches(subscription, size, wait, clock);
      });
  }

  /**
   * Asks whoever responds to this type; resolves with the response as an event.
   * @throws NoRespondersError at once if nobody does, RemoteError what the responder threw; TimeoutError, ConnectionError: unknown whether it was carried out.
   */
  async request<Response = PayloadOf<AnyEvents, string>, Type extends TypeIn<Inputs> = TypeIn<Inputs>>(type: Type, payload?: PayloadOf<Inputs, Type>, options?: RequestOptions): Promise<RouterEvent<Response>> {
    this.#assertOpen();
    const encoded = this.#publisher.encode({ ...options, type, payload });
    const { text } = encoded instanceof Promise ? await encoded : encoded;
    const id = this.#nextRequestId();
    const vault = await this.#vault;
    const line = lineOf(text, id, await vault?.sealRequest(type, id, text.payload));
    // What this client offers to answer goes out before what it asks after that.
    await this.#responders;
    const answer = await this.#requests.ask(`the request "${type}"`, (req, left) => `["req",${req},${left}]\n${line}`, options ?? {});
    const response = decodeLine(answer as EventLine, this.#connection.welcome!.epoch, this.#timestamp) as RouterEvent<Response>;
    await vault?.openAnswer(response, type, id);
    return response;
  }

  /** Answers requests: what the handler returns is the response's payload. Several responders of a type share its requests. */
  respond<Pattern extends string>(patterns: Pattern | readonly Pattern[], handler: RequestHandler<EventOf<Events, Pattern>>): Responder;
  respond<Pattern extends string>(patterns: Pattern | readonly Pattern[], options: RespondOptions, handler: RequestHandler<EventOf<Events, Pattern>>): Responder;
  respond(patterns: Topics, ...tail: Tail): Responder {
    this.#assertOpen();
    const [options, handler] = optionsAndHandler(tail);
    checkOptions(options, "schema", "respond");
    this.#connection.use();
    this.#responders ??= import("./responders.ts").then(({ Responders }) => new Responders(this.#connection, this.#subscriptions, this.#reporter.report));
    return offer(patternsOf(patterns), this.#responders, options, handler as RequestHandler, this.#reporter.report);
  }

  /** Calls off an event of this publisher that is held back (`delay`, `deliverAt`); false if it is published already, or was never there. */
  async cancel(id: string, options?: WaitOptions): Promise<boolean> {
    return (await this.call("cancel", { id }, options)) as boolean;
  }

  /** Asks the router itself: its statistics, its subscriptions … */
  async call(method: string, params: Readonly<Record<string, unknown>> = {}, options: WaitOptions = {}): Promise<unknown> {
    this.#assertOpen();
    checkPayload(params, "params", "ERR_PARAMETER");
    return this.#requests.ask(`the call "${method}"`, (req) => JSON.stringify(["call", req, method, params]), options);
  }

  /** Ends subscriptions, waits for the answers to what was published (each up to its own timeout), takes leave. Nothing of the client is left running. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#publisher.release();
    const left = Promise.all([this.#subscriptions.closeAll(), this.#responders?.then((responders) => responders.stopAll())]);
    await this.#outbox?.room.then((room) => room.leave(), () => {});
    await Promise.all([this.#within(left, "closing").catch(() => {}), this.#spread?.then((spread) => spread.drained()), ...this.#lanes.map(({ publisher }) => publisher.outbox.drained())]);
    for (const { connection } of this.#lanes) connection.close(closed());
  }

  #publish(event: PublishInit, hold: boolean): Promise<Receipt> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    const { poolSize, cacheSize } = this.#settings;
    if (hold || (poolSize === 1 && cacheSize === 0)) return this.#publisher.publish(event, hold);
    // What few clients use is loaded when it is used.
    this.#spread ??= import("./spread.ts").then(({ spread }) => spread(this.#settings, this.#surroundings.clock, this.#lanes, () => {
      const connection = this.#connect(() => {});
      return { connection, publisher: new Publisher(connection, this.#settings, this.#surroundings.randomBytes) };
    }));
    return this.#spread.then(({ publish }) => publish(event));
  }

  #subscribe(init: SubscribeInit<never>, what: string): Subscription {
    this.#assertOpen();
    const parsed = parseSubscription(init, what);
    const { handler, onFailure } = parsed;
    const sturdy = onFailure === undefined ? parsed : { ...parsed, handler: errorHandler(this.tools, onFailure)(handler!) };
    this.#connection.use();
    if (!parsed.optimistic) return new Subscription(this.#subscriptions, sturdy, this.#reporter.report);
    const { report } = this.#reporter;
    const { room } = this.outbox as ClientOutbox<DurableOutbox>;
    const seen: Promise<Handler> = import("./offline/optimistic.ts").then(async ({ optimistic }) => optimistic({ ...sturdy, handler: sturdy.handler!, room: await room, vault: await this.#vault, name: this.#options.name, context: subscription.context, report }));
    seen.catch(report);
    const subscription: Subscription = new Subscription(this.#subscriptions, { ...sturdy, handler: async (event, context) => (await seen)(event, context) }, report);
    return subscription;
  }

  #within<T>(promise: Promise<T>, what: string, options?: WaitOptions): Promise<T> {
    return within(promise, this.#connection, what, this.#settings.timeout, options);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }

  #connect(changed: (state: ClientState) => void): Connection {
    const { namespace, name, auth } = this.#options;
    const token = auth?.type === "jwt" && typeof auth.token === "function" && auth.token;
    const instance = randomText(22, this.#surroundings.randomBytes);
    const hello = async (): Promise<Omit<Hello, "v">> => {
      connection.vault = await this.#vault;
      return {
        namespace: namespace!, name: name!, instance,
        // A certificate is shown by the link.
        auth: (token ? { type: "jwt", token: await token() } : auth?.type === "mtls" ? undefined : auth) as NonNullable<Hello["auth"]>,
      };
    };
    const connection: Connection = new Connection({ ...this.#surroundings, timeout: this.#settings.timeout, changed, hello, report: this.#reporter.report });
    if (token) import("./renewal.ts").then(({ Renewal }) => new Renewal(connection, token, this.#reporter.report)).catch(this.#reporter.report);
    return connection;
  }
}

function closed(): ConnectionError {
  return new ConnectionError("ERR_CLOSED", "this client is closed; make a new one");
}

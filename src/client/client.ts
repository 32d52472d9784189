import { asyncDispose } from "../core/dispose.ts";
import { milliseconds } from "../core/duration.ts";
import type { EventInit, RouterEvent } from "../core/event.ts";
import type { Durability } from "../core/frames.ts";
import { checkFunction, checkOptions, wholeNumber } from "./check-options.ts";
import type { ClientOutbox } from "./client-outbox.ts";
import type { ClientState } from "./connection.ts";
import type { Handler } from "./handle-events.ts";
import type { BaseOptions } from "./options.ts";
import type { PublishInit, TogetherOptions } from "./publisher.ts";
import type { Publishing, Tuple } from "./publishing.ts";
import { eventOf, optionsAndHandler, patternsOf, type Tail } from "./read-arguments.ts";
import type { Receipt } from "./receipt.ts";
import type { ErrorListener } from "./reporter.ts";
import type { RequestHandler, RespondOptions, Responder } from "./responders.ts";
import { standing } from "./standing.ts";
import { Starter, type ClientSurroundings } from "./starter.ts";
import { Stream, type StreamOptions } from "./stream.ts";
import type { SubscribeInit, SubscribeOptions } from "./subscribe-options.ts";
import type { Subscription } from "./subscription.ts";
import type { Transaction } from "./transaction.ts";
import type { AnyEvents, EventMap, EventOf, InitOf, PayloadOf, Said, TupleOf } from "./typed-events.ts";
import type { WaitOptions } from "./wait.ts";

/** What may be said of an event besides type and payload, and how to publish it. */
export type PublishOptions = Omit<PublishInit, "type" | "payload">;
/** A request's own options: it is never stored, and answered once. */
export type RequestOptions = Omit<EventInit, "id" | "type" | "payload"> & WaitOptions;
type Topics = string | readonly string[];
type TypeIn<Events extends EventMap> = keyof Events & string;

/** The application's end: publishes, subscribes, asks and answers over one connection (more for publishes, if asked for). Knows no transport. */
export class Client<Events extends EventMap = AnyEvents, Inputs extends EventMap = Events> {
  /** What starts what runs behind it, and does what patterns need. @internal */
  readonly engine: Starter;

  constructor(surroundings: ClientSurroundings, options: BaseOptions<Events, Inputs> = {}) {
    this.engine = new Starter(surroundings, options as BaseOptions<never>);
  }

  get state(): ClientState { return this.engine.state; }

  /** What the router promises and can do; undefined without a connection. */
  get capabilities(): { readonly durability: Durability; readonly names: readonly string[] } | undefined {
    const welcome = this.engine.engine?.connection.welcome;
    return welcome && { durability: welcome.durability, names: welcome.caps };
  }

  /** What waits on this device to be sent. @throws ValidationError without the option `offline`. */
  get outbox(): ClientOutbox { return this.engine.outbox; }

  /** Calls back on each change of `state`. Returns how to stop listening. */
  onStateChange(listener: (state: ClientState) => void): () => void {
    checkFunction(listener, "listener");
    const { stateListeners } = this.engine;
    stateListeners.add(listener);
    return () => void stateListeners.delete(listener);
  }

  /** Calls back for every failure that no one else handles. Without a listener they are logged. Returns how to stop listening. */
  onError(listener: ErrorListener): () => void {
    checkFunction(listener, "listener");
    return this.engine.reporter.listen(listener);
  }

  /** Optional: the first use connects. @throws TimeoutError if it takes longer than `timeout`; attempts go on. */
  async connect(options?: WaitOptions): Promise<void> {
    this.engine.use();
    await this.engine.within(this.engine.ask(({ connection }) => connection.connected()), "connecting", options);
  }

  /** Drops the connection and makes a new one, also after the router has refused the client. */
  reconnect(options?: WaitOptions): Promise<void> {
    this.engine.reconnect();
    const connected = this.connect(options);
    // A button that calls this and does not wait must not end in an unhandled rejection: attempts go on.
    connected.catch(() => {});
    return connected;
  }

  /** Resolves when the router has stored the event. @throws TimeoutError, ConnectionError: unknown; all others: it is not stored. */
  publish<Type extends TypeIn<Inputs>>(type: Type, ...said: Said<Inputs, Type, PublishOptions>): Promise<Receipt>;
  publish(event: InitOf<Inputs, PublishInit>, options?: WaitOptions): Promise<Receipt>;
  publish(typeOrEvent: string | PublishInit, payload?: unknown, options?: PublishOptions): Promise<Receipt> {
    return new Promise((resolve, reject) => this.engine.publish(eventOf(typeOrEvent, payload, options), false, reject, resolve));
  }

  /** Publishes and does not wait; failures reach `onError`. */
  publishNowait<Type extends TypeIn<Inputs>>(type: Type, ...said: Said<Inputs, Type, PublishOptions>): void;
  publishNowait(event: InitOf<Inputs, PublishInit>): void;
  publishNowait(typeOrEvent: string | PublishInit, payload?: unknown, options?: PublishOptions): void {
    const event = eventOf(typeOrEvent, payload, options);
    this.engine.publish(event, true, (error) => this.engine.report(error, { id: "", seq: 0, epoch: "", timestamp: "", payload: null, priority: 5, pending: true, ...event } as RouterEvent));
  }

  /** Publishes `[type, payload, meta?]` tuples in their order, all or none. */
  publishBatch(events: readonly TupleOf<Inputs, Omit<EventInit, "type" | "payload">>[], options?: TogetherOptions): Promise<Receipt[]> {
    return this.#together((publishing) => publishing.publishBatch(events as readonly Tuple[], options), options);
  }

  /** Publishes events in their order, all or none. */
  publishEvents(events: readonly InitOf<Inputs, EventInit>[], options?: TogetherOptions): Promise<Receipt[]> {
    return this.#together((publishing) => publishing.publishEvents(events, options), options);
  }

  /** Publishes what the function gathers, whole, with consecutive seqs; a throw inside publishes nothing and is rethrown. */
  transaction(run: (tx: Transaction<Inputs>) => unknown, options?: TogetherOptions): Promise<Receipt[]> {
    return this.#together((publishing) => publishing.transaction(run as (tx: Transaction) => unknown, options), options);
  }

  /** Subscribes at once; `.ready` resolves when the router has it. Also waits out times without a connection. */
  on<Pattern extends string>(topics: Pattern | readonly Pattern[], handler: Handler<EventOf<Events, Pattern>>): Subscription<EventOf<Events, Pattern>>;
  on<Pattern extends string>(topics: Pattern | readonly Pattern[], options: SubscribeOptions, handler: Handler<EventOf<Events, Pattern>>): Subscription<EventOf<Events, Pattern>>;
  on(topics: Topics, ...tail: Tail): Subscription {
    const [options, handler] = optionsAndHandler(tail);
    return this.engine.subscribe({ ...options, topics, handler } as SubscribeInit<never>, "on");
  }

  /** Subscribes to the types that a regular expression matches. The router runs it, in linear time: no lookaround, no backreferences. */
  onPattern(pattern: RegExp, handler: Handler): Subscription;
  onPattern(pattern: RegExp, options: SubscribeOptions, handler: Handler): Subscription;
  onPattern(pattern: RegExp, ...tail: Tail): Subscription {
    const [options, handler] = optionsAndHandler(tail);
    return this.engine.subscribe({ ...options, pattern, topics: "**", handler } as SubscribeInit<never>, "onPattern");
  }

  /** Resolves when the router has the subscription: with a handler, or without one for `for await`. */
  subscribe<Pattern extends string>(topics: Pattern | readonly Pattern[], handler: Handler<EventOf<Events, Pattern>>): Promise<Subscription<EventOf<Events, Pattern>>>;
  subscribe<Pattern extends string>(topics: Pattern | readonly Pattern[], options?: SubscribeOptions, handler?: Handler<EventOf<Events, Pattern>>): Promise<Subscription<EventOf<Events, Pattern>>>;
  subscribe<Pattern extends string>(init: SubscribeInit<EventOf<Events, Pattern>, Pattern>): Promise<Subscription<EventOf<Events, Pattern>>>;
  async subscribe(topics: Topics | SubscribeInit<never>, options?: unknown, handler?: unknown): Promise<Subscription> {
    const init = typeof topics === "object" && "topics" in topics ? topics : typeof options === "function" ? { topics, handler: options } : { ...options as object, topics, handler };
    const subscription = this.engine.subscribe(init as SubscribeInit<never>, "subscribe");
    try {
      return await this.engine.within(subscription.ready, `subscribing to ${subscription.topics.join(", ")}`);
    } catch (error) {
      void subscription.unsubscribe();
      throw error;
    }
  }

  /** Events as they are asked for, or arrays of them if `batchSize` or `timeout` is given. */
  stream<Pattern extends string>(topics: Pattern | readonly Pattern[], options: StreamOptions & ({ readonly batchSize: number } | { readonly timeout: number | string })): Stream<EventOf<Events, Pattern>[]>;
  stream<Pattern extends string>(topics: Pattern | readonly Pattern[], options?: StreamOptions): Stream<EventOf<Events, Pattern>>;
  stream(topics: Topics, { batchSize, timeout, ...options }: StreamOptions = {}): Stream<RouterEvent> | Stream<RouterEvent[]> {
    const subscription = this.engine.subscribe({ ...options, topics } as SubscribeInit<never>, "stream");
    const { clock } = this.engine;
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
  request<Response = PayloadOf<AnyEvents, string>, Type extends TypeIn<Inputs> = TypeIn<Inputs>>(type: Type, payload?: PayloadOf<Inputs, Type>, options?: RequestOptions): Promise<RouterEvent<Response>> {
    return this.engine.begin(`the request "${type}"`, options, ({ requests }) => requests.use((all) => all.request(type, payload, options))) as Promise<RouterEvent<Response>>;
  }

  /** Answers requests: what the handler returns is the response's payload. Several responders of a type share its requests. */
  respond<Pattern extends string>(patterns: Pattern | readonly Pattern[], handler: RequestHandler<EventOf<Events, Pattern>>): Responder;
  respond<Pattern extends string>(patterns: Pattern | readonly Pattern[], options: RespondOptions, handler: RequestHandler<EventOf<Events, Pattern>>): Responder;
  respond(patterns: Topics, ...tail: Tail): Responder {
    const { engine } = this;
    engine.assertOpen();
    const [options, handler] = optionsAndHandler(tail);
    checkOptions(options, "schema", "respond");
    engine.use();
    const own = patternsOf(patterns);
    return standing({ patterns: own }, engine.ask(({ responders }) => responders.use((all) => all.add(own, options, handler as RequestHandler))), engine.report);
  }

  /** Calls off an event of this publisher that is held back (`delay`, `deliverAt`); false if it is published already, or was never there. */
  async cancel(id: string, options?: WaitOptions): Promise<boolean> {
    return (await this.call("cancel", { id }, options)) as boolean;
  }

  /** Asks the router itself: its statistics, its subscriptions … */
  call(method: string, params?: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<unknown> {
    return this.engine.call(method, params, options);
  }

  /** Events that stand or fall together. */
  #together(publish: (publishing: Publishing) => Promise<Receipt[]>, options: WaitOptions | undefined): Promise<Receipt[]> {
    return this.engine.begin("publishing", options, ({ publishing }) => publishing.use(publish));
  }

  /** Ends subscriptions, waits for the answers to what was published (each up to its own timeout), takes leave. Nothing of the client is left running. */
  close(): Promise<void> {
    return this.engine.close();
  }

  async [asyncDispose](): Promise<void> {
    await this.close();
  }
}

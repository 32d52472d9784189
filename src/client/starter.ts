import { steadyClock, type Clock } from "../core/clock.ts";
import { COMES_BACK, comeBack, type ComeBack } from "../core/come-back.ts";
import type { EventRouterError } from "../core/errors.ts";
import { eventIds, INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import type { Link } from "../core/link.ts";
import { invalidOption } from "./check-options.ts";
import { ClientOutbox } from "./client-outbox.ts";
import { closed } from "./closed.ts";
import type { ClientState } from "./connection.ts";
import { plainText } from "./encode-event.ts";
import type { Vault } from "./encryption/vault.ts";
import type { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { Tools } from "./failure-options.ts";
import type { Feed } from "./feed.ts";
import { Later } from "./later.ts";
import type { DurableOutbox } from "./offline/durable-outbox.ts";
import type { MakeOutboxHome } from "./offline/open-outbox.ts";
import { settingsOf, type BaseOptions, type Settings } from "./options.ts";
import { plainSubscription } from "./plain-subscription.ts";
import type { PublishInit } from "./publisher.ts";
import type { Receipt } from "./receipt.ts";
import { Reporter } from "./reporter.ts";
import type { SubscribeInit } from "./subscribe-options.ts";
import { Subscription } from "./subscription.ts";
import { within, type WaitOptions } from "./wait.ts";

/** What a client needs of where it runs. */
export interface ClientSurroundings {
  /** Called when the engine is there. */
  makeLink(): Link;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Where an outbox is kept; absent: nowhere. */
  readonly outboxHome?: MakeOutboxHome;
  /** What `makeLink` needs, loaded side by side with the engine. */
  loadLink?(): Promise<void>;
  /** How to try again what could not be loaded. */
  readonly again?: typeof COMES_BACK;
}

/**
 * A client before it is used: checks what it is told, and starts the engine with the first use. What is asked while the engine's code is on its way is done in its order when
 * it has come; code that does not come is a connection that is not made, and is asked for again.
 */
export class Starter implements Tools, EngineOptions {
  readonly options: BaseOptions<never>;
  readonly settings: Settings;
  readonly surroundings: ClientSurroundings;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly report: Reporter["report"];
  readonly stateListeners = new Set<(state: ClientState) => void>();
  readonly nextId: () => string;
  readonly queue: ClientOutbox<DurableOutbox> | undefined;
  state: ClientState = "idle";
  readonly #engine: Later<Engine>;
  readonly #attempts: ComeBack;
  /** Why the code has not come. */
  #failure: EventRouterError | undefined;
  #closing: Promise<void> | undefined;
  #last = 0;

  constructor(surroundings: ClientSurroundings, options: BaseOptions<never>) {
    this.options = options;
    this.settings = settingsOf(options);
    this.surroundings = surroundings;
    const { random, randomBytes, loadLink, again = COMES_BACK } = surroundings;
    const clock = (this.clock = steadyClock(surroundings.clock));
    this.reporter = new Reporter(options.logger ?? console);
    this.report = this.reporter.report;
    this.nextId = eventIds(randomText(INSTANCE_LENGTH, randomBytes), () => clock.now());
    this.#attempts = comeBack({ ...again, clock, random }, () => this.#engine.load());
    this.#engine = new Later(async () => {
      const [{ startEngine }] = await Promise.all([import("./engine.ts"), loadLink?.()]);
      const engine = startEngine(this);
      if (this.state === "connecting") engine.connection.use();
      return engine;
    }, (error) => this.#failed(error));
    const { offline } = options;
    if (offline) this.queue = new ClientOutbox((changed) => this.ask((engine) => engine.openOutbox(offline, changed)), this.report);
  }

  /** Undefined until its code has come. */
  get engine(): Engine | undefined { return this.#engine.part; }

  /** Why there is no connection now, as far as it is known. */
  get error(): EventRouterError | undefined { return this.engine === undefined ? this.#failure : this.engine.connection.error; }

  get closed(): boolean { return this.#closing !== undefined; }

  get outbox(): ClientOutbox {
    if (this.queue === undefined) throw invalidOption("offline", "must be set for an outbox, to true or { store }");
    return this.queue;
  }

  vault(): Promise<Vault> | undefined {
    return this.options.encryption === undefined ? undefined : this.ask((engine) => engine.vault()!);
  }

  next(): number { return ++this.#last; }

  assertOpen(): void {
    if (this.closed) throw closed();
  }

  /** First use connects. @throws what closed the connection for good, or the client. */
  use(): void {
    this.assertOpen();
    if (this.engine !== undefined) return this.engine.connection.use();
    if (this.state === "closed") throw this.#failure!;
    this.changed("connecting");
    this.#engine.load();
  }

  /** What the engine is to do: in this call if it is there, else when it has come. */
  ask<R>(run: (engine: Engine) => R | Promise<R>): Promise<R> {
    return this.#engine.use(run);
  }

  /** The same for what has its time: what could not begin within it is not begun. */
  begin<R>(what: string, options: WaitOptions | undefined, run: (engine: Engine) => R | Promise<R>): Promise<R> {
    if (this.closed) return Promise.reject(closed());
    return this.engine === undefined ? this.#inTime(what, options, run) : this.ask(run);
  }

  /** Asks the router itself. */
  call(method: string, params?: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<unknown> {
    return this.begin(`the call "${method}"`, options, (engine) => engine.call(method, params ?? {}, options));
  }

  reconnect(): void {
    if (this.closed) return;
    if (this.engine !== undefined) return this.engine.reconnect();
    this.changed("connecting");
    this.#attempts.again(0);
  }

  publish(event: PublishInit, hold: boolean, reject: (error: unknown) => void, resolve?: (receipt: Receipt) => void): void {
    const { engine } = this;
    if (engine !== undefined && !this.closed) return engine.publish(event, hold, reject, resolve);
    // What is published is as it was said, whatever becomes of the object until the code has come.
    const said = plainText(event) === undefined ? event : JSON.parse(JSON.stringify(event)) as PublishInit;
    this.begin("publishing", event, (started) => new Promise<Receipt>((done, failed) => { started.publish(said, hold, failed, done); })).then(resolve, reject);
  }

  subscribe(init: SubscribeInit<never>, what: string): Subscription {
    this.assertOpen();
    const plain = plainSubscription(init);
    this.use();
    const subscription = new Subscription(this, init);
    this.ask((engine) => engine.subscribe(subscription, plain, init, what)).catch((error: unknown) => subscription.fail(error));
    return subscription;
  }

  /** Ends a subscription's feed; resolves when the router has let go of it, or cannot be told. */
  async leave(feed: Feed, reason: unknown): Promise<void> {
    if (this.engine !== undefined) return this.engine.subscriptions.close(feed, reason);
    feed.end(reason);
  }

  within<T>(promise: Promise<T>, what: string, options?: WaitOptions): Promise<T> {
    return within(promise, this, what, this.settings.timeout, options);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #inTime<R>(what: string, options: WaitOptions | undefined, run: (engine: Engine) => R | Promise<R>): Promise<R> {
    this.use();
    let over = false;
    try {
      return await this.within(this.ask((engine) => (over ? undefined! : run(engine))), what, options);
    } finally {
      over = true;
    }
  }

  async #close(): Promise<void> {
    const engine = this.#engine;
    // What was said is done, also where its code is still on its way.
    if (engine.part !== undefined) await engine.part.close();
    else if (engine.loading !== undefined) await this.within(this.ask((started) => started.close()), "closing").catch(() => {});
    this.#attempts.stop();
    engine.refuse(closed());
    this.changed("closed");
  }

  /** Whether the code is asked for again: then what was asked waits. */
  #failed(error: EventRouterError): boolean {
    this.#failure = error;
    const again = error.retryable && this.#attempts.failed();
    if (!again) {
      this.changed("closed");
      this.report(error);
    }
    return again;
  }

  changed(state: ClientState): void {
    if (state === this.state) return;
    this.state = state;
    for (const listener of this.stateListeners) {
      try {
        listener(state);
      } catch (error) {
        this.report(error);
      }
    }
  }
}

import { steady, type Clock } from "../core/clock.ts";
import { ConnectionError } from "../core/errors.ts";
import { eventIds, INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import type { Hello } from "../core/frames.ts";
import type { Link } from "../core/link.ts";
import { invalidOption } from "./check-options.ts";
import { ClientOutbox } from "./client-outbox.ts";
import { Connection, type ClientState } from "./connection.ts";
import type { Vault } from "./encryption/vault.ts";
import type { Home } from "./home.ts";
import { Later, notLoaded } from "./later.ts";
import type { DurableOutbox } from "./offline/durable-outbox.ts";
import type { MakeOutboxHome } from "./offline/open-outbox.ts";
import { isTraced } from "./open-telemetry.ts";
import { settingsOf, type BaseOptions, type Settings } from "./options.ts";
import { plainSubscription } from "./plain-subscription.ts";
import { Publisher, type PublishInit } from "./publisher.ts";
import type { Publishing } from "./publishing.ts";
import type { Receipt } from "./receipt.ts";
import { Reporter } from "./reporter.ts";
import type { Requests } from "./requests.ts";
import type { Responders } from "./responders.ts";
import type { SubscribeInit } from "./subscribe-options.ts";
import { Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";
import { within, type WaitOptions } from "./wait.ts";

/** What a client needs of where it runs. */
export interface ClientSurroundings {
  makeLink(): Link;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Where an outbox is kept; absent: nowhere. */
  outboxHome?: MakeOutboxHome;
}

/** What runs behind a client: a connection and its parts. What few clients use is loaded when they do. */
export class Engine implements Home {
  readonly options: BaseOptions<never>;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly report: Reporter["report"];
  readonly stateListeners = new Set<(state: ClientState) => void>();
  readonly connection: Connection;
  readonly subscriptions: Subscriptions;
  readonly publisher: Publisher;
  readonly lanes: Publisher[];
  readonly publishing = new Later<Publishing>(() => import("./publishing.ts").then(({ Publishing }) => new Publishing(this)));
  readonly requests = new Later<Requests>(() => import("./requests.ts").then(({ Requests }) => new Requests(this)));
  readonly responders = new Later<Responders>(() => import("./responders.ts").then(({ Responders }) => new Responders(this.connection, this.subscriptions, this.report)));
  /** A text that nobody else has. */
  readonly nextId: () => string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly #surroundings: ClientSurroundings;
  readonly #vault: Promise<Vault> | undefined;
  readonly #outbox: ClientOutbox<DurableOutbox> | undefined;
  #closing: Promise<void> | undefined;

  constructor(surroundings: ClientSurroundings, options: BaseOptions<never>) {
    this.options = options;
    const settings = (this.settings = settingsOf(options));
    const { clock, randomBytes } = surroundings;
    this.clock = { now: steady(() => clock.now()), after: (ms, callback) => clock.after(ms, callback) };
    this.#surroundings = { ...surroundings, clock: this.clock };
    this.randomBytes = randomBytes;
    this.reporter = new Reporter(options.logger ?? console);
    this.report = this.reporter.report;
    this.nextId = eventIds(randomText(INSTANCE_LENGTH, randomBytes), () => this.clock.now());
    const connection = (this.connection = this.#connect((state) => this.stateListeners.forEach((listener) => {
      try {
        listener(state);
      } catch (error) {
        this.report(error);
      }
    })));
    // In a turn's message, who listens comes before what is said: a handler sees what is published after it in the same turn.
    this.subscriptions = new Subscriptions(connection);
    const { offline, encryption } = options;
    if (offline) this.#outbox = new ClientOutbox((changed) => import("./offline/open-outbox.ts").then(({ openOutbox }) => openOutbox(offline, this, surroundings.outboxHome, changed)), this.report);
    this.publisher = new Publisher(connection, settings, randomBytes, this.#outbox);
    this.lanes = [this.publisher];
    const { schema, poolSize, cacheSize, batchSize } = settings;
    if (schema !== undefined || poolSize > 1 || cacheSize > 0 || batchSize > 1) void this.publishing.use(() => {});
    // What is no key must not mean no encryption.
    if (encryption !== undefined) this.#vault = import("./encryption/open-vault.ts").then(({ openVault }) => openVault(encryption, this));
    // The first hello waits for it, and tells.
    this.#vault?.catch(() => {});
  }

  get closed(): boolean { return this.#closing !== undefined; }

  get outbox(): ClientOutbox {
    if (this.#outbox === undefined) throw invalidOption("offline", "must be set for an outbox, to true or { store }");
    return this.#outbox;
  }

  vault(): Promise<Vault> | undefined { return this.#vault; }

  readonly makeLane = (): Publisher => new Publisher(this.#connect(() => {}), this.settings, this.randomBytes);

  assertOpen(): void {
    if (this.closed) throw closed();
  }

  async call(method: string, params: Readonly<Record<string, unknown>> = {}, options: WaitOptions = {}): Promise<unknown> {
    this.assertOpen();
    return this.requests.use((requests) => requests.call(method, params, options));
  }

  /** @param resolve Nobody waits for it where there is none: no receipt is made. */
  publish(event: PublishInit, hold: boolean, reject: (error: unknown) => void, resolve?: (receipt: Receipt) => void): void {
    try {
      this.assertOpen();
      const { part, loading } = this.publishing;
      // One publisher's events keep their order: what is published while the code is on its way goes the same way.
      const more = part ?? loading ?? (isTraced() || !this.publisher.publish(event, { resolve: resolve && (([receipt]) => resolve(receipt!)), reject }));
      if (more) this.publishing.use((all) => all.publish(event, hold)).then(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  /** Events that stand or fall together. */
  async together(publish: (publishing: Publishing) => Promise<Receipt[]>): Promise<Receipt[]> {
    this.assertOpen();
    return this.publishing.use(publish);
  }

  subscribe(init: SubscribeInit<never>, what: string): Subscription {
    this.assertOpen();
    const plain = plainSubscription(init);
    this.connection.use();
    const subscription = new Subscription(this.subscriptions, init, this.report);
    if (plain !== undefined) subscription.begin(plain);
    else {
      this.connection.hold(import("./subscribe-options.ts")
        .then(({ parseSubscription }) => parseSubscription(this, init, what, subscription.context))
        .then((parsed) => subscription.begin(parsed), (error: unknown) => subscription.fail(notLoaded(error))));
    }
    return subscription;
  }

  within<T>(promise: Promise<T>, what: string, options?: WaitOptions): Promise<T> {
    return within(promise, this.connection, what, this.settings.timeout, options);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { publishing, responders } = this;
    const left = Promise.all([this.subscriptions.closeAll(), (async () => {
      await responders.loading;
      await responders.part?.stopAll();
    })()]);
    publishing.part?.release();
    // What was said is done, also where its code is still on its way.
    if (publishing.loading !== undefined) await publishing.loading.then(() => publishing.part?.release());
    await this.#outbox?.room.then((room) => room.leave(), () => {});
    await Promise.all([this.within(left, "closing").catch(() => {}), publishing.part?.drained(), ...this.lanes.map(({ outbox }) => outbox.drained())]);
    for (const { connection } of this.lanes) connection.close(closed());
  }

  #connect(changed: (state: ClientState) => void): Connection {
    const { namespace, name, auth } = this.options;
    const token = auth?.type === "jwt" && typeof auth.token === "function" && auth.token;
    const instance = randomText(22, this.randomBytes);
    const hello = async (): Promise<Omit<Hello, "v">> => {
      connection.vault = await this.#vault;
      return {
        namespace: namespace!, name: name!, instance,
        // A certificate is shown by the link.
        auth: (token ? { type: "jwt", token: await token() } : auth?.type === "mtls" ? undefined : auth) as NonNullable<Hello["auth"]>,
      };
    };
    const connection: Connection = new Connection({ ...this.#surroundings, timeout: this.settings.timeout, changed, hello, report: this.report });
    if (token) import("./renewal.ts").then(({ Renewal }) => new Renewal(connection, token, this.report)).catch(this.report);
    return connection;
  }
}

function closed(): ConnectionError {
  return new ConnectionError("ERR_CLOSED", "this client is closed; make a new one");
}

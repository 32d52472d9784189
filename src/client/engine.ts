import { randomText } from "../core/event-id.ts";
import type { Hello } from "../core/frames.ts";
import type { OfflineOptions } from "./client-outbox.ts";
import { closed } from "./closed.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Vault } from "./encryption/vault.ts";
import type { EngineOptions } from "./engine-options.ts";
import { handleEvents } from "./handle-events.ts";
import { contextOf } from "./handler-context.ts";
import type { Home } from "./home.ts";
import { Later, notLoaded } from "./later.ts";
import type { DurableOutbox } from "./offline/durable-outbox.ts";
import { isTraced } from "./open-telemetry.ts";
import { Publisher, type PublishInit } from "./publisher.ts";
import type { Publishing } from "./publishing.ts";
import type { Receipt } from "./receipt.ts";
import type { Requests } from "./requests.ts";
import type { Responders } from "./responders.ts";
import type { ParsedSubscription, SubscribeInit } from "./subscribe-options.ts";
import type { Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";
import { within } from "./wait.ts";

/** What runs behind a client: a connection and its parts. What few clients use is loaded when they do. */
export interface Engine extends Home {
  readonly subscriptions: Subscriptions;
  readonly publishing: Later<Publishing>;
  readonly requests: Later<Requests>;
  readonly responders: Later<Responders>;
  /** @param resolve Nobody waits for it where there is none: no receipt is made. */
  publish(event: PublishInit, hold: boolean, reject: (error: unknown) => void, resolve?: (receipt: Receipt) => void): void;
  /** @param plain what to ask for, where nothing has to be loaded to know it */
  subscribe(subscription: Subscription, plain: ParsedSubscription | undefined, init: SubscribeInit<never>, what: string): void;
  openOutbox(offline: true | OfflineOptions, changed: (size: number) => void): Promise<DurableOutbox>;
  reconnect(): void;
  close(): Promise<void>;
}

/** Loaded when a client is used. */
export function startEngine(given: EngineOptions): Engine {
  const { options, settings, surroundings: { makeLink, random, randomBytes, outboxHome }, clock, report, queue } = given;
  const { timeout, schema, poolSize, cacheSize, batchSize } = settings;
  const { auth, encryption } = options;
  const token = auth?.type === "jwt" && typeof auth.token === "function" && auth.token;
  let opened: Promise<Vault> | undefined;

  /** Code that has not come is asked for again. */
  function vault(): Promise<Vault> | undefined {
    // What is no key must not mean no encryption.
    if (encryption === undefined) return undefined;
    return (opened ??= import("./encryption/open-vault.ts").then(({ openVault }) => openVault(encryption, engine)).catch((thrown: unknown) => {
      const error = notLoaded(thrown);
      if (error.code === "ERR_CODE") opened = undefined;
      throw error;
    }));
  }

  function connect(changed: ConnectionOptions["changed"]): Connection {
    const instance = randomText(22, randomBytes);
    const hello = async (): Promise<Omit<Hello, "v">> => {
      connected.vault = await vault();
      return {
        namespace: options.namespace!, name: options.name!, instance,
        // A certificate is shown by the link.
        auth: (token ? { type: "jwt", token: await token() } : auth?.type === "mtls" ? undefined : auth) as NonNullable<Hello["auth"]>,
      };
    };
    const connected: Connection = new Connection({ makeLink, random, next: () => given.next(), clock, timeout, changed, hello, report });
    if (token) import("./renewal.ts").then(({ Renewal }) => new Renewal(connected, token, report)).catch(report);
    return connected;
  }

  const connection = connect((state) => given.changed(state));
  // In a turn's message, who listens comes before what is said: a handler sees what is published after it in the same turn.
  const subscriptions = new Subscriptions(connection);
  const publisher = new Publisher(connection, settings, randomBytes, queue);
  const lanes = [publisher];
  const publishing = new Later<Publishing>(() => import("./publishing.ts").then(({ Publishing }) => new Publishing(engine)));
  const requests = new Later<Requests>(() => import("./requests.ts").then(({ Requests }) => new Requests(engine)));
  const responders = new Later<Responders>(() => import("./responders.ts").then(({ Responders }) => new Responders(connection, subscriptions, report)));

  const engine: Engine = {
    options, settings, clock, report, nextId: given.nextId, randomBytes, connection, subscriptions, publisher, lanes, publishing, requests, responders, vault,
    get outbox() { return given.outbox; },

    makeLane: () => new Publisher(connect(() => {}), settings, randomBytes),

    call: (method, params, wait = {}) => requests.use((all) => all.call(method, params, wait)),

    publish(event, hold, reject, resolve) {
      try {
        const { part, loading } = publishing;
        // One publisher's events keep their order: what is published while the code is on its way goes the same way.
        const more = part ?? loading ?? (isTraced() || !publisher.publish(event, { resolve: resolve && (([receipt]) => resolve(receipt!)), reject }));
        if (more) publishing.use((all) => all.publish(event, hold)).then(resolve, reject);
      } catch (error) {
        reject(error);
      }
    },

    subscribe(subscription, plain, init, what) {
      const { feed } = subscription;
      if (feed.over !== undefined) return;
      subscriptions.open(feed);
      const context = contextOf(connection.user, subscription.signal, subscription);
      const begin = ({ spec, handler, concurrency }: ParsedSubscription): void => {
        if (feed.over !== undefined) return;
        if (handler !== undefined) handleEvents(feed, handler, concurrency, context, report);
        subscriptions.ask(feed, spec);
      };
      if (plain !== undefined) return begin(plain);
      connection.hold(import("./subscribe-options.ts")
        .then(({ parseSubscription }) => parseSubscription(engine, init, what, context))
        .then(begin, (error: unknown) => subscription.fail(notLoaded(error))));
    },

    async openOutbox(offline, changed) {
      try {
        return await (await import("./offline/open-outbox.ts")).openOutbox(offline, engine, outboxHome, changed);
      } catch (thrown) {
        throw notLoaded(thrown);
      }
    },

    reconnect() {
      for (const lane of lanes) lane.connection.reconnect();
    },

    async close() {
      const left = Promise.all([subscriptions.closeAll(), (async () => {
        await responders.loading;
        await responders.part?.stopAll();
      })()]);
      publishing.part?.release();
      // What was said is done, also where its code is still on its way.
      if (publishing.loading !== undefined) await publishing.loading.then(() => publishing.part?.release());
      await queue?.leave();
      await Promise.all([within(left, connection, "closing", timeout).catch(() => {}), publishing.part?.drained(), ...lanes.map(({ outbox }) => outbox.drained())]);
      for (const lane of lanes) lane.connection.close(closed());
    },
  };

  if (schema !== undefined || poolSize > 1 || cacheSize > 0 || batchSize > 1) publishing.load();
  // The first hello waits for it, and tells.
  vault()?.catch(() => {});
  return engine;
}

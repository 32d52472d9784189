import { DurableObject } from "cloudflare:workers";
import type { Hono } from "hono";
import { asError, EventRouterError, toWire, ValidationError } from "../core/errors.ts";
import { PING, PONG } from "../core/frames.ts";
import { admitting, type Caller, type Policy } from "../core/policy.ts";
import { Router } from "../core/router.ts";
import { createApp } from "../http/app.ts";
import type { Family } from "../http/exposition.ts";
import { gate } from "../http/gate.ts";
import { routerMetrics, single } from "../http/metrics.ts";
import { problemOf } from "../http/problem.ts";
import { durableObjectSqlite } from "../stores/sqlite-durable-object.ts";
import { workerScope, type ObjectNamespace, type ObjectState, type SleepingSocket } from "./durable-object.ts";
import { EdgeMeter, type Counts } from "./edge-meter.ts";
import { ObjectClock } from "./object-clock.ts";
import type { ObjectLog } from "./object-log.ts";
import { OwnLog } from "./own-log.ts";
import type { Answer, Neighbour, Question } from "./relays/between.ts";
import { relayName, roleOf, type ObjectRole } from "./relays/object-name.ts";
import { OwnerLog } from "./relays/owner-log.ts";
import { RelayLog } from "./relays/relay-log.ts";
import { SleepingSockets } from "./sleeping-sockets.ts";
import { randomBytes } from "./surroundings.ts";
import { readWorkerSettings, type WorkerEnv, type WorkerOptions } from "./worker-options.ts";

/** ms without a turn after which what no socket carries is written down. */
const REST = 1_000;
/** Heartbeats that a peer may miss. */
const MISSED = 3;

/** What is known again after a sleep, if a socket stayed. */
interface Note { readonly usage: Counts }

/** What a log needs of the object round it. */
interface Surrounding {
  onError(error: unknown): void;
  open(): Promise<void>;
  busy(): boolean;
  begin(): void;
  after(ms: number, callback: () => void): void;
}

/** A router while its object is awake. */
interface Awake {
  readonly router: Router;
  readonly log: ObjectLog;
  readonly clock: ObjectClock;
  readonly sockets: SleepingSockets;
  readonly app: Hono;
  refusal(origin: string | undefined, host: string | undefined): EventRouterError | undefined;
}

/**
 * One namespace in one Durable Object: its log in the object's SQLite, its sessions on WebSockets that stay while the object hibernates. The object's name
 * is the namespace; where there are relays, those have its name and a number, and its log for theirs.
 * @example
 * // worker/index.ts
 * export { EventRouterObject } from "@gadugi/event-router/worker";
 * export default createWorker();
 */
export class EventRouterObject extends DurableObject<WorkerEnv> {
  static readonly options: WorkerOptions = {};
  readonly #state: ObjectState;
  readonly #meter: EdgeMeter;
  readonly #database: ReturnType<typeof durableObjectSqlite>;
  #awake: Awake | EventRouterError = new EventRouterError("ERR_ASLEEP", "the object has not woken", { retryable: true });
  #log: ObjectLog | undefined;
  #savedHead = 0;
  #writtenBefore = 0;
  #stirred = (): void => {};

  constructor(ctx: ObjectState, env: WorkerEnv) {
    super(ctx, env);
    this.#state = ctx;
    this.#meter = new EdgeMeter({ database: () => this.#log?.database, now: Date.now });
    this.#database = durableObjectSqlite(ctx.storage, this.#meter.usage);
    const { WebSocketRequestResponsePair } = workerScope();
    // Answered by the platform, without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    void this.#rise();
  }

  /** Nothing else happens meanwhile. */
  #rise(): Promise<void> {
    // A throw here would put the object off for good: every request is answered with the reason instead.
    return this.#state.blockConcurrencyWhile(async () => {
      try {
        this.#awake = await this.#wake();
      } catch (thrown) {
        console.error(thrown);
        this.#awake = asError(thrown, (cause) => new EventRouterError("ERR_INTERNAL", "the router could not start; see the worker's log", { cause, retryable: true }));
      }
    });
  }

  async fetch(request: Request): Promise<Response> {
    this.#meter.count("requests");
    if (this.#log?.over === true) await this.#rise();
    const awake = this.#awake;
    if (awake instanceof EventRouterError) return refused(awake);
    awake.clock.begin();
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return awake.app.fetch(request, callerOf(request));
    const { searchParams, host } = new URL(request.url);
    const ticket = searchParams.get("ticket");
    const caller = { ...callerOf(request), ...(ticket !== null && { ticket }) };
    const error = awake.refusal(caller.origin, request.headers.get("Host") ?? host);
    if (error !== undefined) return refused(error);
    const { 0: client, 1: server } = new (workerScope().WebSocketPair)();
    awake.sockets.accept(server, caller);
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  /** Another object of the namespace asks; the platform lets in none but those of this worker. */
  async between(question: Question): Promise<Answer> {
    this.#meter.count("requests");
    const awake = this.#awake;
    // No word on what was asked: it is asked again.
    if (awake instanceof EventRouterError) throw awake;
    try {
      const ok = await awake.log.answer(question);
      // Who is told more has dealt with what it was told before.
      if (question[0] === "parcel") await awake.clock.turned();
      return { ok };
    } catch (error) {
      if (error instanceof EventRouterError) return { error: toWire(error) };
      throw error;
    }
  }

  async webSocketMessage(socket: SleepingSocket, message: string | ArrayBuffer): Promise<void> {
    this.#meter.count("messages");
    const awake = this.#awake;
    if (awake instanceof EventRouterError) return socket.close(4500, awake.code);
    awake.sockets.message(socket, message);
    // Until then the object is not put away.
    await awake.clock.settled();
  }

  async webSocketClose(socket: SleepingSocket, code: number): Promise<void> {
    await this.#gone(socket, code);
  }

  async webSocketError(socket: SleepingSocket): Promise<void> {
    await this.#gone(socket, 1011);
  }

  async alarm(): Promise<void> {
    this.#meter.count("alarms");
    const awake = this.#awake;
    // The platform tries again later.
    if (awake instanceof EventRouterError) throw awake;
    awake.clock.rang();
    await awake.clock.settled();
  }

  async #gone(socket: SleepingSocket, code: number): Promise<void> {
    const awake = this.#awake;
    if (awake instanceof EventRouterError) return;
    awake.sockets.gone(socket);
    try {
      // Codes of a connection that broke may not be sent.
      socket.close(code >= 1000 && code < 5000 && ![1004, 1005, 1006, 1015].includes(code) ? code : 1000, "");
    } catch {
      // It is closed.
    }
    await awake.clock.settled();
  }

  async #wake(): Promise<Awake> {
    const { options } = this.constructor as typeof EventRouterObject;
    const { policy, limits, rates, retention, origins, heartbeat, relays } = await readWorkerSettings(options, this.env);
    const { name } = this.#state.id;
    if (name === undefined) throw new ValidationError("ERR_NAMESPACE", "this object has no name; get it with idFromName(namespace), as createWorker() does");
    const role = roleOf(name);
    const { namespace } = role;
    const onError = (error: unknown): void => console.error(error);
    const clock = new ObjectClock({
      storage: this.#state.storage, onError,
      tick: () => router.tick(),
      settled: () => log.settled(),
      rested: () => this.#rested(log, sockets),
      wrote: () => this.#wrote(),
      hold: () => this.#meter.hold(),
      release: () => this.#meter.release(),
    });
    const log: ObjectLog = (this.#log = this.#logOf(role, relays, {
      onError,
      open: () => router.open(namespace),
      busy: () => sockets.size > 0,
      begin: () => clock.begin(),
      after: (ms, callback) => void this.#after(ms, callback),
    }));
    const router: Router = new Router({
      store: log.store, surroundings: clock, policy: confined(policy, namespace), limits, rates, retention, heartbeat, namespaces: 1, bookmarkDelay: 0, onError,
      tickets: log.tickets,
      hostStats: () => this.#meter.stats(),
    });
    const sockets = new SleepingSockets({
      ctx: this.#state, router, database: this.#database, now: Date.now, silence: MISSED * heartbeat,
      note: (): Note => ({ usage: this.#meter.counts() }),
      changed: () => clock.begin(),
    });
    const app = createApp({
      router, origins, onError, randomBytes, keepSessions: 0, metrics: routerMetrics(router, () => ownFamilies(this.#meter.stats())),
      clock: { now: Date.now, after: (ms, callback) => this.#after(ms, callback) },
      callerOf: (caller) => caller as Caller,
    });
    await clock.wake();
    for (const { usage } of sockets.notes() as Note[]) this.#meter.adopt(usage);
    // What was stored may have something due, though nobody is connected.
    if (log.stored) await router.open(namespace);
    await sockets.wake();
    this.#savedHead = log.head;
    return { router, log, clock, sockets, app, refusal: gate({ origins, hosts: undefined }) };
  }

  /** Its own database, or where the object with the log is. */
  #logOf({ namespace, relay }: ObjectRole, relays: number, home: Surrounding): ObjectLog {
    const { options } = this.constructor as typeof EventRouterObject;
    const objects = this.env[options.binding ?? "EVENT_ROUTER"] as ObjectNamespace;
    const reach = (name: string): Neighbour => objects.get(objects.idFromName(name) as never);
    if (relay !== undefined) return new RelayLog({ ...home, relay, owner: () => reach(namespace) });
    const own = { ...home, database: this.#database };
    return relays === 0 ? new OwnLog(own) : new OwnerLog({ ...own, relay: (number) => reach(relayName(namespace, number)) });
  }

  #rested(log: ObjectLog, sockets: SleepingSockets): void {
    sockets.sweep();
    const carried = sockets.save(log.head !== this.#savedHead || this.#meter.changed);
    this.#savedHead = log.head;
    this.#stirred();
    if (this.#meter.full) this.#meter.write();
    else if (!carried && this.#meter.changed) this.#stirred = this.#after(REST, () => this.#meter.write());
  }

  #wrote(): boolean {
    const { rowsWritten } = this.#meter.usage;
    const wrote = rowsWritten !== this.#writtenBefore;
    this.#writtenBefore = rowsWritten;
    return wrote;
  }

  /** For open event streams: they keep the object awake. */
  #after(ms: number, callback: () => void): () => void {
    let waiting = true;
    const over = (): void => {
      if (waiting) this.#meter.release();
      waiting = false;
    };
    this.#meter.hold();
    const timer = setTimeout(() => {
      over();
      callback();
    }, ms);
    return () => {
      clearTimeout(timer);
      over();
    };
  }
}

/** One object has one namespace, which the URL must name so that the platform finds the object. */
function confined(policy: Policy, own: string): Policy {
  return admitting(policy, (credential, namespace, caller) => {
    if (namespace !== own) throw new ValidationError("ERR_NAMESPACE", `this address is that of namespace "${own}"; at the edge, connect to /ws?namespace=${namespace}`, { details: { path: "namespace" } });
    return policy.authenticate(credential, namespace, caller);
  });
}

/** The meter's figures as metrics. */
function ownFamilies(stats: Readonly<Record<string, number | string>>): Family[] {
  return Object.entries(stats).flatMap(([key, value]) => (typeof value === "number" ? [single(`event_router_${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, "Of the object, since it was made", value)] : []));
}

function callerOf({ headers }: Request): Caller {
  const address = headers.get("CF-Connecting-IP");
  const origin = headers.get("Origin");
  return { ...(address !== null && { address }), ...(origin !== null && { origin }) };
}

function refused(error: EventRouterError): Response {
  const problem = problemOf(error);
  return new Response(JSON.stringify(problem), { status: problem.status, headers: { "Content-Type": "application/problem+json" } });
}

import { Authorities } from "./authorities.ts";
import { calls } from "./calls.ts";
import type { Call } from "./calls/call.ts";
import { steady, type Surroundings } from "./clock.ts";
import { withdrawalsOf, type Withdrawals } from "./company/withdrawals.ts";
import { ConnectionError, type EventRouterError } from "./errors.ts";
import { randomText } from "./event-id.ts";
import { PROTOCOL_VERSION, type Durability, type Hello, type Welcome } from "./frames.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { Port } from "./link.ts";
import { Namespace, type NamespaceHost } from "./namespace.ts";
import { namespaceHost } from "./namespace-host.ts";
import { Namespaces } from "./namespaces.ts";
import { OpenSession } from "./open-session.ts";
import { Outlets } from "./outlets.ts";
import { namespaceLags, namespaceStats, type Lag } from "./namespace-stats.ts";
import type { Measures } from "./measures.ts";
import { openPolicy, type Caller, type Principal } from "./policy.ts";
import { Reader } from "./reader.ts";
import { resume, type Sleeper } from "./resume.ts";
import { compileRegex } from "./regex.ts";
import type { RetentionPolicy } from "./retention.ts";
import type { SavedOpenSession } from "./saved-session.ts";
import { routerHealth, type Health } from "./router-health.ts";
import type { RouterOptions } from "./router-options.ts";
import { Session, type SessionHome } from "./session.ts";
import type { Log } from "./store.ts";

/** Sizes a peer may leave unread before it is taken for one that never reads: a multiple of the window, for what is not under credit. */
const SLOW = 8;
/** ms that a host may be late with a tick, being busy. */
const LATE = 1_000;

/**
 * Appends, matches, delivers. Pure: no I/O, no timers, no globals; a host gives it a store, a clock, randomness and pipes.
 * @example
 * const router = new Router({ store: memoryStore({ randomBytes }), surroundings });
 * const session = router.connect(port);
 * socket.onmessage = (message) => session.receive(message.data);
 */
export class Router {
  /** The host's, as it is. */
  readonly #clock: Surroundings;
  readonly #surroundings: Surroundings;
  readonly #authorities: Authorities;
  readonly #limits: Limits;
  readonly #retention: RetentionPolicy;
  readonly #tail: { readonly events: number; readonly size: number };
  readonly #heartbeat: number;
  readonly #bookmarkDelay: number;
  readonly #onError: (error: unknown) => void;
  readonly #calls: ReadonlyMap<string, Call>;
  readonly #namespaces: Namespaces;
  readonly #sessions = new Set<Session>();
  /** The newest session of each client that comes back under a secret. */
  readonly #instances = new Map<string, Session>();
  /** Sessions that have still to say hello, and until when: all have equally long, so those that came first are due first. */
  readonly #greetings = new Map<Session, number>();
  readonly #outlets: Outlets;
  readonly #hasOutput = (reader: Reader): void => this.#outlets.add(reader);
  readonly #started: number;
  readonly #host: NamespaceHost;
  readonly #home: SessionHome;
  /** Where other routers share the store, and the policy can take something back. */
  readonly #withdrawals: Withdrawals | undefined;
  #wake: number | null = null;
  #stopping = false;
  #lastFailure: { readonly at: number; readonly message: string } | undefined;

  constructor({ store, surroundings, policy = openPolicy, limits = {}, rates = {}, retention = {}, tail = { events: 2_048, size: 2 * 1024 * 1024 }, heartbeat = 0, namespaces = 1_000, bookmarkDelay = 50, tickets, hostStats = () => ({}), onError = () => {} }: RouterOptions) {
    this.#clock = surroundings;
    surroundings = this.#surroundings = { ...surroundings, now: steady(() => this.#clock.now()) };
    this.#authorities = new Authorities({ policy, sessions: this.#sessions, rates, shelf: tickets, now: surroundings.now, randomBytes: surroundings.randomBytes, wakeBy: (time) => this.#wakeBy(time), failed: (error) => this.#failed(error) });
    this.#withdrawals = withdrawalsOf({ store, policy, now: surroundings.now, randomId: () => randomText(16, surroundings.randomBytes), wakeBy: (time) => this.#wakeBy(time), failed: (error) => this.#failed(error) });
    this.#limits = { ...defaultLimits, ...limits };
    this.#retention = retention;
    this.#tail = tail;
    this.#heartbeat = heartbeat;
    this.#bookmarkDelay = bookmarkDelay;
    this.#onError = onError;
    this.#outlets = new Outlets({ mostUnread: SLOW * this.#limits.windowSize, defer: surroundings.defer, failed: (error) => this.#failed(error) });
    this.#started = surroundings.now();
    this.#home = { limits: this.#limits, open: (session, hello) => this.#open(session, hello), left: (session, opened) => this.#left(session, opened), failed: (error) => this.#failed(error) };
    this.#host = namespaceHost({
      clock: this.#clock, authorities: this.#authorities, sessions: this.#sessions, meet: (port) => this.#meet(port, {}),
      join: (session, namespace, principal, who) => this.#join(session, namespace, principal, who, true),
    });
    this.#namespaces = new Namespaces({
      store, most: namespaces,
      ready: async () => this.#withdrawals?.ready(),
      make: (name, log, durability, lastTime) => this.#make(name, log, durability, lastTime),
      opened: (namespace) => {
        const due = namespace.tick(this.#surroundings.now());
        if (due !== null) this.#wakeBy(due);
      },
      lost: (namespace, error) => this.#lost(namespace, error),
    });
    this.#calls = calls({ hostStats, uptime: () => surroundings.now() - this.#started, health: (own) => this.health(own), sessions: (namespace) => this.#opened(namespace) });
  }

  get limits(): Limits { return this.#limits; }

  /** A new pipe; the host passes its messages to the session, and says when it is gone. */
  connect(port: Port, caller: Caller = {}): Session {
    const session = this.#meet(port, caller);
    if (session.state === "greeting") {
      const deadline = this.#surroundings.now() + this.#limits.helloTime;
      this.#greetings.set(session, deadline);
      this.#wakeBy(deadline);
    }
    return session;
  }

  #meet(port: Port, caller: Caller): Session {
    const session = new Session(port, caller, this.#home);
    if (this.#stopping) session.end(stopping(1_000));
    else this.#sessions.add(session);
    return session;
  }

  /** Opens a namespace, so that what is due in it is done though nobody is connected. */
  async open(namespace: string): Promise<void> {
    await this.#namespaces.get(namespace);
  }

  /** Takes up sessions that were saved (`Session.save`) before the host slept, over pipes that stayed. They may be used once this has resolved. */
  resume(sleepers: readonly Sleeper[]): Promise<Session[]> {
    return resume(sleepers, {
      connect: (port, caller) => this.connect(port, caller),
      meet: (port, caller) => this.#meet(port, caller),
      join: async (session, saved) => {
        const namespace = await this.#namespaces.get(saved.namespace);
        const principal = await this.#authorities.restore(saved.principal, saved.namespace);
        // The router may have been stopped meanwhile.
        return session.state === "closed" ? undefined : this.#join(session, namespace, principal, saved);
      },
    });
  }

  /** Does what is due; returns when it wants to be called again (ms since 1970), null if nothing is planned. */
  tick(now = this.#surroundings.now()): number | null {
    let next: number | null = null;
    for (const [session, deadline] of this.#greetings) {
      if (deadline > now) {
        next = deadline;
        break;
      }
      this.#greetings.delete(session);
      session.expire();
    }
    next = sooner(next, this.#authorities.tick(now));
    next = sooner(next, this.#withdrawals?.tick(now) ?? null);
    for (const namespace of this.#namespaces.values()) {
      next = sooner(next, namespace.tick(now));
    }
    this.#wake = next;
    return next === null ? null : this.#onClock(next);
  }

  /** When the host's clock will show a time of ours. */
  #onClock(time: number): number { return time - this.#surroundings.now() + this.#clock.now(); }

  /**
   * Asks the policy again what the principals of a subject, or all, may do now, and has it hold at once: subscriptions that reach too far and sessions
   * that would not be let in any more are ended. A policy with `watch` does this by itself.
   */
  reauthorize(subject?: string): void {
    this.#authorities.review(subject);
  }

  /** The figures of each namespace that is open. */
  stats(): ReadonlyMap<string, Readonly<Record<string, number | string>>> {
    return new Map([...this.#namespaces].map(([name, namespace]) => [name, namespaceStats(namespace)]));
  }

  /** What each namespace that is open measures, as histograms. */
  measures(): ReadonlyMap<string, Measures> {
    return new Map([...this.#namespaces].map(([name, { measures }]) => [name, measures]));
  }

  /** How far named readers and groups are behind, by namespace. */
  async lags(): Promise<ReadonlyMap<string, readonly Lag[]>> {
    return new Map(await Promise.all([...this.#namespaces].map(async ([name, namespace]) => [name, await namespaceLags(namespace)] as const)));
  }

  /** How it is doing. @param own the only namespace that is named, to who may know of no other */
  health(own?: string): Health {
    return routerHealth({ now: this.#surroundings.now(), stopping: this.#stopping, failure: this.#lastFailure, namespaces: this.#namespaces.values() }, own);
  }

  /** Finishes what was accepted, then tells all clients to come back after `retryAfter` ms and takes no more. The store is the host's to close. */
  async close({ retryAfter = 1_000 }: { retryAfter?: number } = {}): Promise<void> {
    this.#stopping = true;
    const namespaces = await this.#namespaces.all();
    for (const namespace of namespaces) await namespace.settle();
    this.#outlets.flush();
    for (const session of this.#sessions) session.end(stopping(retryAfter));
    for (const namespace of namespaces) await namespace.close();
    this.#authorities.close();
    await this.#withdrawals?.close();
    this.#surroundings.wakeAt(null);
  }

  async #open(session: Session, hello: Hello): Promise<void> {
    this.#greetings.delete(session);
    const name = hello.namespace ?? "default";
    await this.#withdrawals?.ready();
    const admitted = await this.#authorities.admit(hello.auth, name, session.caller, hello.name);
    const namespace = await this.#namespaces.get(name);
    // The link may have gone meanwhile.
    if (session.state === "closed") return;
    // It may have been revoked while the log was opened.
    const principal = this.#authorities.reviewed(admitted, name);
    const clientName = principal.name ?? hello.name;
    const id = `ses_${randomText(16, this.#surroundings.randomBytes)}`;
    const instance = hello.instance === undefined ? undefined : JSON.stringify([name, principal.subject ?? "", hello.instance]);
    const opened = this.#join(session, namespace, principal, { id, ...(instance !== undefined && { instance }), ...(clientName !== undefined && { name: clientName }) });
    const { limits } = this;
    const welcome: Welcome = {
      v: PROTOCOL_VERSION, caps: [], session: id, namespace: name, epoch: namespace.log.epoch, head: namespace.dispatcher.head,
      ...(clientName !== undefined && { name: clientName }), ...(principal.subject !== undefined && { subject: principal.subject }),
      ...this.#authorities.standing(principal), durability: namespace.durability, heartbeat: this.#heartbeat,
      limits: { frame: limits.frame, payload: limits.payload, batch: limits.batch, windowEvents: limits.windowEvents, windowSize: limits.windowSize },
    };
    opened.tell(["welcome", welcome]);
  }

  /** The session is open from now on. */
  #join(session: Session, namespace: Namespace, principal: Principal, { id, instance, name }: Pick<SavedOpenSession, "id" | "instance" | "name">, vouched = false): OpenSession {
    const reader = new Reader({ owner: session, session: id, name, rights: principal.rights, windowSize: this.#limits.windowSize, vouched, hasOutput: this.#hasOutput });
    if (instance !== undefined) {
      this.#instances.get(instance)?.end(new ConnectionError("ERR_REPLACED", "this client has connected again", { retryable: true }));
      this.#instances.set(instance, session);
    }
    namespace.readers.add(reader);
    const opened = new OpenSession({ instance, namespace, principal, reader, calls: this.#calls, authority: this.#authorities });
    session.begin(opened);
    this.#authorities.began(session, principal);
    return opened;
  }

  #make(name: string, log: Log, durability: Durability, lastTime: number): Namespace {
    return new Namespace({
      name, log, host: this.#host, durability, lastTime,
      limits: this.#limits, retention: this.#retention, tail: this.#tail, surroundings: this.#surroundings, regex: compileRegex, bookmarkDelay: this.#bookmarkDelay,
      flush: () => this.#outlets.flush(), pass: (reader, messages) => this.#outlets.pass(reader, messages), wakeBy: (time) => this.#wakeBy(time), failed: (error) => this.#failed(error),
    });
  }

  /** The log is gone: whoever comes back finds another, with another epoch, and is told what that means for it. */
  #lost(namespace: Namespace, error: EventRouterError): void {
    this.#failed(error);
    for (const session of this.#sessions) if (session.opened?.namespace === namespace) session.end(new ConnectionError("ERR_EPOCH", "the log was lost; connect again to be told where the new one starts", { retryable: true, details: { retryAfter: 0 } }));
    namespace.settle().then(() => namespace.close()).catch((thrown: unknown) => this.#failed(thrown));
  }

  *#opened(namespace: Namespace): Iterable<OpenSession> {
    for (const { opened } of this.#sessions) if (opened?.namespace === namespace) yield opened;
  }

  #left(session: Session, opened: OpenSession | undefined): void {
    this.#sessions.delete(session);
    this.#greetings.delete(session);
    this.#authorities.left(session);
    if (opened?.instance !== undefined && this.#instances.get(opened.instance) === session) this.#instances.delete(opened.instance);
  }

  #failed(error: unknown): void {
    this.#lastFailure = { at: this.#surroundings.now(), message: error instanceof Error ? error.message : String(error) };
    this.#onError(error);
  }

  #wakeBy(time: number): void {
    // What is overdue was planned on a clock that has been set forward since, and would come as much too late.
    if (this.#wake !== null && this.#wake <= time && this.#wake >= this.#surroundings.now() - LATE) return;
    this.#wake = this.#wake === null ? time : Math.min(this.#wake, time);
    this.#surroundings.wakeAt(this.#onClock(this.#wake));
  }
}

function sooner(a: number | null, b: number | null): number | null {
  return a === null || (b !== null && b < a) ? b : a;
}

function stopping(retryAfter: number): ConnectionError {
  return new ConnectionError("ERR_ROUTER_STOPPING", "the router is stopping; connect again later", { retryable: true, details: { retryAfter } });
}

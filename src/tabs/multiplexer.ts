import { steadyClock, type Clock } from "../core/clock.ts";
import { ConnectionError, type EventRouterError } from "../core/errors.ts";
import { randomText } from "../core/event-id.ts";
import type { Hello } from "../core/frames.ts";
import type { Link, Port } from "../core/link.ts";
import { Branch } from "./branch.ts";
import { routeKey, type Route } from "./route.ts";
import { Trunk } from "./trunk.ts";

export interface MultiplexerOptions {
  readonly clock: Clock;
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Calls back when the present turn of the loop is over: what comes together from several tabs leaves together. */
  defer(callback: () => void): void;
  /** A secret that outlives this multiplexer where another takes over from it; default: a new one. */
  readonly instance?: string;
  /** ms until the router above must have answered a hello, default 10 s. */
  readonly timeout?: number;
}

/** How to reach a router above. */
export interface Upstream {
  /** The same for the same router, reached in the same way. */
  readonly key: string;
  makeLink(): Link;
}

/**
 * Many sessions over one connection: to each tab it speaks as a router does, to the router above as one client. It holds no event: what a tab has not finished
 * is not acknowledged above, so the router serves that subscription from its log when there is room, and no tab holds up another. When the connection is
 * lost it ends the sessions, and each tab's client goes on and sends again by itself, as over any link.
 */
export class Multiplexer {
  readonly #options: MultiplexerOptions;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #trunks = new Map<string, Trunk>();
  readonly #branches = new Set<Branch>();
  readonly #instances = new Map<string, Branch>();
  #withOutput: Branch[] = [];
  #flushPlanned = false;
  #closed = false;

  constructor(options: MultiplexerOptions) {
    this.#options = options;
    this.#clock = steadyClock(options.clock);
    this.#instance = options.instance ?? randomText(22, options.randomBytes);
  }

  /** A tab's pipe; the host passes its messages to the session, and says when it is gone. */
  connect(port: Port, upstream: Upstream): Pick<Branch, "receive" | "disconnected"> {
    const branch: Branch = new Branch(port, {
      join: (one, hello) => this.#join(one, hello, upstream),
      left: (one) => this.#left(one),
      hasOutput: (one) => this.#hasOutput(one),
    });
    this.#branches.add(branch);
    return branch;
  }

  /** Sends all tabs away, to come back where another multiplexer is. */
  close(error: EventRouterError = new ConnectionError("ERR_CONNECTION_LOST", "another tab has the connection now", { retryable: true, details: { retryAfter: 0 } })): void {
    this.#closed = true;
    for (const trunk of this.#trunks.values()) trunk.close(error);
  }

  #join(branch: Branch, hello: Hello, upstream: Upstream): Trunk {
    const route: Route = { upstream: upstream.key, hello };
    const key = routeKey(route);
    if (hello.instance !== undefined) {
      const earlier = this.#instances.get(hello.instance);
      this.#instances.set(hello.instance, branch);
      earlier?.end(["ConnectionError", "ERR_REPLACED", "this client has connected again", 1]);
    }
    if (this.#closed) throw new ConnectionError("ERR_CONNECTION_LOST", "another tab has the connection now", { retryable: true });
    let trunk = this.#trunks.get(key);
    if (trunk === undefined) {
      const { random, defer, timeout = 10_000 } = this.#options;
      trunk = new Trunk({
        hello, instance: `${this.#instance}.${hash(key)}`, makeLink: () => upstream.makeLink(), clock: this.#clock, random: () => random(), timeout, defer: (callback) => defer(callback),
        ended: (one) => { if (this.#trunks.get(key) === one) this.#trunks.delete(key); },
      });
      this.#trunks.set(key, trunk);
    }
    return trunk;
  }

  #left(branch: Branch): void {
    this.#branches.delete(branch);
    if (branch.instance !== undefined && this.#instances.get(branch.instance) === branch) this.#instances.delete(branch.instance);
  }

  #hasOutput(branch: Branch): void {
    this.#withOutput.push(branch);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#options.defer(() => {
      this.#flushPlanned = false;
      for (const one of this.#withOutput.splice(0)) one.flush();
    });
  }
}

/** Tells the trunks of one multiplexer apart, also for the one that takes over from it. FNV-1a: it need not be secret. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(36);
}

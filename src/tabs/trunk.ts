import { Heartbeat } from "../client/heartbeat.ts";
import type { Clock } from "../core/clock.ts";
import { ConnectionError, fromWire, toWire, type EventRouterError, type WireError } from "../core/errors.ts";
import { PING, PONG, type Credential, type Hello, type Welcome } from "../core/frames.ts";
import type { Link } from "../core/link.ts";
import type { Tab } from "./tab.ts";
import { Callers } from "./callers.ts";
import { headOf } from "./frame-text.ts";
import { Spreader } from "./spreader.ts";
import { isNewer } from "./route.ts";

type Phase =
  /** There is no pipe, or no tab that says hello over it. */
  | { readonly state: "down" }
  | { readonly state: "up" }
  | { readonly state: "greeting" }
  /** `until`: when the credential runs out, ms since 1970. */
  | { readonly state: "open"; readonly welcome: Welcome; readonly until: number }
  | { readonly state: "ended" };

type Standing = Pick<Welcome, "permissions" | "expiresIn">;

export interface TrunkOptions {
  readonly hello: Hello;
  /** Under which the trunk comes back, so that the router above ends what is left of its earlier session. */
  readonly instance: string;
  makeLink(): Link;
  readonly clock: Clock;
  random(): number;
  /** ms until the router above must have answered. */
  readonly timeout: number;
  /** Calls back when the present turn is over. */
  defer(callback: () => void): void;
  /** It will not come back. */
  ended(trunk: Trunk): void;
}

/** How long a trunk without tabs stays, ms: tabs that were sent away come back, and a page that is loaded again finds its connection. */
const LINGER = 5_000;
/** How soon tabs say hello again after the connection was lost, ms; then they wait until it is there. */
const COME_BACK = 50;

/** One connection to the router above, for all sessions of a route. */
export class Trunk {
  readonly #options: TrunkOptions;
  readonly #link: Link;
  readonly #heartbeat: Heartbeat;
  readonly #tabs = new Set<Tab>();
  readonly #callers = new Callers();
  readonly #spreader = new Spreader();
  #hello: Hello;
  #phase: Phase = { state: "down" };
  #received = 0;
  #receivedAcked = 0;
  #out: string[] = [];
  #acks = new Map<number, number>();
  #flushPlanned = false;
  #cancelLinger = (): void => {};

  constructor(options: TrunkOptions) {
    this.#options = options;
    this.#hello = options.hello;
    this.#link = options.makeLink();
    this.#heartbeat = new Heartbeat(options.clock, { ask: () => this.#link.send(PING), dead: () => this.#link.restart() });
    this.#link.start({
      open: () => {
        this.#received = this.#receivedAcked = 0;
        this.#phase = { state: "up" };
        this.#greet();
      },
      message: (message) => { if (this.#phase.state !== "ended") this.#message(message); },
      down: (error, final) => this.#down(error, final),
    });
  }

  get windowSize(): number { return this.#phase.state === "open" ? this.#phase.welcome.limits.windowSize : Infinity; }

  /** A session that waits for its welcome. */
  join(tab: Tab, credential: Credential | undefined): void {
    this.#cancelLinger();
    this.#tabs.add(tab);
    const newer = this.renew(credential);
    if (this.#phase.state !== "open") return this.#greet();
    const { welcome, until } = this.#phase;
    const expires = welcome.expiresIn !== undefined;
    tab.welcome(expires ? { ...welcome, expiresIn: Math.max(0, until - this.#options.clock.now()) } : welcome);
    // A router that tells how long a credential is good takes a newer one.
    if (newer && expires) this.put(JSON.stringify(["auth", this.#callers.next(), credential]));
  }

  /** Keeps a credential for the next hello, if it is newer than what is there; says whether. */
  renew(credential: Credential | undefined): boolean {
    const { auth } = this.#hello;
    if (credential === undefined || !isNewer(credential, auth)) return false;
    this.#hello = { ...this.#hello, auth: credential };
    return JSON.stringify(credential) !== JSON.stringify(auth);
  }

  /** A session is over: what it has asked for is taken back. */
  leave(tab: Tab, subscriptions: Iterable<number>, requests: Iterable<number>): void {
    if (!this.#tabs.delete(tab)) return;
    for (const id of subscriptions) {
      this.#spreader.close(id);
      this.put(`["unsub",${id}]`);
    }
    for (const req of requests) this.cancel(req);
    this.#callers.leave(tab, (ask) => this.put(JSON.stringify(["fail", ask, toWire(new ConnectionError("ERR_RESPONDER_LOST", "the tab that should answer is gone; whether it carried out the request is unknown"))])));
    if (this.#tabs.size === 0) this.#cancelLinger = this.#options.clock.after(LINGER, () => this.close());
  }

  /** Queues a frame for the router above; it leaves when the turn is over, with those of all tabs. */
  put(frame: string): void {
    if (this.#phase.state !== "open") return;
    this.#out.push(frame);
    this.#plan();
  }

  /** All events of a subscription up to this seq are finished. */
  ack(id: number, seq: number): void {
    this.#acks.set(id, seq);
    this.#plan();
  }

  /** A number for a tab's question. */
  ask(tab: Tab, local: number): number { return this.#callers.ask(tab, local); }
  /** Whether this tab was asked this and has not answered; then it does now. */
  answers(tab: Tab, ask: number): boolean { return this.#callers.answers(tab, ask); }

  cancel(req: number): void {
    if (this.#callers.settle(req) !== undefined) this.put(`["cancel",${req}]`);
  }

  /** A number for a tab's subscription, or with patterns, for its responder. */
  subscribe(tab: Tab, local: number, patterns: readonly string[] | undefined): number {
    const id = this.#callers.next();
    this.#spreader.open(id, tab, local);
    if (patterns !== undefined) this.#callers.serve(id, tab, patterns);
    return id;
  }

  /** Sends the tabs away for now, or for good; they come back over another trunk. */
  close(error: EventRouterError = new ConnectionError("ERR_CONNECTION_LOST", "the connection is made anew", { retryable: true })): void {
    if (this.#phase.state === "ended") return;
    this.#flush();
    if (this.#phase.state === "open") this.#link.send('["bye"]');
    this.#end(toWire(error));
  }

  /** Says hello as soon as there is a pipe and a tab that wants it: then its credential is a fresh one. */
  #greet(): void {
    if (this.#phase.state !== "up" || this.#tabs.size === 0) return;
    this.#phase = { state: "greeting" };
    this.#heartbeat.start(this.#options.timeout, true);
    this.#link.send(JSON.stringify(["hello", { ...this.#hello, instance: this.#options.instance }]));
  }

  #message(message: string): void {
    this.#heartbeat.heard();
    if (message === PONG) return;
    if (message === PING) return this.#link.send(PONG);
    this.#received += message.length;
    try {
      for (const line of message.split("\n")) this.#frame(line);
    } catch {
      this.#link.restart(1_000);
      return;
    }
    if (this.#phase.state === "open" && this.#received - this.#receivedAcked >= dueSize(this.#phase.welcome)) this.#plan();
  }

  #frame(line: string): void {
    const head = headOf(line);
    switch (head?.name) {
      case "ev": return this.#spreader.uniform(line);
      case "mix": return this.#spreader.mixed(line);
      case "pub": case "ok": case "err": {
        const caller = this.#callers.settle(head.id);
        caller?.tab.answered(caller.local);
        return caller?.tab.tell(`["${head.name}",${caller.local}${head.rest}`);
      }
      case "on": case "gap": case "job": return this.#spreader.pass(head);
      case "end":
        this.#spreader.pass(head);
        this.#spreader.close(head.id);
        return this.#callers.retire(head.id);
      case "ask": return this.#callers.asked(head.id, line, (frame) => this.put(frame));
      case "rights": return this.#stands(line, (JSON.parse(line) as [string, Standing])[1]);
      case "welcome": return this.#welcomed((JSON.parse(line) as [string, Welcome])[1]);
      case "bye": return this.#dismissed((JSON.parse(line) as [string, WireError])[1]);
      case undefined: throw new SyntaxError("not a frame");
      // Said by a newer router, for newer clients.
      default: return undefined;
    }
  }

  #welcomed(welcome: Welcome): void {
    this.#heartbeat.start(welcome.heartbeat);
    this.#enter(welcome);
    for (const tab of this.#tabs) tab.welcome(welcome);
  }

  /** What the session may do from now on: for all tabs. */
  #stands(frame: string, standing: Standing): void {
    if (this.#phase.state !== "open") return;
    const { permissions, expiresIn } = standing;
    this.#enter({ ...this.#phase.welcome, ...(permissions !== undefined && { permissions }), ...(expiresIn !== undefined && { expiresIn }) });
    for (const tab of this.#tabs) tab.tell(frame);
  }

  #enter(welcome: Welcome): void {
    this.#phase = { state: "open", welcome, until: this.#options.clock.now() + (welcome.expiresIn ?? 0) };
  }

  #dismissed(wire: WireError): void {
    const { retryable, details } = fromWire(wire);
    if (retryable) this.#link.restart(Number(details.retryAfter ?? 1_000) * (1 + this.#options.random()));
    else this.#end(wire);
  }

  #down(error: ConnectionError, final: boolean): void {
    if (this.#phase.state === "ended") return;
    if (final) return this.#end(toWire(error));
    this.#phase = { state: "down" };
    this.#heartbeat.stop();
    const [name, code, message] = toWire(error);
    this.#sendAway([name, code, message, 1, { retryAfter: COME_BACK }]);
  }

  #end(error: WireError): void {
    this.#phase = { state: "ended" };
    this.#heartbeat.stop();
    this.#cancelLinger();
    this.#sendAway(error);
    this.#link.close();
    this.#options.ended(this);
  }

  #sendAway(error: WireError): void {
    this.#out = [];
    this.#acks.clear();
    this.#callers.clear();
    this.#spreader.clear();
    const tabs = [...this.#tabs];
    this.#tabs.clear();
    for (const tab of tabs) tab.end(error);
    if (this.#phase.state !== "ended") this.#cancelLinger = this.#options.clock.after(LINGER, () => { if (this.#tabs.size === 0) this.close(); });
  }

  #plan(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#options.defer(() => this.#flush());
  }

  #flush(): void {
    this.#flushPlanned = false;
    if (this.#phase.state !== "open") return;
    const { welcome } = this.#phase;
    if (this.#acks.size > 0 || this.#received - this.#receivedAcked >= dueSize(welcome)) {
      this.#receivedAcked = this.#received;
      this.#out.unshift(`["ack",${this.#received}${[...this.#acks].map(([id, seq]) => `,${id},${seq}`).join("")}]`);
      this.#acks.clear();
    }
    // A UTF-16 unit is at most three bytes: so no message is too large for the router.
    const most = welcome.limits.frame / 3;
    let message = "";
    for (const frame of this.#out) {
      if (message !== "" && message.length + frame.length >= most) {
        this.#link.send(message);
        message = "";
      }
      message += message === "" ? frame : `\n${frame}`;
    }
    this.#out = [];
    if (message !== "") this.#link.send(message);
  }
}

/** How much may have been received before the router above is told. */
function dueSize({ limits: { windowSize, payload } }: Welcome): number {
  return Math.min(windowSize / 4, windowSize - 2 * payload);
}

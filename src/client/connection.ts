import type { Clock } from "../core/clock.ts";
import { AuthenticationError, asError, ConnectionError, fromWire, type EventRouterError, type WireError } from "../core/errors.ts";
import { PING, PONG, PROTOCOL_VERSION, type Hello, type RouterFrame, type Welcome } from "../core/frames.ts";
import type { Link } from "../core/link.ts";
import type { Vault } from "./encryption/vault.ts";
import { userOf } from "./handler-context.ts";
import { Heartbeat } from "./heartbeat.ts";

/** What a client tells of its connection: `offline` when one was lost and retries go on; `closed` when it was closed, or refused for good. */
export type ClientState = "idle" | "connecting" | "connected" | "offline" | "closed";

type Phase =
  | { readonly state: "idle" }
  | { readonly state: "connecting" | "offline"; readonly error?: ConnectionError }
  | { readonly state: "connected"; readonly welcome: Welcome }
  | { readonly state: "closed"; readonly error: EventRouterError };

/** One concern that talks over a connection. What it has to say is written when the turn is over, together with the others'. */
export interface Part {
  /** A session has begun; nothing said before may be relied on. */
  opened?(welcome: Welcome): void;
  write(put: (frame: string) => void, link: Link): void;
  /** Takes a frame if it is for this part, and says so. */
  receive(frame: RouterFrame, size: number): boolean;
  /** A message has come, and its frames are dealt with. */
  heard?(): void;
  /** The pipe broke; `final`: no other will come, so whatever waits fails with this. */
  down(error: EventRouterError, final: boolean): void;
}

export interface ConnectionOptions {
  makeLink(): Link;
  hello(): Promise<Omit<Hello, "v">>;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  random(): number;
  /** A number for a frame, never used before. */
  next(): number;
  /** How long the router may take to say welcome, ms. */
  readonly timeout: number;
  changed(state: ClientState): void;
  report(error: unknown): void;
}

/** Keeps a session with the router over a link that breaks and comes back, and carries the frames of its parts in few messages. */
export class Connection {
  readonly clock: Clock;
  /** In a turn's message they speak in this order. */
  readonly parts: Part[] = [];
  /** There before the first welcome, if the client encrypts. */
  vault: Vault | undefined;
  /** UTF-16 units of all messages on this pipe but heartbeats. */
  received = 0;
  readonly user = userOf(() => this.#identity);
  readonly #options: ConnectionOptions;
  readonly #heartbeat: Heartbeat;
  #phase: Phase = { state: "idle" };
  /** What the router said last of who this is; a cut does not change it. */
  #identity: Welcome | undefined;
  #link: Link | undefined;
  /** Pipes so far: what was begun for an older one is void. */
  #pipe = 0;
  #scheduled = false;
  #waiting: PromiseWithResolvers<void>[] = [];
  #holds = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.#heartbeat = new Heartbeat(options.clock, { ask: () => this.#link?.send(PING), dead: () => this.#link?.restart() });
  }

  get state(): ClientState { return this.#phase.state; }
  get welcome(): Welcome | undefined { return "welcome" in this.#phase ? this.#phase.welcome : undefined; }
  /** Why there is no connection now, as far as it is known. */
  get error(): EventRouterError | undefined { return "error" in this.#phase ? this.#phase.error : undefined; }

  /** Failures that no one else handles. */
  get report(): (error: unknown) => void { return this.#options.report; }

  /** A number for a frame, never used before. */
  next(): number { return this.#options.next(); }

  /** First use connects. @throws what closed the connection for good. */
  use(): void {
    if (this.#phase.state === "closed") throw this.#phase.error;
    if (this.#phase.state === "idle") this.reconnect();
  }

  /** Resolves when there is a session. @throws what closed the connection for good. */
  async connected(): Promise<void> {
    this.use();
    if (this.welcome !== undefined) return;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    await waiting.promise;
  }

  /** Drops the pipe, if there is one, and makes a new one; also after a refusal. */
  reconnect(): void {
    if (this.#link !== undefined) return this.#link.restart();
    const link = this.#options.makeLink();
    this.#link = link;
    this.#enter({ state: "connecting" });
    const current = () => this.#link === link;
    link.start({
      open: () => { if (current()) void this.#greet(link); },
      message: (message) => { if (current()) this.#message(message); },
      down: (error, final) => {
        if (!current()) return;
        if (final) this.#fail(error);
        else this.#lost(error);
      },
    });
  }

  /** A part has something to say: it leaves when the present turn is over, together with the rest. */
  wake(): void {
    if (this.#scheduled || this.welcome === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** What is said from now on waits for this: it must not overtake what was said before, and is still being put into words. */
  hold(until: Promise<void>): void {
    this.#holds++;
    const release = (): void => {
      this.#holds--;
      this.wake();
    };
    until.then(release, release);
  }

  /** Takes leave. What was written before is still delivered. */
  close(error: EventRouterError): void {
    this.flush();
    if (this.welcome !== undefined) this.#link?.send('["bye"]');
    this.#end(error);
  }

  async #greet(link: Link): Promise<void> {
    const pipe = ++this.#pipe;
    this.received = 0;
    this.#heartbeat.start(this.#options.timeout, true);
    try {
      const hello: Hello = { v: PROTOCOL_VERSION, ...(await this.#options.hello()) };
      if (pipe === this.#pipe) link.send(JSON.stringify(["hello", hello]));
    } catch (thrown) {
      if (pipe !== this.#pipe) return;
      const error = asError(thrown, (cause) => new AuthenticationError("ERR_TOKEN", "auth.token() failed; see the cause, then call reconnect()", { cause }));
      if (error.code !== "ERR_CODE") return this.#fail(error);
      // Code that has not come may come later.
      this.#options.report(error);
      this.#restart(1_000);
    }
  }

  #message(message: string): void {
    this.#heartbeat.heard();
    if (message === PONG) return;
    if (message === PING) return this.#link?.send(PONG);
    this.received += message.length;
    // What a handler throws never gets here: this is about frames.
    try {
      for (const line of message.split("\n")) this.#frame(JSON.parse(line) as RouterFrame, line.length);
      for (const part of this.parts) part.heard?.();
    } catch (cause) {
      this.#options.report(new ConnectionError("ERR_PROTOCOL", "what came is not the protocol; is the URL that of an event router?", { retryable: true, cause }));
      this.#restart(1_000);
    }
  }

  #frame(frame: RouterFrame, size: number): void {
    if (frame[0] === "welcome") this.#welcomed(frame[1]);
    else if (frame[0] === "bye") this.#dismissed(frame[1]);
    // What no part takes was said by a newer router, for newer clients; or came late.
    else if (this.welcome !== undefined) {
      if (frame[0] === "rights") this.#identity = { ...this.welcome, ...frame[1] };
      this.parts.some((part) => part.receive(frame, size));
    }
  }

  #welcomed(welcome: Welcome): void {
    if (welcome.v !== PROTOCOL_VERSION) return this.#fail(new ConnectionError("ERR_PROTOCOL_VERSION", `the router speaks protocol version ${welcome.v}; use matching releases`));
    const { frame, payload, batch, windowEvents, windowSize } = welcome.limits;
    // Nothing could be sent by limits that are none.
    if (!(frame * payload * batch * windowEvents * windowSize > 0)) throw new RangeError("limits");
    this.#identity = welcome;
    this.#heartbeat.start(welcome.heartbeat);
    this.#enter({ state: "connected", welcome });
    for (const part of this.parts) part.opened?.(welcome);
    this.flush();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #dismissed(wire: WireError): void {
    const error = fromWire(wire);
    if (error.retryable) this.#restart(Number(error.details.retryAfter ?? 1_000));
    else this.#fail(error);
  }

  /** Not before `delay`, and not all clients at once; whatever the other side says, neither at once again nor never. */
  #restart(delay: number): void {
    this.#link?.restart(Math.min(Math.max(delay || 0, 100), 3_600_000) * (1 + this.#options.random()));
  }

  #lost(error: ConnectionError): void {
    this.#pipe++;
    this.#heartbeat.stop();
    const { state } = this;
    if (state === "connected") for (const part of this.parts) part.down(error, false);
    this.#enter({ state: state === "connecting" ? state : "offline", error });
  }

  #fail(error: EventRouterError): void {
    this.#end(error);
    this.#options.report(error);
  }

  #end(error: EventRouterError): void {
    this.#pipe++;
    this.#heartbeat.stop();
    const link = this.#link;
    this.#link = undefined;
    link?.close();
    this.#enter({ state: "closed", error });
    for (const part of this.parts) part.down(error, true);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #enter(phase: Phase): void {
    const { state } = this;
    this.#phase = phase;
    if (state !== phase.state) this.#options.changed(phase.state);
  }

  /** What the parts have to say leaves now. */
  flush(): void {
    this.#scheduled = false;
    if (this.welcome === undefined || this.#holds > 0) return;
    // A UTF-16 unit is at most three bytes: so no message is too large for the router.
    const most = this.welcome.limits.frame / 3;
    let message = "";
    const put = (frame: string): void => {
      if (message && message.length + frame.length >= most) {
        this.#link?.send(message);
        message = "";
      }
      message += (message && "\n") + frame;
    };
    for (const part of this.parts) part.write(put, this.#link!);
    if (message) this.#link?.send(message);
  }
}

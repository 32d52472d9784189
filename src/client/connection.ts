import type { Clock } from "../core/clock.ts";
import { AuthenticationError, asError, ConnectionError, fromWire, TimeoutError, type EventRouterError, type WireError } from "../core/errors.ts";
import { PING, PONG, PROTOCOL_VERSION, type Hello, type RouterFrame, type Welcome } from "../core/frames.ts";
import type { Link } from "../core/link.ts";
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
  write(put: (frame: string) => void): void;
  /** The pipe broke, another will come. */
  lost(error: ConnectionError): void;
  /** None will come: whatever waits fails with this. */
  failed(error: EventRouterError): void;
}

export interface ConnectionOptions {
  makeLink(): Link;
  hello(): Promise<Omit<Hello, "v">>;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  random(): number;
  /** How long the router may take to say welcome, ms. */
  readonly timeout: number;
  changed(state: ClientState): void;
  report(error: unknown): void;
  receive(frame: RouterFrame, size: number): void;
}

/** Keeps a session with the router over a link that breaks and comes back, and carries the frames of its parts in few messages. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #parts: Part[];
  readonly #heartbeat: Heartbeat;
  #phase: Phase = { state: "idle" };
  #link: Link | undefined;
  /** Pipes so far: what was begun for an older one is void. */
  #opening = 0;
  #scheduled = false;
  #waiting: { resolve(): void; reject(error: EventRouterError): void }[] = [];
  /** UTF-16 units of all messages on this pipe but heartbeats. */
  received = 0;

  constructor(options: ConnectionOptions, parts: Part[]) {
    this.#options = options;
    this.#parts = parts;
    this.#heartbeat = new Heartbeat(options.clock, { ask: () => this.#link?.send(PING), dead: () => this.#link?.restart() });
  }

  get state(): ClientState { return this.#phase.state; }
  get welcome(): Welcome | undefined { return this.#phase.state === "connected" ? this.#phase.welcome : undefined; }
  /** Why there is no connection now, as far as it is known. */
  get error(): EventRouterError | undefined { return "error" in this.#phase ? this.#phase.error : undefined; }

  /** First use connects. @throws what closed the connection for good. */
  use(): void {
    if (this.#phase.state === "closed") throw this.#phase.error;
    if (this.#phase.state === "idle") this.#start();
  }

  /** Resolves when there is a session. @throws what closed the connection for good. */
  async connected(): Promise<void> {
    this.use();
    if (this.#phase.state !== "connected") await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Drops the pipe, if there is one, and makes a new one; also after a refusal. */
  reconnect(): void {
    if (this.#phase.state === "closed") this.#phase = { state: "idle" };
    if (this.#phase.state === "idle") this.#start();
    else this.#link?.restart();
  }

  /** A part that was loaded later speaks before the others: who listens comes first. */
  join(part: Part): void {
    this.#parts.unshift(part);
    const { welcome } = this;
    if (welcome !== undefined) part.opened?.(welcome);
  }

  /** A part has something to say: it leaves when the present turn is over, together with the rest. */
  wake(): void {
    if (this.#scheduled || this.#phase.state !== "connected") return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#phase.state === "connected") this.#flush(this.#phase.welcome);
    });
  }

  /** Takes leave. What was written before is still delivered. */
  close(error: EventRouterError): void {
    if (this.#phase.state === "connected") {
      this.#flush(this.#phase.welcome);
      this.#link?.send('["bye"]');
    }
    this.#end(error);
  }

  #start(): void {
    const link = this.#options.makeLink();
    const current = (act: () => void) => { if (this.#link === link) act(); };
    this.#link = link;
    this.#enter({ state: "connecting" });
    link.start({
      open: () => current(() => void this.#greet(link)),
      message: (message) => { if (this.#link === link) this.#message(message); },
      down: (error, final) => current(() => (final ? this.#fail(error) : this.#lost(error))),
    });
  }

  async #greet(link: Link): Promise<void> {
    const opening = ++this.#opening;
    this.received = 0;
    this.#heartbeat.start(this.#options.timeout, true);
    try {
      const hello: Hello = { v: PROTOCOL_VERSION, caps: [], ...(await this.#options.hello()) };
      if (opening === this.#opening) link.send(JSON.stringify(["hello", hello]));
    } catch (thrown) {
      if (opening === this.#opening) this.#fail(asError(thrown, (cause) => new AuthenticationError("ERR_TOKEN", "auth.token() failed, so the client cannot say who it is; see the cause, then call reconnect()", { cause })));
    }
  }

  #message(message: string): void {
    this.#heartbeat.heard();
    if (message === PONG) return;
    if (message === PING) return this.#link?.send(PONG);
    this.received += message.length;
    if (!message.includes("\n")) return this.#line(message);
    for (const line of message.split("\n")) this.#line(line);
  }

  #line(line: string): void {
    let frame: RouterFrame;
    try {
      frame = JSON.parse(line) as RouterFrame;
    } catch (cause) {
      this.#options.report(new ConnectionError("ERR_PROTOCOL", "the router sent what is no frame; is the URL that of an event router? Connecting again", { retryable: true, cause }));
      return this.#restart(1_000);
    }
    if (frame[0] === "welcome") this.#welcomed(frame[1]);
    else if (frame[0] === "bye") this.#dismissed(frame[1]);
    else if (this.#phase.state === "connected") this.#options.receive(frame, line.length);
  }

  #welcomed(welcome: Welcome): void {
    if (welcome.v !== PROTOCOL_VERSION) return this.#fail(new ConnectionError("ERR_PROTOCOL_VERSION", `the router speaks version ${welcome.v} of the protocol, this client ${PROTOCOL_VERSION}; bring both to the same release`));
    this.#heartbeat.start(welcome.heartbeat);
    this.#enter({ state: "connected", welcome });
    for (const part of this.#parts) part.opened?.(welcome);
    this.#flush(welcome);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #dismissed(wire: WireError): void {
    const error = fromWire(wire);
    if (!error.retryable) return this.#fail(error);
    const { retryAfter } = error.details;
    this.#restart(typeof retryAfter === "number" ? retryAfter : 1_000);
  }

  /** Not before `delay`, and not all clients at once. */
  #restart(delay: number): void {
    this.#link?.restart(delay * (1 + this.#options.random()));
  }

  #lost(error: ConnectionError): void {
    this.#opening++;
    this.#heartbeat.stop();
    const had = this.#phase.state === "connected" || this.#phase.state === "offline";
    if (this.#phase.state === "connected") for (const part of this.#parts) part.lost(error);
    this.#enter({ state: had ? "offline" : "connecting", error });
  }

  #fail(error: EventRouterError): void {
    this.#end(error);
    this.#options.report(error);
  }

  #end(error: EventRouterError): void {
    this.#opening++;
    this.#heartbeat.stop();
    const link = this.#link;
    this.#link = undefined;
    link?.close();
    this.#enter({ state: "closed", error });
    for (const part of this.#parts) part.failed(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #enter(phase: Phase): void {
    const before = this.#phase.state;
    this.#phase = phase;
    if (before !== phase.state) this.#options.changed(phase.state);
  }

  #flush({ limits }: Welcome): void {
    // A UTF-16 unit is at most three bytes: so no message is too large for the router.
    const most = limits.frame / 3;
    let message = "";
    const put = (frame: string): void => {
      if (message !== "" && message.length + frame.length >= most) {
        this.#link?.send(message);
        message = "";
      }
      message = message === "" ? frame : `${message}\n${frame}`;
    };
    for (const part of this.#parts) part.write(put);
    if (message !== "") this.#link?.send(message);
  }
}

/** The promise, or a TimeoutError when it takes longer; `signal` ends the waiting with its reason. Neither stops what is waited for. */
export async function within<T>(promise: Promise<T>, { clock, timeout, signal, what, error }: {
  readonly clock: Clock; readonly timeout: number; readonly signal?: AbortSignal | undefined; readonly what: string; error(): unknown;
}): Promise<T> {
  signal?.throwIfAborted();
  let cancel = () => {};
  let abort = () => {};
  try {
    return await Promise.race([promise, new Promise<never>((_, reject) => {
      cancel = clock.after(timeout, () => reject(new TimeoutError("ERR_TIMEOUT", `${what} took longer than ${timeout} ms; is the router there? Raise "timeout", or try again`, { retryable: true, cause: error() })));
      abort = () => reject(signal!.reason as Error);
      signal?.addEventListener("abort", abort, { once: true });
    })]);
  } finally {
    cancel();
    signal?.removeEventListener("abort", abort);
  }
}

import { asError, AuthenticationError, ConnectionError, EventRouterError, PermissionError, TimeoutError, toWire, ValidationError } from "./errors.ts";
import { FrameReader, malformed, optionalText, record } from "./frame-reader.ts";
import { PING, PONG, PROTOCOL_VERSION, type Credential, type Hello } from "./frames.ts";
import type { KnownEvent } from "./known-event.ts";
import type { Port } from "./link.ts";
import type { Limits } from "./limits.ts";
import type { OpenSession } from "./open-session.ts";
import type { Caller } from "./policy.ts";
import type { Owner } from "./reader.ts";
import type { SavedSession } from "./saved-session.ts";

/** Close codes, 4000–4999 (RFC 6455, 7.4.2); the reason is told in full by the `bye` frame before. */
export const CLOSED = { left: 1000, malformed: 4400, unauthorized: 4401, forbidden: 4403, slow: 4408, stopping: 4503, failed: 4500 } as const;

type State =
  | { readonly state: "greeting" }
  | { readonly state: "authenticating" }
  | { readonly state: "open"; readonly session: OpenSession }
  | { readonly state: "closed" };

const GREETING: State = { state: "greeting" };
const AUTHENTICATING: State = { state: "authenticating" };
const OVER: State = { state: "closed" };

/** What a session needs of its router. */
export interface SessionHome {
  readonly limits: Limits;
  /** Authenticates and joins the namespace: calls `begin`, unless the session has ended meanwhile. */
  open(session: Session, hello: Hello): Promise<void>;
  left(session: Session, opened: OpenSession | undefined): void;
  failed(error: unknown): void;
}

/** The router's side of a link, from its first message to its end. */
export class Session implements Owner {
  readonly port: Port;
  readonly caller: Caller;
  readonly #home: SessionHome;
  #state: State = GREETING;

  /** @param home one for all sessions of a router */
  constructor(port: Port, caller: Caller, home: SessionHome) {
    this.port = port;
    this.caller = caller;
    this.#home = home;
  }

  get state(): State["state"] { return this.#state.state; }
  /** The session as it works for its client; undefined before its welcome and after its end. */
  get opened(): OpenSession | undefined { return this.#state.state === "open" ? this.#state.session : undefined; }

  /**
   * A message from the client.
   * @param size bytes, where the host knows them; else UTF-16 units are counted.
   * @param known events of the message, from a client of this process; see `Link.know`.
   */
  receive(message: string, size = message.length, known?: readonly KnownEvent[]): void {
    if (this.#state.state === "closed") return;
    if (message === PING) return this.port.send([{ text: PONG }]);
    try {
      this.#receive(message, size, known);
    } catch (thrown) {
      this.end(asError(thrown, (cause) => {
        this.#home.failed(cause);
        return new EventRouterError("ERR_INTERNAL", "the router failed; see its log", { cause, retryable: true });
      }));
    }
  }

  #receive(message: string, size: number, known: readonly KnownEvent[] | undefined): void {
    const { limits } = this.#home;
    switch (this.#state.state) {
      case "greeting": {
        if (size > limits.helloSize) throw new ValidationError("ERR_FRAME_TOO_LARGE", `before it is welcome a client may send ${limits.helloSize} bytes`);
        const hello = readHello(message);
        this.#state = AUTHENTICATING;
        void this.#open(hello);
        return;
      }
      case "authenticating": throw malformed("a client waits for its welcome before it sends more");
      case "open":
        if (size > limits.frame) throw new ValidationError("ERR_FRAME_TOO_LARGE", `a message may have ${limits.frame} bytes; send several`);
        if (this.#state.session.receive(message, known) === "leaves") this.#close(CLOSED.left, "bye");
    }
  }

  async #open(hello: Hello): Promise<void> {
    try {
      await this.#home.open(this, hello);
    } catch (thrown) {
      this.end(asError(thrown, (cause) => {
        this.#home.failed(cause);
        return new ConnectionError("ERR_INTERNAL", "the router could not open the session; see its log", { cause, retryable: true });
      }));
    }
  }

  /** What it takes to go on after the host has slept and the pipe has stayed. */
  save(): SavedSession {
    switch (this.#state.state) {
      // What it has at another router does not sleep.
      case "open": return this.#state.session.away?.used === true ? { state: "lost" } : this.#state.session.save();
      case "greeting": return { state: "greeting" };
      default: return { state: "lost" };
    }
  }

  /** From now on it works for its client; it has not ended. */
  begin(session: OpenSession): void {
    this.#state = { state: "open", session };
  }

  /** The time for a hello is over. */
  expire(): void {
    if (this.#state.state === "greeting") this.end(new TimeoutError("ERR_HELLO_TIMEOUT", `a client must say hello within ${this.#home.limits.helloTime} ms; connect again`, { retryable: true }));
  }

  /** Tells the client why, and closes. */
  end(error: EventRouterError): void {
    if (this.#state.state === "closed") return;
    const rest = this.opened?.reader.take() ?? [];
    this.port.send([...rest, { text: JSON.stringify(["bye", toWire(error)]) }]);
    this.#close(closeCode(error), error.code);
  }

  /** The host says that the pipe is gone. */
  disconnected(): void {
    if (this.#state.state !== "closed") this.#leave();
  }

  #close(code: number, reason: string): void {
    const rest = this.opened?.reader.take() ?? [];
    if (rest.length > 0) this.port.send(rest);
    this.#leave();
    this.port.close(code, reason);
  }

  #leave(): void {
    const { opened } = this;
    this.#state = OVER;
    opened?.close();
    this.#home.left(this, opened);
  }
}

function closeCode(error: EventRouterError): number {
  if (error instanceof AuthenticationError) return CLOSED.unauthorized;
  if (error instanceof PermissionError) return CLOSED.forbidden;
  if (error instanceof ValidationError) return CLOSED.malformed;
  if (error.code === "ERR_ROUTER_STOPPING") return CLOSED.stopping;
  return error.code === "ERR_SLOW" || error instanceof TimeoutError ? CLOSED.slow : CLOSED.failed;
}

function readHello(message: string): Hello {
  const frames = new FrameReader(message);
  const [name, body] = frames.frame() ?? [];
  if (name !== "hello" || frames.frame() !== undefined) throw malformed('the first message is one frame, ["hello", { v, namespace, name, auth }]');
  const { v, caps, namespace, name: clientName, auth, instance } = record(body, "hello");
  if (v !== PROTOCOL_VERSION) throw new ValidationError("ERR_PROTOCOL_VERSION", `this router speaks protocol version ${PROTOCOL_VERSION}, the client ${JSON.stringify(v)?.slice(0, 16)}; use matching versions of @gadugi/event-router`);
  return {
    v,
    caps: Array.isArray(caps) ? caps.filter((cap) => typeof cap === "string") : [],
    namespace: named(optionalText(namespace, "namespace") ?? "default", "namespace"),
    ...(clientName !== undefined && { name: named(optionalText(clientName, "name")!, "name") }),
    ...(auth !== undefined && { auth: record(auth, "auth") as unknown as Credential }),
    ...(instance !== undefined && { instance: named(optionalText(instance, "instance")!, "instance") }),
  };
}

function named(text: string, what: string): string {
  if (!/^[\w.:@-]{1,128}$/.test(text)) throw new ValidationError("ERR_NAME", `${what} must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ -`, { details: { path: what } });
  return text;
}

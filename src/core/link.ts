import type { ConnectionError } from "./errors.ts";
import type { KnownEvent } from "./known-event.ts";

/** The client's end of an ordered pipe of messages, which may break and come back. Holds no policy beyond how to come back. */
export interface Link {
  /** Begins, and keeps trying as its own settings say. Called once. */
  start(on: LinkListener): void;
  /** Sends a message; silently nothing if the pipe is not open (the client sends again what was not answered). */
  send(message: string): void;
  /** Events whose lines are in the message that comes next, in their order: a router in the same process need not read those. Absent where the message goes out of the process. */
  know?(events: readonly KnownEvent[]): void;
  /** Drops the pipe and makes a new one: after a silence, or when asked by the router (then not before `delay` ms). */
  restart(delay?: number): void;
  /** Ends for good; what was sent before is still delivered if the pipe is open. */
  close(): void;
}

export interface LinkListener {
  /** A new pipe is open; everything sent before on an older one may or may not have arrived. */
  open(): void;
  message(message: string): void;
  /** The pipe is gone; `final`: no other will come. */
  down(error: ConnectionError, final: boolean): void;
}

/** The router's end, given by a host. */
export interface Port {
  /** Sends messages in order. Each may keep its encoded form, which is shared by all sessions that get it. */
  send(messages: readonly Outgoing[]): void;
  /** Ends the pipe after what was sent; codes as in RFC 6455, 4000–4999 ours. */
  close(code: number, reason: string): void;
}

export interface Outgoing {
  readonly text: string;
  /** A host's own form of the text (bytes of a WebSocket frame), made when first needed. */
  encoded?: unknown;
}

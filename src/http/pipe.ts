import { EventRouterError, fromWire } from "../core/errors.ts";
import type { RouterFrame } from "../core/frames.ts";
import type { Caller } from "../core/policy.ts";
import type { Router } from "../core/router.ts";

/** The part of a router that a pipe needs. */
export type Connectable = Pick<Router, "connect">;

export interface PipeListener {
  /** What the router sent in one turn; `received` counts the UTF-16 units so far, as an `ack` tells them. */
  frames(frames: readonly RouterFrame[], received: number): void;
  /** The router ended the session, with its reason. */
  closed(error: EventRouterError): void;
}

/** The client's end of a session in the same process, in frames: what HTTP asks goes the way of every client, through the same checks. */
export class Pipe {
  readonly #session: ReturnType<Connectable["connect"]>;
  readonly #listener: PipeListener;
  #received = 0;
  #open = true;

  constructor(router: Connectable, caller: Caller, listener: PipeListener) {
    this.#listener = listener;
    this.#session = router.connect({
      // In a later microtask, so that neither side runs inside the other.
      send: (messages) => queueMicrotask(() => this.#take(messages)),
      close: (_code, reason) => queueMicrotask(() => this.#end(new EventRouterError(reason, "the router closed the session", { retryable: true }))),
    }, caller);
  }

  send(message: string): void {
    if (this.#open) this.#session.receive(message);
  }

  /** Leaves; nothing is told to the listener any more. */
  close(): void {
    this.#open = false;
    this.#session.disconnected();
  }

  #take(messages: readonly { readonly text: string }[]): void {
    if (!this.#open) return;
    const frames: RouterFrame[] = [];
    for (const { text } of messages) {
      this.#received += text.length;
      for (const line of text.split("\n")) frames.push(JSON.parse(line) as RouterFrame);
    }
    this.#listener.frames(frames, this.#received);
    const last = frames.at(-1);
    if (last?.[0] === "bye") this.#end(fromWire(last[1]));
  }

  #end(error: EventRouterError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#listener.closed(error);
  }
}

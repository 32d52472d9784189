import type { Caller } from "../core/policy.ts";
import type { KnownEvent } from "../core/known-event.ts";
import type { Link, LinkListener, Port } from "../core/link.ts";
import { ConnectionError } from "../core/errors.ts";

/** The part of a router that a link needs. */
interface Connectable {
  connect(port: Port, caller?: Caller): { receive(message: string, size?: number, known?: readonly KnownEvent[]): void; disconnected(): void };
}

/**
 * A link to a router in the same process. Messages arrive in a later microtask, as from a wire, so that neither side runs inside the other; text, not
 * objects, so that nobody can change an event that others hold. What a client knows of the events it publishes goes with them, so that they are not read again.
 */
export function inProcessLink(router: Connectable, caller?: Caller): Link {
  let listener: LinkListener;
  let session: ReturnType<Connectable["connect"]> | undefined;
  let closed = false;
  let known: KnownEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = (): void => {
    if (closed || session !== undefined) return;
    const port: Port = {
      send: (messages) => queueMicrotask(() => {
        if (session === own) for (const { text } of messages) listener.message(text);
      }),
      close: (_code, reason) => queueMicrotask(() => {
        if (session !== own) return;
        session = undefined;
        listener.down(new ConnectionError("ERR_CONNECTION_LOST", `the router closed the connection (${reason})`, { retryable: true }), false);
      }),
    };
    const own = router.connect(port, caller);
    session = own;
    listener.open();
  };
  const drop = (): void => {
    const own = session;
    session = undefined;
    own?.disconnected();
  };

  return {
    start(on) {
      listener = on;
      queueMicrotask(open);
    },
    send(message) {
      const own = session;
      const events = known;
      known = [];
      queueMicrotask(() => own?.receive(message, message.length, events));
    },
    know(events) { known.push(...events); },
    restart(delay = 0) {
      if (closed) return;
      drop();
      listener.down(new ConnectionError("ERR_CONNECTION_LOST", "the connection is made anew", { retryable: true }), false);
      clearTimeout(timer);
      timer = setTimeout(open, delay);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      // What was sent before is still carried out.
      queueMicrotask(drop);
    },
  };
}

import { ConnectionError } from "../core/errors.ts";
import type { Link } from "../core/link.ts";

/** A link whose code is loaded when it is needed. Until then it is a pipe that is not open. */
export function lazyLink(load: () => Promise<Link>): Link {
  let link: Link | undefined;
  let closed = false;
  return {
    start(on) {
      load().then((loaded) => {
        if (!closed) (link = loaded).start(on);
      }).catch((cause: unknown) => on.down(cause instanceof ConnectionError ? cause : new ConnectionError("ERR_TRANSPORT", "the code of the transport could not be loaded", { cause }), true));
    },
    send(message) { link?.send(message); },
    restart(delay) { link?.restart(delay); },
    close() {
      closed = true;
      link?.close();
    },
  };
}

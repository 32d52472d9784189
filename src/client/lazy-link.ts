import { ConnectionError } from "../core/errors.ts";
import type { Link, LinkListener } from "../core/link.ts";

/** A link whose code is loaded when it is needed. Until then it is a pipe that is not open. */
export function lazyLink(load: () => Promise<Link>): Link {
  let state: { state: "loading" } | { state: "loaded"; link: Link } | { state: "closed" } = { state: "loading" };
  return {
    start(on: LinkListener) {
      void load().then((link) => {
        if (state.state === "closed") return;
        state = { state: "loaded", link };
        link.start(on);
      }, (cause: unknown) => on.down(new ConnectionError("ERR_TRANSPORT", "the code of the transport could not be loaded; see the cause", { cause }), true));
    },
    send(message) { if (state.state === "loaded") state.link.send(message); },
    restart(delay) { if (state.state === "loaded") state.link.restart(delay); },
    close() {
      if (state.state === "loaded") state.link.close();
      state = { state: "closed" };
    },
  };
}

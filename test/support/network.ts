import type { Link, LinkListener } from "../../src/core/link.ts";
import type { Router } from "../../src/core/router.ts";
import { ConnectionError } from "../../src/core/errors.ts";
import { inProcessLink } from "../../src/links/in-process.ts";

/** A way to a router in this process that can be cut for as long as a test wants. */
export class Network {
  readonly #router: () => Router;
  readonly #links = new Set<{ up(): void; down(): void }>();
  #online: boolean;

  constructor(router: () => Router, online = true) {
    this.#router = router;
    this.#online = online;
  }

  set online(online: boolean) {
    this.#online = online;
    for (const link of this.#links) {
      if (online) link.up();
      else link.down();
    }
  }

  makeLink = (): Link => {
    let listener: LinkListener;
    let inner: Link | undefined;
    const link = {
      up: () => {
        if (inner !== undefined || !this.#online) return;
        const own = inProcessLink(this.#router());
        inner = own;
        const mine = (): boolean => inner === own;
        own.start({ open: () => { if (mine()) listener.open(); }, message: (text) => { if (mine()) listener.message(text); }, down: (error, final) => { if (mine()) listener.down(error, final); } });
      },
      down: () => {
        const own = inner;
        inner = undefined;
        own?.close();
        listener.down(new ConnectionError("ERR_CONNECTION_LOST", "the network is away", { retryable: true }), false);
      },
    };
    return {
      start: (on) => {
        listener = on;
        this.#links.add(link);
        if (this.#online) link.up();
        else queueMicrotask(link.down);
      },
      send: (message) => inner?.send(message),
      restart: (delay) => inner?.restart(delay),
      close: () => {
        this.#links.delete(link);
        inner?.close();
        inner = undefined;
      },
    };
  };
}

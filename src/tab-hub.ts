import type { Clock } from "./core/clock.ts";
import type { Router } from "./core/router.ts";
import { createRouter, nextTurn } from "./in-process-router.ts";
import { webSocketLink } from "./links/websocket.ts";
import { indexedDbStore } from "./stores/indexeddb.ts";
import { Hub } from "./tabs/hub.ts";
import { Multiplexer } from "./tabs/multiplexer.ts";
import type { Locks } from "./tabs/wire.ts";

export interface TabHubOptions {
  readonly clock: Clock;
  readonly locks: Locks | undefined;
  /** Held as long as the hub lives; undefined where tabs notice its end by other means. */
  readonly lock?: string;
  /** Under which the hub's connections come back, see `Multiplexer`. */
  readonly secret?: string;
  /** The router for tabs that name none above; default: one on the origin's IndexedDB. */
  makeRouter?(): OwnRouter;
}

export interface OwnRouter {
  readonly router: Router;
  close(): Promise<void>;
}

/** Of the database. */
const NAME = "event-router";

/** ms an attempt to connect may take. */
const TIMEOUT = 10_000;

/** The hub as it is in a SharedWorker and in a tab that leads. */
export function tabHub({ clock, locks, lock, secret, makeRouter = onIndexedDb }: TabHubOptions): Hub {
  const random = (): number => Math.random();
  let own: OwnRouter | undefined;
  return new Hub({
    locks,
    lock,
    multiplexer: new Multiplexer({
      clock, random, defer: nextTurn(), timeout: TIMEOUT,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      ...(secret !== undefined && { instance: secret }),
    }),
    upstream: (settings) => ({ key: JSON.stringify(settings), makeLink: () => webSocketLink({ ...settings, clock, random, connectionTimeout: TIMEOUT }) }),
    ownRouter: () => (own ??= makeRouter()).router,
    closed: () => void own?.close(),
  });
}

function onIndexedDb(): OwnRouter {
  const store = indexedDbStore(NAME, { onError: (error) => console.error(error) });
  const router = createRouter(store);
  return {
    router,
    async close() {
      await router.close({ retryAfter: 0 });
      await store.close();
    },
  };
}

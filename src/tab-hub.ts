import type { Clock } from "./core/clock.ts";
import type { Router } from "./core/router.ts";
import { createRouter, nextTurn } from "./in-process-router.ts";
import { webSocketLink } from "./links/websocket.ts";
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
  /** The router for tabs that name none above; default: one in memory. */
  makeRouter?(): Router;
}

/** ms an attempt to connect may take. */
const TIMEOUT = 10_000;

/** The hub as it is in a SharedWorker and in a tab that leads. */
export function tabHub({ clock, locks, lock, secret, makeRouter = createRouter }: TabHubOptions): Hub {
  const random = (): number => Math.random();
  let router: Router | undefined;
  return new Hub({
    locks,
    lock,
    multiplexer: new Multiplexer({
      clock, random, defer: nextTurn(), timeout: TIMEOUT,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      ...(secret !== undefined && { instance: secret }),
    }),
    upstream: (settings) => ({ key: JSON.stringify(settings), makeLink: () => webSocketLink({ ...settings, clock, random, connectionTimeout: TIMEOUT }) }),
    ownRouter: () => (router ??= makeRouter()),
  });
}

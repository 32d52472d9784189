import type { Clock } from "../core/clock.ts";
import { ConnectionError } from "../core/errors.ts";
import { PublishCache } from "./cache.ts";
import type { Home } from "./home.ts";
import type { Publisher, PublishInit } from "./publisher.ts";
import type { Receipt } from "./receipt.ts";

/** Publishes of a client that spreads them. */
export interface Spread {
  publish(event: PublishInit): Promise<Receipt>;
  /** Resolves when all that was published so far has its answer: some may still wait for a connection, and are in no outbox yet. */
  drained(): Promise<unknown>;
}

/**
 * How to publish over several connections, or with a memory of what was published. Loaded with the first publish of a client that asks for either.
 * @param publish over one of the client's connections; more are made as the pool asks for.
 */
export function spread({ settings: { timeout, poolSize, poolTimeout = timeout, cacheSize, cacheTtl }, clock, lanes, makeLane }: Home, publish: (publisher: Publisher, event: PublishInit) => Promise<Receipt>): Spread {
  while (lanes.length < poolSize) lanes.push(makeLane());
  const next = takeTurns(lanes, clock, poolTimeout);
  const send = poolSize === 1 ? (event: PublishInit) => publish(lanes[0]!, event) : async (event: PublishInit) => publish(await next(), event);
  const cache = cacheSize === 0 ? undefined : new PublishCache(cacheSize, cacheTtl, clock);
  const underway = new Set<Promise<Receipt>>();
  return {
    publish(event) {
      const receipt = cache?.publish(event, send) ?? send(event);
      underway.add(receipt);
      const over = (): void => void underway.delete(receipt);
      receipt.then(over, over);
      return receipt;
    },
    drained: () => Promise.allSettled(underway),
  };
}

/** The next connected lane in turn; without one, the first to be connected. */
function takeTurns(lanes: readonly Publisher[], clock: Clock, timeout: number): () => Promise<Publisher> {
  let turn = 0;
  return async () => {
    for (const { connection } of lanes) connection.use();
    for (let i = 0; i < lanes.length; i++) {
      const lane = lanes[turn++ % lanes.length]!;
      if (lane.connection.welcome !== undefined) return lane;
    }
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(timeout, () => reject(new ConnectionError("ERR_POOL_TIMEOUT", `none of the pool's ${lanes.length} connections was there within ${timeout} ms; nothing was sent, publish again later or raise "poolTimeout"`, { retryable: true, cause: lanes[0]!.connection.error })));
    });
    try {
      return await Promise.race([late, ...lanes.map((lane) => lane.connection.connected().then(() => lane))]);
    } finally {
      cancel();
    }
  };
}

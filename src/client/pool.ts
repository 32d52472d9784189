import type { Clock } from "../core/clock.ts";
import { asError, ConnectionError } from "../core/errors.ts";
import type { Channel } from "./channel.ts";
import type { Publisher } from "./publisher.ts";

/** A connection that publishes. */
export interface Lane { readonly channel: Channel; readonly publisher: Publisher }

/** Spreads publishes over connections, in turn among those that are connected. */
export class Pool {
  readonly #lanes: readonly Lane[];
  readonly #clock: Clock;
  readonly #timeout: number;
  #turn = 0;

  /** @param timeout how long a publish waits for a connection, ms */
  constructor(lanes: readonly Lane[], clock: Clock, timeout: number) {
    this.#lanes = lanes;
    this.#clock = clock;
    this.#timeout = timeout;
  }

  async next(): Promise<Publisher> {
    return this.#connected() ?? this.#wait();
  }

  #connected(): Publisher | undefined {
    for (let i = 0; i < this.#lanes.length; i++) {
      const { channel, publisher } = this.#lanes[this.#turn++ % this.#lanes.length]!;
      channel.connection.use();
      if (channel.connection.state === "connected") return publisher;
    }
    return undefined;
  }

  async #wait(): Promise<Publisher> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(this.#timeout, () => reject(new ConnectionError("ERR_POOL_TIMEOUT", `none of the pool's ${this.#lanes.length} connections was there within ${this.#timeout} ms; nothing was sent, publish again later or raise "poolTimeout"`, { retryable: true, cause: this.#lanes[0]?.channel.connection.error })));
    });
    try {
      return await Promise.race([late, ...this.#lanes.map(async ({ channel, publisher }) => {
        await channel.connection.connected();
        return publisher;
      })]);
    } catch (thrown) {
      throw asError(thrown, (cause) => new ConnectionError("ERR_CONNECTION_LOST", "the pool has no connection", { retryable: true, cause }));
    } finally {
      cancel();
    }
  }
}

import type { RedisEntry } from "./redis-block.ts";
import type { MakeRedisClient } from "./redis-client.ts";
import { RedisConnection, type RedisServer } from "./redis-connection.ts";

/** A stream that is read on as it grows. */
export interface RedisSource {
  readonly key: string;
  /** Whether it may be read from this server now. */
  mayRead(server: RedisServer): boolean;
  /** The id behind which it is read on. */
  position(): string;
  received(entries: readonly RedisEntry[]): Promise<void>;
}

export interface RedisFeedOptions {
  readonly make: MakeRedisClient;
  readonly address: string;
  readonly timeout: number;
  /** A key where there is nothing: to wait with when there is nothing to read. */
  readonly nothing: string;
  /** Sends a command on another connection: this one waits. */
  send(command: readonly string[]): Promise<unknown>;
  /** Now and then, whether there is news or not, and with each new connection. */
  look(): Promise<void>;
  failed(error: unknown): void;
}

/** How long one read waits, ms: so often it is looked whether the logs are still there. */
const WAIT = 1_000;
/** Before it is tried again after a failure, ms. */
const AGAIN = 250;
/** Entries of each stream in one answer. */
const COUNT = "16";

/** Reads all streams of a process by one connection that waits for what comes (XREAD BLOCK). */
export class RedisFeed {
  readonly #options: RedisFeedOptions;
  readonly #connection: RedisConnection;
  readonly #sources = new Map<string, RedisSource>();
  #state: "idle" | "reading" | "closed" = "idle";
  /** A read waits for what is not wanted any more, or not for all that is. */
  #outdated = false;
  #lookedAt = 0;

  constructor(options: RedisFeedOptions) {
    this.#options = options;
    this.#connection = new RedisConnection({ make: options.make, address: options.address, timeout: options.timeout, connected: () => { this.#lookedAt = 0; } });
  }

  add(source: RedisSource): void {
    this.#sources.set(source.key, source);
    this.wake();
    if (this.#state === "idle") void this.#run();
  }

  remove(source: RedisSource): void {
    if (this.#sources.get(source.key) === source) this.#sources.delete(source.key);
  }

  /** What may be read has changed: does not wait any longer with the old. */
  wake(): void {
    this.#outdated = true;
    const { server } = this.#connection;
    if (server !== undefined && this.#state === "reading") this.#options.send(["CLIENT", "UNBLOCK", server.clientId]).catch(() => {});
  }

  close(): void {
    this.#state = "closed";
    this.#connection.close();
  }

  async #run(): Promise<void> {
    this.#state = "reading";
    while (this.#isReading() && this.#sources.size > 0) {
      try {
        await this.#read();
      } catch (error) {
        if (!this.#isReading()) return;
        this.#options.failed(error);
        await new Promise((resolve) => { setTimeout(resolve, AGAIN); });
      }
    }
    if (this.#isReading()) this.#state = "idle";
  }

  /** What a wait may have changed. */
  #isReading(): boolean { return this.#state === "reading"; }

  async #read(): Promise<void> {
    this.#outdated = false;
    let sources: RedisSource[] = [];
    const reply = await this.#connection.send<readonly (readonly [key: string, entries: readonly RedisEntry[]])[] | null>((server) => {
      sources = [...this.#sources.values()].filter((source) => source.mayRead(server));
      const keys = sources.length === 0 ? [this.#options.nothing] : sources.map(({ key }) => key);
      return ["XREAD", "COUNT", COUNT, "BLOCK", String(this.#outdated || this.#lookedAt === 0 ? 1 : WAIT), "STREAMS", ...keys, ...(sources.length === 0 ? ["0"] : sources.map((source) => source.position()))];
    }, { again: true, timeout: WAIT + this.#options.timeout });
    for (const [key, entries] of reply ?? []) {
      // A log that was opened anew meanwhile stands elsewhere.
      const source = this.#sources.get(key);
      if (source !== undefined && sources.includes(source)) await source.received(entries);
    }
    const now = Date.now();
    if (reply !== null && now - this.#lookedAt < WAIT) return;
    this.#lookedAt = now;
    await this.#options.look();
  }
}

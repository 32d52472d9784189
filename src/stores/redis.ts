import { milliseconds, type Duration } from "../core/duration.ts";
import { randomText } from "../core/event-id.ts";
import { EventRouterError, ValidationError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { addressText, redisClients, type RedisAddress } from "./redis-client.ts";
import { RedisConnection } from "./redis-connection.ts";
import { explainRedis } from "./redis-errors.ts";
import { RedisFeed } from "./redis-feed.ts";
import { redisKeys } from "./redis-keys.ts";
import { redisLog, type RedisLog } from "./redis-log.ts";
import { openScript, RedisScripts } from "./redis-scripts.ts";

export type { RedisAddress } from "./redis-client.ts";

export interface RedisStoreOptions {
  /** What all keys begin with; default `event-router:`. Routers that share logs have the same. */
  readonly prefix?: string;
  /** How long a command may wait for a connection and then for its answer; default 5 s. A restart or failover that is shorter is a delay and no failure. */
  readonly timeout?: Duration;
  /** Where a new log's epoch comes from; default: `crypto`. */
  randomBytes?(count: number): Uint8Array;
  /** Gets what a watching listener throws, and what fails in the background; default: an uncaught error. */
  onError?(error: unknown): void;
}

/** Of a log's format: a change to it raises it. */
const VERSION = "1";

/**
 * A store in Redis (7.0 or later), which any number of routers may use at the same time: seqs are given inside Redis, and each router hears what the others
 * append. An append is one script, which writes all or nothing.
 *
 * @param target `redis://…`, or where it is in parts
 * @throws EventRouterError `ERR_STORE_OPEN` where there are no sockets, `ERR_STORE_UNREACHABLE`, `ERR_STORE_AUTH`.
 *
 * @example
 * const store = await redisStore("redis://localhost:6379");
 */
export async function redisStore(target: string | RedisAddress, { prefix = "event-router:", timeout = 5_000, randomBytes = (count) => crypto.getRandomValues(new Uint8Array(count)), onError = throwLater }: RedisStoreOptions = {}): Promise<Store> {
  const where = typeof target === "string" ? { url: target } : target;
  if (where.url !== undefined && !/^rediss?:\/\//.test(where.url)) throw new ValidationError("ERR_OPTION", `a Redis store is named as redis://host:6379 or rediss://host:6379; got ${JSON.stringify(where.url)}`);
  const wait = milliseconds(timeout, "timeout");
  const make = await redisClients(where, wait);
  const address = addressText(where);
  const writer = new RedisConnection({ make, address, timeout: wait });
  const reader = new RedisConnection({ make, address, timeout: wait });
  const scripts = new RedisScripts(writer);
  const logs = new Map<string, Promise<RedisLog>>();
  const name = randomText(8, randomBytes);
  let writes = 0;

  const feed = new RedisFeed({
    make, address, timeout: wait, nothing: `${prefix}nothing`,
    send: (command) => reader.send(command),
    async look() {
      const looks = await Promise.allSettled([...logs.values()].map(async (log) => (await log).look()));
      for (const look of looks) if (look.status === "rejected" && (look.reason as { code?: string }).code !== "ERR_EPOCH") throw look.reason;
    },
    failed: (error) => onError(explainRedis(EventRouterError, "reading on from Redis", error)),
  });

  async function open(namespace: string): Promise<RedisLog> {
    const keys = redisKeys(prefix, namespace);
    let primary = "";
    let meta: readonly string[];
    try {
      meta = await scripts.run(openScript, [keys.meta, keys.log, keys.marks, keys.ids, keys.streams, keys.bookmarks, keys.control], (server) => {
        ({ primary } = server);
        return [randomText(12, randomBytes), primary, keys.stream("")];
      }, { again: true });
    } catch (error) {
      throw explainRedis(EventRouterError, `opening the log of namespace ${JSON.stringify(namespace)}`, error);
    }
    const [version, epoch, head, first, offset, trimmed, , mark, , control] = meta as readonly [string, string, ...string[]];
    if (version !== VERSION) throw new EventRouterError("ERR_STORE_VERSION", `the log of namespace ${JSON.stringify(namespace)} in Redis was written by another release (format ${version}, this one knows ${VERSION}); use that release, or another prefix`);
    const log = redisLog({
      keys, namespace, epoch, primary: meta[8]!, self: randomText(12, randomBytes), scripts, reader, onError, newEpoch: () => randomText(12, randomBytes),
      standing: { head: Number(head), first: Number(first), offset: Number(offset), trimmed: Number(trimmed), mark: mark!, control: control! },
      writeName: () => `${name}.${++writes}`,
      moved: () => feed.wake(),
      lost() {
        logs.delete(namespace);
        for (const source of log.sources) feed.remove(source);
      },
    });
    for (const source of log.sources) feed.add(source);
    return log;
  }

  const store: Store = {
    durability: "disk",
    shared: true,
    open(namespace) {
      let log = logs.get(namespace);
      if (log === undefined) {
        logs.set(namespace, (log = open(namespace)));
        log.catch(() => logs.delete(namespace));
      }
      return log;
    },
    async close() {
      const open = [...logs.values()];
      logs.clear();
      await Promise.allSettled(open.map(async (log) => (await log).leave()));
      feed.close();
      writer.close();
      reader.close();
    },
  };
  try {
    await writer.send(["PING"]);
  } catch (error) {
    await store.close();
    throw explainRedis(EventRouterError, `connecting to Redis at ${address}`, error);
  }
  return store;
}

function throwLater(error: unknown): void {
  queueMicrotask(() => { throw error; });
}

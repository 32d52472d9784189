import { milliseconds, type Duration } from "../core/duration.ts";
import { randomText } from "../core/event-id.ts";
import { EventRouterError, PublishError, ValidationError } from "../core/errors.ts";
import type { Durability } from "../core/frames.ts";
import type { Store } from "../core/store.ts";
import { addressText, redisClients, type RedisAddress } from "./redis-client.ts";
import { checkRedis, type RedisWarning } from "./redis-checks.ts";
import { RedisConnection, type RedisServer } from "./redis-connection.ts";
import { explainRedis } from "./redis-errors.ts";
import { RedisFeed } from "./redis-feed.ts";
import { redisKeys } from "./redis-keys.ts";
import { redisLog, type RedisLog } from "./redis-log.ts";
import { RedisRecent } from "./redis-recent.ts";
import { openScript, RedisScripts, restoredScript } from "./redis-scripts.ts";
import { readTarget } from "./redis-target.ts";

export type { RedisAddress } from "./redis-client.ts";
export type { RedisWarning } from "./redis-checks.ts";

export interface RedisStoreOptions {
  /** What all keys begin with; default `event-router:`. Routers that share logs have the same. */
  readonly prefix?: string;
  /**
   * `"replicated"`: a publish is acked when so many replicas have it too (`WAIT`), and fails, retryable, if they do not within `timeout`. Default: what Redis is
   * set to, `"disk"` with an append-only file and `"memory"` without.
   */
  readonly durability?: "replicated" | undefined;
  /** Default 1. */
  readonly replicas?: number | undefined;
  /** How long a command may wait for a connection and then for its answer; default 5 s. A restart or failover that is shorter is a delay and no failure. */
  readonly timeout?: Duration;
  /** Where a new log's epoch comes from; default: `crypto`. */
  randomBytes?(count: number): Uint8Array;
  /** Gets what is not as a log needs it: a server that keeps nothing on its disk, that drops keys … Default: `console.warn`. */
  onWarning?(warning: RedisWarning): void;
  /** Gets what a watching listener throws, and what fails in the background; default: an uncaught error. */
  onError?(error: unknown): void;
}

/** Before a lost log is opened again that could not be, ms. */
const AGAIN = 1_000;
/** Of a log's format: a change to it raises it. */
const VERSION = "1";

/**
 * A store in Redis (7.0 or later), which any number of routers may use at the same time: seqs are given inside Redis, and each router hears what the others
 * append. An append is one script, which writes all or nothing.
 *
 * @param target `redis://…`, or where it is in parts
 * @throws ValidationError `ERR_OPTION`; EventRouterError `ERR_STORE_OPEN` where there are no sockets, `ERR_STORE_UNREACHABLE`, `ERR_STORE_AUTH`.
 *
 * @example
 * const store = await redisStore("redis://localhost:6379");
 */
export async function redisStore(target: string | RedisAddress, options: RedisStoreOptions = {}): Promise<Store> {
  const { address: where, ...said } = readTarget(target);
  const { prefix = "event-router:", timeout = 5_000, durability, replicas = 1, randomBytes = randomFrom, onWarning = warn, onError = throwLater }: RedisStoreOptions = { ...said, ...options };
  if (!Number.isSafeInteger(replicas) || replicas < 1) throw new ValidationError("ERR_OPTION", `replicas must be a whole number, 1 or more; got ${String(replicas)}`, { details: { path: "replicas" } });
  const wait = milliseconds(timeout, "timeout");
  const make = await redisClients(where, wait);
  const address = addressText(where);
  const writer = new RedisConnection({ make, address, timeout: wait });
  const reader = new RedisConnection({ make, address, timeout: wait });
  const scripts = new RedisScripts(writer);
  const logs = new Map<string, Promise<RedisLog>>();
  const name = randomText(8, randomBytes);
  let writes = 0;
  let closed = false;
  const recent = new RedisRecent();
  /** In which life a log was last seen. */
  const epochs = new Map<string, string>();

  const feed = new RedisFeed({
    make, address, timeout: wait, nothing: `${prefix}nothing`,
    send: (command) => reader.send(command),
    async look() {
      const looks = await Promise.allSettled([...logs.values()].map(async (log) => (await log).look()));
      for (const look of looks) if (look.status === "rejected" && (look.reason as { code?: string }).code !== "ERR_EPOCH") throw look.reason;
    },
    failed: (error) => onError(explainRedis(EventRouterError, "reading on from Redis", error)),
  });

  /** Waits until the replicas have what was written over this connection so far. */
  async function confirm(by: RedisServer): Promise<void> {
    const count = await writer.send<number>((server) => {
      if (server !== by) throw new PublishError("ERR_STORE_REPLICAS", "the connection to Redis was lost before the replicas had confirmed the write; publish again with the same ids", { retryable: true });
      return ["WAIT", String(replicas), String(wait)];
    }, { timeout: 2 * wait });
    if (count < replicas) throw new PublishError("ERR_STORE_REPLICAS", `${count} of ${replicas} replicas confirmed the write within ${wait} ms: it is in the log, and a failover could lose it. See that the replicas run and follow, then publish again with the same ids`, { retryable: true });
  }

  async function open(namespace: string): Promise<RedisLog> {
    const keys = redisKeys(prefix, namespace);
    let primary = "";
    let meta: readonly string[];
    try {
      meta = await scripts.run(openScript, [keys.meta, keys.log, keys.marks, keys.ids, keys.streams, keys.bookmarks, keys.control, keys.restored], (server) => {
        ({ primary } = server);
        return [randomText(12, randomBytes), primary, keys.stream(""), epochs.has(namespace) ? "1" : ""];
      }, { again: true });
    } catch (error) {
      throw explainRedis(EventRouterError, `opening the log of namespace ${JSON.stringify(namespace)}`, error);
    }
    const [version, epoch, head, first, offset, trimmed, , mark, , control] = meta as readonly [string, string, ...string[]];
    if (version !== VERSION) throw new EventRouterError("ERR_STORE_VERSION", `the log of namespace ${JSON.stringify(namespace)} in Redis was written by another release (format ${version}, this one knows ${VERSION}); use that release, or another prefix`);
    const log = redisLog({
      keys, namespace, epoch, primary: meta[8]!, synced, store: name, self: randomText(12, randomBytes), scripts, reader, onError, newEpoch: () => randomText(12, randomBytes),
      standing: { head: Number(head), first: Number(first), offset: Number(offset), trimmed: Number(trimmed), mark: mark!, control: control! },
      writeName: () => `${name}.${++writes}`,
      confirm: durability === "replicated" ? confirm : undefined,
      moved: () => feed.wake(),
      appended: (batches, outcomes) => recent.add(namespace, batches, outcomes),
      lost() {
        logs.delete(namespace);
        for (const source of log.sources) feed.remove(source);
        void reopen(namespace);
      },
    });
    for (const source of log.sources) feed.add(source);
    if (epochs.get(namespace) !== epoch && epochs.has(namespace)) {
      const missing = await recent.restore(namespace, log.restore);
      await scripts.run(restoredScript, [keys.meta, keys.present, keys.restored], () => [name], { again: true });
      if (missing > 0) onWarning({ about: "loss", message: `Redis had lost ${missing} events of namespace ${JSON.stringify(namespace)} that this router had acked within the last 30 s; they are in its log again, in epoch ${epoch}` });
    }
    epochs.set(namespace, epoch);
    return log;
  }

  let found: Durability = "disk";
  let synced = false;
  /** A log was lost, and this process may have what belongs into the next one: it does not wait for somebody to ask for it. */
  async function reopen(namespace: string): Promise<void> {
    while (!closed) {
      try {
        await store.open(namespace);
        return;
      } catch (error) {
        if (closed) return;
        onError(error);
        if ((error as { retryable?: boolean }).retryable !== true) return;
        await new Promise((resolve) => { setTimeout(resolve, AGAIN); });
      }
    }
  }

  const store: Store = {
    get durability() { return durability ?? found; },
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
      closed = true;
      const open = [...logs.values()];
      logs.clear();
      await Promise.allSettled(open.map(async (log) => (await log).leave()));
      feed.close();
      writer.close();
      reader.close();
    },
  };
  try {
    const { keeps, clustered, warnings, ...facts } = await checkRedis((command) => writer.send(command, { again: true }), { replicas: durability === "replicated" ? replicas : 0 });
    if (clustered) throw new EventRouterError("ERR_STORE_OPEN", `Redis at ${address} is a node of a Redis Cluster, which this store does not find its way in; give it one primary. Several can have a namespace each, see docs/redis.md`);
    found = keeps ? "disk" : "memory";
    ({ synced } = facts);
    for (const warning of warnings) onWarning(warning);
  } catch (error) {
    await store.close();
    throw explainRedis(EventRouterError, `connecting to Redis at ${address}`, error);
  }
  return store;
}

function randomFrom(count: number): Uint8Array { return crypto.getRandomValues(new Uint8Array(count)); }

function warn({ message }: RedisWarning): void { console.warn(`event-router: ${message}`); }

function throwLater(error: unknown): void {
  queueMicrotask(() => { throw error; });
}

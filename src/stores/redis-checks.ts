/** What is not as a log needs it, and what to do. `loss`: the server had lost acked events, which are there again. */
export interface RedisWarning { readonly about: "version" | "persistence" | "eviction" | "cluster" | "replicas" | "loss"; readonly message: string }

export interface RedisFacts {
  readonly version: string;
  /** It writes what it is told to its disk (AOF): an ack survives a killed process. */
  readonly keeps: boolean;
  /** On the disk before it is answered: it survives a power loss too. */
  readonly synced: boolean;
  /** Its keys are spread over several servers. */
  readonly clustered: boolean;
  readonly replicas: number;
  readonly warnings: readonly RedisWarning[];
}

/** Reads what a server says of itself. @param send a command that is not refused by a server that forbids `CONFIG` */
export async function checkRedis(send: (command: readonly string[]) => Promise<unknown>, wanted: { readonly replicas: number } = { replicas: 0 }): Promise<RedisFacts> {
  const info = (await Promise.all(["server", "persistence", "memory", "replication", "cluster"].map((section) => send(["INFO", section])))).join("\n");
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
  const version = field("redis_version");
  const keeps = field("aof_enabled") === "1";
  const clustered = field("cluster_enabled") === "1";
  const replicas = Number(field("connected_slaves"));
  const policy = field("maxmemory_policy");
  const sync = await fsync(send);
  const warnings: RedisWarning[] = [];
  const warn = (about: RedisWarning["about"], message: string): void => void warnings.push({ about, message });
  if (Number(version.split(".")[0]) < 7) warn("version", `Redis is ${version || "of an unknown version"}, and 7.0 or later is what is tested; upgrade it`);
  if (clustered) warn("cluster", "it is a node of a Redis Cluster, which this store does not find its way in; give it one primary, with replicas if you like");
  if (!keeps) warn("persistence", "Redis keeps nothing on its disk as it is told it (appendonly no), so a restart loses acked events; set appendonly yes and appendfsync everysec or always");
  else if (field("aof_last_write_status") === "err" || field("aof_last_bgrewrite_status") === "err") warn("persistence", "Redis could not write to its append-only file; see its log, and that its disk has room");
  else if (sync === "no") warn("persistence", "Redis leaves it to the system when its append-only file is on the disk (appendfsync no): a power loss takes up to half a minute; set appendfsync everysec or always");
  if (policy !== "" && policy !== "noeviction") warn("eviction", `Redis drops keys when its memory is full (maxmemory-policy ${policy}), and with them parts of logs; set maxmemory-policy noeviction`);
  if (replicas < wanted.replicas) warn("replicas", `${wanted.replicas} replica${wanted.replicas === 1 ? "" : "s"} shall confirm each publish, and ${replicas} ${replicas === 1 ? "is" : "are"} there: publishes fail until the others come`);
  return { version, keeps, synced: keeps && sync === "always", clustered, replicas, warnings };
}

/** Where `CONFIG` may not be asked, nothing is said of it. */
async function fsync(send: (command: readonly string[]) => Promise<unknown>): Promise<string | undefined> {
  try {
    return ((await send(["CONFIG", "GET", "appendfsync"])) as readonly string[])[1];
  } catch {
    return undefined;
  }
}

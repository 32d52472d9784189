import type { createClient as CreateClient, RedisClientOptions } from "redis";
import { EventRouterError } from "../core/errors.ts";

/** Where Redis is. */
export interface RedisAddress {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. What is named besides it wins. */
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  /** TLS: true, or what `tls.connect` takes, as `{ ca }`. */
  readonly tls?: boolean | Readonly<Record<string, unknown>> | undefined;
}

/** The part of a `redis` client that is used. */
export interface RedisClient {
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
  on(event: "error" | "end", listener: (error?: unknown) => void): unknown;
}

/** Makes a client for one connection: when that ends, so does the client. */
export type MakeRedisClient = () => RedisClient;

/**
 * Loads the `redis` package.
 * @throws EventRouterError `ERR_STORE_OPEN` where there are no sockets, or the package is missing.
 */
export async function redisClients(address: RedisAddress, connectTimeout: number): Promise<MakeRedisClient> {
  const platform = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process;
  if (platform?.getBuiltinModule?.("node:net") === undefined) {
    throw new EventRouterError("ERR_STORE_OPEN", 'Redis is reached by a TCP socket, which servers have (Node, Deno, Bun) and browsers and the edge do not; run a router on Redis (event-router start --store redis://…) and connect to it: new EventRouterClient({ url: "wss://…" })');
  }
  // Named at run time, so that a bundler for browsers has nothing to take in.
  const name = "redis";
  let createClient: typeof CreateClient;
  try {
    ({ createClient } = (await import(/* @vite-ignore */ name)) as { createClient: typeof CreateClient });
  } catch (cause) {
    throw new EventRouterError("ERR_STORE_OPEN", "the package redis could not be loaded; install it (npm install redis), and leave it out of a bundle", { cause });
  }
  const { url, host, port, username, password, database, tls } = address;
  const options = {
    ...(url !== undefined && { url }), ...(username !== undefined && { username }), ...(password !== undefined && { password }), ...(database !== undefined && { database }),
    RESP: 2, maintNotifications: "disabled", disableClientInfo: true, disableOfflineQueue: true,
    socket: { ...(host !== undefined && { host }), ...(port !== undefined && { port }), ...(tls !== undefined && tls !== false && { tls: true, ...(tls === true ? {} : tls) }), connectTimeout, reconnectStrategy: false as const },
  } as unknown as RedisClientOptions;
  // The first one is never connected: making another of the same kind costs a hundredth of making one.
  const first = createClient(options);
  return () => first.duplicate() as unknown as RedisClient;
}

/** For messages: where it is, without secrets. */
export function addressText({ url, host, port }: RedisAddress): string {
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  return `${host ?? (parsed?.hostname || "localhost")}:${port ?? (parsed?.port || 6_379)}`;
}

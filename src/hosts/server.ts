import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { ConnectionError, EventRouterError } from "../core/errors.ts";
import type { Caller } from "../core/policy.ts";
import { Router } from "../core/router.ts";
import type { Store } from "../core/store.ts";
import { createApp } from "../http/app.ts";
import { gate } from "../http/gate.ts";
import { problem } from "../http/problem.ts";
import { routerMetrics } from "../http/metrics.ts";
import type { BaseOptions } from "../client/options.ts";
import type { EventRouterClient } from "../event-router.ts";
import { openAuth, type AuthPolicy } from "./auth-options.ts";
import { openStore } from "./open-store.ts";
import { ownClient, trusting } from "./own-client.ts";
import { callerOf } from "./peer.ts";
import { processMetrics } from "./process-facts.ts";
import { isLoopback, readServeOptions, type ServeOptions } from "./server-options.ts";
import { staticFiles } from "./static-files.ts";
import { randomBytes, serverClock, serverSurroundings } from "./surroundings.ts";
import { readTls } from "./tls-options.ts";
import { webSocketHost, WEBSOCKET_PATHS } from "./websocket.ts";

export type { ServeOptions, ServerLogger } from "./server-options.ts";
export { readAuthOptions, type AuthOptions, type AuthPolicy } from "./auth-options.ts";
export type { TlsOptions } from "./tls-options.ts";

export interface CloseOptions {
  /** Milliseconds that clients are told to wait before they come back; default 1 s. */
  readonly retryAfter?: number;
  /** Milliseconds that clients have to take their leave; default 5 s. */
  readonly timeout?: number;
}

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly port: number;
  readonly router: Router;
  readonly store: Store;
  /** What `auth` was made of: keys and tokens can be withdrawn by it while the server runs. */
  readonly auth?: Omit<AuthPolicy, "policy">;
  /** A client in this process. Without `auth` it may do everything: whoever has the server has the log. Close it before the server. */
  client(options?: BaseOptions): EventRouterClient;
  /** Takes nothing new, finishes what was accepted, tells every client to come back later, and frees the port. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * A router for other processes: WebSocket at `/ws`, HTTP at `/api/v1`, `/health`, `/metrics`. On Node, Deno and Bun.
 * @throws ValidationError `ERR_OPTION` and what is wrong with `auth`; ConnectionError `ERR_ADDRESS_IN_USE` or `ERR_LISTEN`; what the store throws when it is opened.
 * @example
 * await using server = await serve({ port: 8080, store: "sqlite:events.db" });
 * console.log(server.url);
 */
export async function serve(options: ServeOptions = {}): Promise<RunningServer> {
  const { host, port, heartbeat, limits, retention, logger, origins, open, ...given } = readServeOptions(options);
  const onError = (error: unknown): void => logger.error(`event-router: ${error instanceof Error ? error.message : String(error)}`, error);
  // First, since these may refuse, and a store that is open is locked.
  const { policy: own, ...auth } = given.auth === undefined ? {} : await openAuth(given.auth);
  const tls = given.tls && readTls(given.tls);
  const files = given.staticFiles === undefined ? undefined : staticFiles(given.staticFiles);
  const { store, own: opened } = await openStore(given.store, { randomBytes, onError, onWarning: (message) => logger.info(`event-router: warning: ${message}`) });
  const policy = given.policy ?? own;
  const self: Caller = {};
  const router: Router = new Router({ store, surroundings: serverSurroundings(() => router.tick()), limits, rates: given.rates, retention, heartbeat, onError, ...(policy && { policy: trusting(policy, self) }) });

  // Whoever trusts all that reach it must make sure that web pages of others do not.
  const hosts = open && isLoopback(host) ? ["localhost", "127.0.0.1", "[::1]", host, ...origins.map((origin) => new URL(origin).hostname)] : undefined;
  const app = createApp({
    router, origins, hosts, onError, clock: serverClock, randomBytes, metrics: routerMetrics(router, processMetrics),
    callerOf: (env) => callerOf((env as { incoming: IncomingMessage }).incoming),
  });
  app.get(WEBSOCKET_PATHS[0]!, (c) => problem(c, new EventRouterError("ERR_UPGRADE", `${c.req.path} is for WebSockets; HTTP is at /api/v1`)));
  if (files !== undefined) app.use(files);

  const refusal = gate({ origins, hosts });
  const sockets = webSocketHost({ router, heartbeat, refuse: ({ headers }) => refusal(headers.origin, headers.host) });
  // A library leaves the globals of its process alone; that costs a sixth of the requests per second.
  const server = createAdaptorServer({
    fetch: app.fetch, hostname: host, overrideGlobalObjects: false,
    ...(tls === undefined ? { createServer, serverOptions: PATIENCE } : { createServer: createTlsServer, serverOptions: { ...PATIENCE, ...tls } }),
  }) as Server;
  server.maxConnections = given.maxConnections;
  server.on("upgrade", sockets.upgrade);
  try {
    await listen(server, host, port);
  } catch (error) {
    await sockets.close(0);
    if (opened) await store.close();
    throw error;
  }
  server.on("error", onError);
  const address = server.address() as AddressInfo;

  const stop = async ({ retryAfter = 1_000, timeout = 5_000 }: CloseOptions): Promise<void> => {
    const freed = new Promise<void>((resolve) => server.close(() => resolve()));
    sockets.pause();
    await router.close({ retryAfter });
    // A connection that was busy may stay open for a next request that will not be served.
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    const late = setTimeout(() => server.closeAllConnections(), timeout);
    await Promise.all([sockets.close(timeout), freed]);
    clearInterval(idle);
    clearTimeout(late);
    if (opened) await store.close();
  };
  let closing: Promise<void> | undefined;
  const close = (how: CloseOptions = {}): Promise<void> => (closing ??= stop(how));
  const url = `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  return { url, port: address.port, router, store, ...(given.auth !== undefined && { auth }), close, client: (how) => ownClient(router, self, how), [Symbol.asyncDispose]: () => close() };
}

/** ms that a peer may take for its headers and for a whole request, looked at each second: who sends a byte now and then must not hold a place for ever. */
const PATIENCE = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cause.code === "EADDRINUSE"
      ? new ConnectionError("ERR_ADDRESS_IN_USE", `port ${port} of ${host} is in use by another program; stop it, or choose another port (0 takes any that is free)`, { cause })
      : new ConnectionError("ERR_LISTEN", `cannot listen on ${host}, port ${port}: ${cause.message}; choose another address or port`, { cause })));
    server.listen(port, host, resolve);
  });
}

import { COMES_BACK } from "./core/come-back.ts";
import type { Link } from "./core/link.ts";
import type { ClientSurroundings } from "./client/starter.ts";
import { checkFunction, checkOptions, invalidOption, readOptions } from "./client/check-options.ts";
import type { BaseOptions, ReconnectOptions } from "./client/options.ts";
import type { AnyEvents, EventMap } from "./client/typed-events.ts";
import { PatternClient } from "./pattern-client.ts";
import type { RareLinkOptions } from "./rare-link.ts";
import type { WebSocketLinkOptions } from "./links/websocket.ts";
import type { WebSocketConstructor } from "./links/websocket-like.ts";
import { systemClock } from "./system-clock.ts";
import type { RedisAddress } from "./stores/redis-client.ts";
import type { SharedWorkerLike } from "./tabs/worker-carrier.ts";

/** How to reach a router. */
interface TransportOptions {
  /**
   * Default: `"websocket"` if there is a `url` or an EVENT_ROUTER_URL, else `"memory"`: a router in this process, shared by all its memory clients.
   * `"shared-worker"`: the tabs of a browser share one connection to the router at `url`, or without one, a router in the worker.
   * `"redis"`, on servers: a router in this process whose log is in Redis, shared with all others on it.
   */
  readonly transport?: "memory" | "websocket" | "shared-worker" | "redis";
  /** Of the router: ws, wss, http or https; the path is `/ws` if it has none. */
  readonly url?: string;
  /** Of `transport: "redis"`: where it is. Default: this machine, port 6379. */
  readonly connection?: RedisAddress;
  readonly reconnect?: ReconnectOptions;
  /** Names the script of `transport: "shared-worker"` where it is not found by itself: `() => new SharedWorker(…)`. */
  readonly worker?: () => SharedWorkerLike;
  /** In place of the platform's. */
  readonly WebSocket?: WebSocketConstructor;
}

export interface EventRouterOptions<Events extends EventMap = AnyEvents, Inputs extends EventMap = Events> extends BaseOptions<Events, Inputs>, TransportOptions {}

/**
 * A client that finds its transport by itself.
 * @throws ValidationError for options that are unknown or malformed.
 * @example
 * await using client = new EventRouterClient();
 * client.on("user.*", (event) => console.log(event.type));
 * await client.publish("user.created", { id: 123 });
 */
export class EventRouterClient<Events extends EventMap = AnyEvents, Inputs extends EventMap = Events> extends PatternClient<Events, Inputs> {
  constructor(options: EventRouterOptions<Events, Inputs> = {}) {
    super(surroundingsOf(options ?? {}), options);
  }
}

function surroundingsOf(options: TransportOptions & Pick<BaseOptions, "auth" | "namespace">): ClientSurroundings {
  const { settings, rare } = transportOf(options);
  let makeLink: () => Link;
  return {
    again: settings,
    async loadLink() {
      if (rare) {
        const { rareLink } = await import("./rare-link.ts");
        makeLink = () => rareLink(settings, options);
      } else {
        const { webSocketLink } = await import("./links/websocket.ts");
        makeLink = () => webSocketLink(settings as WebSocketLinkOptions);
      }
    },
    makeLink: () => makeLink(),
    clock: systemClock,
    random: Math.random,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    outboxHome: async (offline, report) => (await import("./outbox-home.ts")).outboxHome(offline, options, report),
  };
}

/** How to reach the router, and whether by other ways than simply a WebSocket. */
function transportOf(options: TransportOptions & Pick<BaseOptions, "auth" | "namespace">): { readonly settings: RareLinkOptions; readonly rare: boolean } {
  const { transport, url, connection, reconnect = {}, worker, WebSocket, namespace = "default", auth } = options;
  const shared = transport === "shared-worker";
  const redis = transport === "redis";
  if (transport !== undefined && transport !== "memory" && transport !== "websocket" && !shared && !redis) throw invalidOption("transport", 'must be "websocket", "shared-worker", "redis" or "memory"');
  if (connection !== undefined && !redis) throw invalidOption("connection", 'is for transport: "redis"');
  if (worker !== undefined) checkFunction(worker, "worker");
  const again = readOptions(reconnect, COMES_BACK, "reconnect", "reconnect.");
  if (again.backoff !== "exponential" && again.backoff !== "fixed") throw invalidOption("reconnect.backoff", 'must be "exponential" or "fixed"');
  const address = transport === "memory" || redis ? undefined : url ?? environmentUrl() ?? (transport && !shared ? "" : undefined);
  if (redis) checkOptions(connection ?? {}, "url host port username password database tls", "connection");
  const settings = { ...again, WebSocket, clock: systemClock, random: Math.random, connectionTimeout: 10_000, url: address === undefined ? address : socketUrl(address, namespace) } as RareLinkOptions;
  return { settings, rare: settings.url === undefined || shared || redis || auth?.type === "mtls" };
}

/** EVENT_ROUTER_URL where there is an environment that may be read: Deno asks for a permission, a browser has none. */
function environmentUrl(): string | undefined {
  try {
    return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.EVENT_ROUTER_URL || undefined;
  } catch {
    return undefined;
  }
}

function socketUrl(given: string, namespace: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const [, secure] = /^(?:ws|http)(s?):$/.exec(url?.protocol ?? "") ?? [];
  if (!url || secure === undefined) throw invalidOption("url", `must be such as "ws://localhost:8080"; got ${JSON.stringify(given)}`);
  // URLs are logged by every proxy on the way.
  if (url.username || url.password || /[?&][^=]*(token|key|secret|pass|auth)[^=]*=/i.test(url.search)) throw invalidOption("url", "is no place for credentials; use the option auth");
  url.protocol = `ws${secure}:`;
  if (url.pathname === "/") url.pathname = "/ws";
  // A router at the edge is found by it.
  if (namespace !== "default") url.searchParams.set("namespace", namespace);
  url.hash = "";
  return url.href;
}

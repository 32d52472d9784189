import { EventRouterClient, type Auth, type ReconnectOptions } from "../index.ts";
import type { Flags, Values } from "./command.ts";
import { usageError } from "./failure.ts";
import { readDuration } from "./quantity.ts";
import type { Shell } from "./shell.ts";

/** The options of every command that talks to a router. */
export const routerFlags = {
  url: { type: "string", value: "URL", about: "the router: http, https, ws or wss (default: EVENT_ROUTER_URL, else http://127.0.0.1:8080)" },
  namespace: { type: "string", value: "NAME", about: "the log to use (default: default)" },
  token: { type: "string", value: "JWT", about: "a JWT to authenticate with (default: EVENT_ROUTER_TOKEN, which others on this machine cannot see)" },
  "api-key": { type: "string", value: "KEY", about: "an API key to authenticate with (default: EVENT_ROUTER_API_KEY)" },
  timeout: { type: "string", value: "DURATION", about: 'how long to wait for an answer, as "500ms" or "5s" (default: 10s)' },
  json: { type: "boolean", about: "write JSON for machines" },
} as const satisfies Flags;

type Credential = Extract<Auth, { type: "api_key" }> | { readonly type: "jwt"; readonly token: string };

/** Where a router is and who asks. */
export interface RouterAccess {
  /** As it was given, for messages. */
  readonly url: string;
  readonly namespace: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
  /** The address of a path of the HTTP API. */
  http(path: string): URL;
  /** A client over WebSocket. Unless it is told to, it does not try again: who typed a command waits for an answer. */
  connect(options?: { readonly reconnect: ReconnectOptions }): EventRouterClient;
  /** Connects once. @throws why that cannot be. */
  reach(signal: AbortSignal): Promise<void>;
}

/** @throws ValidationError `ERR_USAGE` */
export function routerAccess(command: string, flags: Values<typeof routerFlags>, shell: Shell): RouterAccess {
  const { env } = shell;
  const url = flags.url ?? (env.EVENT_ROUTER_URL || "http://127.0.0.1:8080");
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || !/^(http|ws)s?:$/.test(base.protocol)) throw usageError(`${JSON.stringify(url)} is not the URL of a router; write it as http://127.0.0.1:8080`, command);
  if (flags.token !== undefined && flags["api-key"] !== undefined) throw usageError("--token and --api-key exclude each other; give one", command);
  const namespace = flags.namespace ?? "default";
  const credential = credentialOf(flags, env);
  const timeout = flags.timeout === undefined ? 10_000 : readDuration(flags.timeout, "--timeout", command);
  // The address of the WebSocket itself names the router too.
  const root = base.pathname.replace(/\/(ws)?$/, "");
  const address = (kind: "http" | "ws", path: string): URL => Object.assign(new URL(base), { protocol: base.protocol.replace(/^(http|ws)/, kind), pathname: root + path });
  const access: RouterAccess = {
    url, namespace, timeout,
    headers: credential === undefined ? {} : credential.type === "jwt" ? { authorization: `Bearer ${credential.token}` } : { "x-api-key": credential.key },
    http(path) {
      const target = address("http", path);
      target.searchParams.set("namespace", namespace);
      return target;
    },
    connect: (options) => new EventRouterClient({
      transport: "websocket", url: address("ws", "/ws").href, namespace, timeout, reconnect: { enabled: false },
      // What fails is thrown where it is waited for, and told once, at the end.
      logger: { error: (...what) => { if (shell.debug) shell.note(what.map(String).join(" ")); } },
      ...(credential !== undefined && { auth: credential }), ...options,
    }),
    async reach(signal) {
      await using client = access.connect();
      await client.connect({ signal });
    },
  };
  return access;
}

/** What is typed counts more than what the environment says. */
function credentialOf({ token, "api-key": key }: Values<typeof routerFlags>, env: Shell["env"]): Credential | undefined {
  if (token !== undefined) return { type: "jwt", token };
  if (key !== undefined) return { type: "api_key", key };
  if (env.EVENT_ROUTER_TOKEN) return { type: "jwt", token: env.EVENT_ROUTER_TOKEN };
  return env.EVENT_ROUTER_API_KEY ? { type: "api_key", key: env.EVENT_ROUTER_API_KEY } : undefined;
}

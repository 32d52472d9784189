import type { Duration } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { OfflineOptions } from "./client-outbox.ts";
import { checkFunction, invalidOption, readOptions } from "./check-options.ts";
import type { EncryptionOptions } from "./encryption/encryption-options.ts";
import type { Logger } from "./reporter.ts";
import type { EventMap, EventSchemas, StandardSchema } from "./typed-events.ts";

/** How to come back after a lost connection. */
export interface ReconnectOptions {
  /** Default true. */
  readonly enabled?: boolean;
  /** Attempts in a row; default: no limit. */
  readonly maxAttempts?: number;
  /** `exponential` with full jitter (default), or always `minDelay`. */
  readonly backoff?: "exponential" | "fixed";
  /** Default 250 ms. */
  readonly minDelay?: Duration;
  /** Default 30 s. */
  readonly maxDelay?: Duration;
}

/** Who the client is. */
export type Auth =
  | { readonly type: "api_key"; readonly key: string }
  /** A function is asked for each connection, and again before its last token runs out. */
  | { readonly type: "jwt"; readonly token: string | (() => string | Promise<string>) }
  /** A client certificate, in Node, over wss: PEM text or paths of files. */
  | { readonly type: "mtls"; readonly cert: string; readonly key: string; readonly ca?: string };

/** Options of a client over whatever link. */
export interface BaseOptions<Events extends EventMap = EventMap, Inputs extends EventMap = Events> {
  /** Default `"default"`. */
  readonly namespace?: string;
  /** Who says it (`source` of its events), and whom events with a `target` are for. */
  readonly name?: string;
  /** Keeps what is published while there is no connection, durably, and sends it later: `true`, or where and how much. See `client.outbox`. */
  readonly offline?: boolean | OfflineOptions;
  /** How long a call waits for the router, default 10 s. */
  readonly timeout?: Duration;
  readonly auth?: Auth;
  /** Payloads travel and rest encrypted, readable only for clients with the key; see docs/encryption.md. */
  readonly encryption?: EncryptionOptions;
  /** Schemas of the events, see `defineEvents`: payloads are checked before they are published. */
  readonly schema?: EventSchemas<Events, Inputs>;
  /** Where failures go that no `onError` listener takes; default `console`. */
  readonly logger?: Logger;
  /** Events that may wait for the router's answer, default 10,000. */
  readonly maxPending?: number;
  /** `publishNowait` gathers so many events in a frame … */
  readonly batchSize?: number;
  /** … or those of so long; default 100 ms if `batchSize` is set. */
  readonly batchTimeout?: Duration;
  /** Spreads publishes over so many connections, default 1. Then only what one call publishes keeps its order. */
  readonly poolSize?: number;
  /** How long a publish waits for one of them to be connected, default `timeout`. */
  readonly poolTimeout?: Duration;
  /** Remembers so many events: one of the same type and payload is not sent again within `cacheTtl`. This drops lawful repeats; off by default. */
  readonly cacheSize?: number;
  /** Default 60 s. */
  readonly cacheTtl?: Duration;
}

/** All options there are, and what holds where one is not given. Those of the transport are its own to check. */
const DEFAULTS = {
  transport: undefined, url: undefined, connection: undefined, namespace: undefined, name: undefined, auth: undefined as Auth | undefined, encryption: undefined, offline: undefined,
  timeout: 10_000, reconnect: undefined, schema: undefined as Readonly<Record<string, StandardSchema>> | undefined, logger: undefined as Partial<Logger> | null | undefined, maxPending: 10_000,
  batchSize: 1, batchTimeout: 100, poolSize: 1, poolTimeout: undefined as number | undefined, cacheSize: 0, cacheTtl: 60_000, worker: undefined, WebSocket: undefined,
};

/** What of them has a default, in milliseconds where it is a duration. */
export type Settings = Readonly<Pick<typeof DEFAULTS, "timeout" | "schema" | "maxPending" | "batchSize" | "batchTimeout" | "poolSize" | "poolTimeout" | "cacheSize" | "cacheTtl">>;

/** @throws ValidationError `ERR_OPTION`, `ERR_DURATION` naming the option. */
export function settingsOf(options: BaseOptions<never>): Settings {
  const settings = readOptions(options, DEFAULTS, "EventRouterClient");
  const { auth, schema, logger } = settings;
  if (auth !== undefined && !isAuth(auth)) throw invalidOption("auth", 'must be { type: "api_key", key }, { type: "jwt", token } or { type: "mtls", cert, key, ca? }');
  for (const name of ["namespace", "name"] as const) if (typeof (settings[name] ?? "") !== "string") throw new ValidationError("ERR_NAME", `${name} must be a string`, { details: { path: name } });
  if (logger !== undefined) checkFunction(logger?.error, "logger.error");
  for (const type in schema) checkFunction((schema[type] as Partial<StandardSchema> | undefined)?.["~standard"]?.validate, `schema["${type}"]["~standard"].validate`);
  return settings;
}

function isAuth(auth: Auth | null): boolean {
  if (auth?.type === "jwt") return ["string", "function"].includes(typeof auth.token);
  return (auth?.type === "api_key" || (auth?.type === "mtls" && typeof auth.cert === "string")) && typeof auth.key === "string";
}

import { milliseconds, type Duration } from "../core/duration.ts";
import { checkFunction, checkOptions, invalidOption, wholeNumber } from "./check-options.ts";
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
  /** A function is asked for each connection. */
  | { readonly type: "jwt"; readonly token: string | (() => string | Promise<string>) };

/** Options of a client over whatever link. */
export interface BaseOptions<Events extends EventMap = EventMap> {
  /** Default `"default"`. */
  readonly namespace?: string;
  /** Who says it (`source` of its events), and whom events with a `target` are for. */
  readonly name?: string;
  /** How long a call waits for the router, default 10 s. */
  readonly timeout?: Duration;
  readonly auth?: Auth;
  /** Schemas of the events, see `defineEvents`: payloads are checked before they are published. */
  readonly schema?: EventSchemas<Events>;
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

/** Options with their defaults, checked. */
export interface Settings {
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly timeout: number;
  readonly auth: Auth | undefined;
  readonly schemas: Readonly<Record<string, StandardSchema>> | undefined;
  readonly logger: Logger;
  readonly maxPending: number;
  readonly batchSize: number;
  readonly batchTimeout: number;
  readonly poolSize: number;
  readonly poolTimeout: number;
  readonly cacheSize: number;
  readonly cacheTtl: number;
}

const OPTIONS = "namespace name timeout auth schema logger maxPending batchSize batchTimeout poolSize poolTimeout cacheSize cacheTtl transport url reconnect WebSocket connection! worker! offline! encryption!";

/** @throws ValidationError `ERR_OPTION`, `ERR_DURATION` naming the option. */
export function parseOptions(options: BaseOptions<never>): Settings {
  checkOptions(options, OPTIONS, "EventRouterClient");
  const { namespace, name, auth, schema, logger, batchSize } = options;
  if (logger !== undefined) checkFunction(logger.error, "logger.error");
  if (auth !== undefined && auth.type !== "api_key" && auth.type !== "jwt") throw invalidOption("auth", 'must be { type: "api_key", key } or { type: "jwt", token }; others are not available in this version');
  const timeout = milliseconds(options.timeout ?? 10_000, "timeout");
  return {
    namespace,
    name,
    timeout,
    auth,
    schemas: schema,
    logger: logger ?? console,
    maxPending: wholeNumber(options.maxPending, "maxPending", 10_000),
    batchSize: wholeNumber(batchSize, "batchSize", 1),
    batchTimeout: milliseconds(options.batchTimeout ?? 100, "batchTimeout"),
    poolSize: wholeNumber(options.poolSize, "poolSize", 1),
    poolTimeout: milliseconds(options.poolTimeout ?? timeout, "poolTimeout"),
    cacheSize: wholeNumber(options.cacheSize, "cacheSize", 0, 0),
    cacheTtl: milliseconds(options.cacheTtl ?? 60_000, "cacheTtl"),
  };
}

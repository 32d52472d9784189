import * as z from "zod";
import { milliseconds, type Duration } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import { defaultLimits, type Limits } from "../core/limits.ts";
import type { Policy } from "../core/policy.ts";
import type { Store } from "../core/store.ts";
import type { RateLimits } from "../core/rate-limit.ts";
import { authShape, type AuthOptions } from "./auth-options.ts";
import type { TlsOptions } from "./tls-options.ts";

/** Where a server writes what its operator should know; `console` is one. */
export interface ServerLogger {
  info(message: string): void;
  error(message: string, error?: unknown): void;
}

export interface ServeOptions {
  /** The address to listen on; default `127.0.0.1`, this machine only. Any other needs `auth`, `policy` or `allowAnonymous`. */
  readonly host?: string | undefined;
  /** Default 8080; 0: any that is free. */
  readonly port?: number | undefined;
  /** `memory` (default), `sqlite:FILE`, `redis://HOST` (which any number of servers may share), or a store of your own, which you then close yourself. */
  readonly store?: Store | "memory" | `sqlite:${string}` | `redis://${string}` | `rediss://${string}` | undefined;
  /** Who may do what. */
  readonly policy?: Policy | undefined;
  /** In place of a policy: API keys, tokens, client certificates, and what each may do. */
  readonly auth?: AuthOptions | undefined;
  /** Short for `auth: { apiKeys }`: whoever has one of these keys may do everything, and nobody else anything. */
  readonly apiKeys?: readonly string[] | undefined;
  /** TLS by the server itself, for client certificates or where no proxy does it. */
  readonly tls?: TlsOptions | undefined;
  /** How much each principal may do; default: as much as it can. */
  readonly rates?: RateLimits | undefined;
  /** TCP connections at a time; default 20,000. Further ones are closed at once. */
  readonly maxConnections?: number | undefined;
  /** Lets everybody in who reaches the address. */
  readonly allowAnonymous?: boolean | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** What the logs keep; default: everything. */
  readonly retention?: { readonly maxAge?: Duration | undefined; readonly maxEvents?: number | undefined; readonly maxBytes?: number | undefined } | undefined;
  /** A directory that is served at `/`. */
  readonly staticFiles?: string | undefined;
  /** Origins of web pages that may use the router besides its own, as `https://app.example.com`. */
  readonly origins?: readonly string[] | undefined;
  /** Silence after which a client gives a sign of life; default 25 s. After three times as much it is taken for gone. */
  readonly heartbeat?: Duration | undefined;
  /** Default: errors go to `console.error`. */
  readonly logger?: ServerLogger | undefined;
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const duration = z.union([z.number(), z.string()]);
const rate = z.strictObject({ perSecond: z.number().positive(), burst: z.number().min(1).optional() });
const methods = (...names: string[]) => (value: unknown): boolean => typeof value === "object" && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

const shape = z.strictObject({
  // As in a URL, an IPv6 address may stand in brackets.
  host: z.string().min(1).transform((host) => host.replace(/^\[(.*)\]$/, "$1")).default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535).default(8_080),
  store: z.union([z.literal("memory"), z.templateLiteral(["sqlite:", z.string().min(1)]), z.templateLiteral([z.enum(["redis://", "rediss://"]), z.string().min(1)]), z.custom<Store>(methods("open", "close"))], 'must be "memory", "sqlite:FILE", "redis://HOST" or a store').default("memory"),
  policy: z.custom<Policy>(methods("authenticate"), "must have a method authenticate").optional(),
  auth: authShape.optional(),
  apiKeys: z.array(z.string()).min(1, "must have at least one key, or be left out").optional(),
  tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1), ca: z.string().min(1).optional() }).optional(),
  rates: z.strictObject({ publish: rate.optional(), request: rate.optional(), subscribe: rate.optional(), call: rate.optional(), connect: rate.optional() }).default({}),
  maxConnections: count.min(1).default(20_000),
  allowAnonymous: z.boolean().default(false),
  limits: z.strictObject(Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, count.min(1).optional()]))).default({}),
  retention: z.strictObject({ maxAge: duration.optional(), maxEvents: count.min(1).optional(), maxBytes: count.min(1).optional() }).default({}),
  staticFiles: z.string().min(1).optional(),
  origins: z.array(z.string().refine((origin) => URL.canParse(origin) && new URL(origin).origin === origin, "must be origins such as https://app.example.com, without a path")).default([]),
  heartbeat: duration.default(25_000),
  logger: z.custom<ServerLogger>(methods("info", "error"), "must have methods info and error").default(() => ({ info: () => {}, error: (...args) => console.error(...args) })),
});

/**
 * Options with their defaults, checked.
 * @throws ValidationError `ERR_OPTION` naming the option and what is right.
 */
export function readServeOptions(options: ServeOptions) {
  const result = shape.safeParse(options);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const path = [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])].join(".");
    throw invalid(path, issue.code === "unrecognized_keys" ? "is no option of serve()" : issue.message);
  }
  const { limits, retention: { maxAge, ...retention }, heartbeat, ...rest } = result.data;
  const given = (["policy", "auth", "apiKeys"] as const).filter((name) => rest[name] !== undefined);
  if (given.length > 1) throw invalid(given[1]!, `and ${given[0]!} exclude each other; give one of policy, auth and apiKeys`);
  if (rest.auth?.certificates !== undefined && rest.tls?.ca === undefined) throw invalid("tls.ca", "is needed for auth.certificates: the authority that signs them");
  const open = given.length === 0;
  if (open && !rest.allowAnonymous && !isLoopback(rest.host)) {
    throw invalid("host", `${rest.host} lets other machines in, and nothing says whom; give auth, apiKeys or a policy, or allowAnonymous: true if everybody who reaches it may do everything`);
  }
  const beat = milliseconds(heartbeat, "heartbeat");
  if (beat < 1_000 || beat > 3_600_000) throw invalid("heartbeat", "must be from 1 s to 1 h");
  return {
    ...rest, open, auth: (rest.auth ?? (rest.apiKeys && { apiKeys: rest.apiKeys })) as AuthOptions | undefined, heartbeat: beat, limits: limits as Partial<Limits>,
    retention: { ...(retention as { maxEvents?: number; maxBytes?: number }), ...(maxAge !== undefined && { maxAge: milliseconds(maxAge, "retention.maxAge") }) },
  };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError("ERR_OPTION", `${path}: ${message}`, { details: { path } });
}

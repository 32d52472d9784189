import * as z from "zod";
import { anyPolicy } from "../auth/any-policy.ts";
import { apiKeyPolicy, type ApiKey } from "../auth/api-keys.ts";
import { jwtPolicy, type JwtOptions } from "../auth/jwt.ts";
import { milliseconds, type Duration } from "../core/duration.ts";
import { AuthenticationError, ValidationError } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import { openPolicy, type Policy } from "../core/policy.ts";
import type { RateLimits } from "../core/rate-limit.ts";
import type { RetentionPolicy } from "../core/retention.ts";

/** The environment of a worker: its variables, secrets and bindings. */
export type WorkerEnv = Readonly<Record<string, unknown>>;

/** What an application decides in code; the rest comes from the worker's environment. */
export interface WorkerOptions {
  /** Who may do what; in place of the environment's `API_KEYS`, `JWT` and `ALLOW_ANONYMOUS`. */
  readonly policy?: Policy | ((env: WorkerEnv) => Policy | Promise<Policy>) | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly rates?: RateLimits | undefined;
  /** What the logs keep; default: everything, or what the environment says. */
  readonly retention?: { readonly maxAge?: Duration | undefined; readonly maxEvents?: number | undefined; readonly maxBytes?: number | undefined } | undefined;
  /** Origins of web pages that may use the router besides its own. */
  readonly origins?: readonly string[] | undefined;
  /** Silence after which a client gives a sign of life, which the platform answers for the sleeping router; default 25 s. */
  readonly heartbeat?: Duration | undefined;
  /** Name of the Durable Object binding; default `EVENT_ROUTER`. */
  readonly binding?: string | undefined;
  /** Objects between a namespace's log and its WebSockets, 0 to 1,000; default 0, or what the environment's `RELAYS` says. See docs/scaling.md. */
  readonly relays?: number | undefined;
}

/** Options and environment together, checked. */
export interface WorkerSettings {
  readonly policy: Policy;
  readonly limits: Partial<Limits>;
  readonly rates: RateLimits;
  readonly retention: RetentionPolicy;
  readonly origins: readonly string[];
  /** ms */
  readonly heartbeat: number;
  readonly relays: number;
}

/** Looking for old events wakes an object, which costs; ms. */
const RETENTION_EVERY = 60 * 60_000;

const count = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const relays = z.coerce.number().int().min(0).max(1_000);
const text = z.string().min(1);
const environment = z.object({
  API_KEYS: text.optional(),
  JWT: text.optional(),
  ALLOW_ANONYMOUS: z.enum(["true", "false"]).optional(),
  ORIGINS: z.string().optional(),
  RETAIN_AGE: text.optional(),
  RETAIN_EVENTS: count.optional(),
  RETAIN_BYTES: count.optional(),
});

/**
 * @throws ValidationError `ERR_OPTION` naming the variable and what is right.
 */
export async function readWorkerSettings(options: WorkerOptions, env: WorkerEnv): Promise<WorkerSettings> {
  const vars = readEnvironment(env);
  const { maxAge = vars.RETAIN_AGE, maxEvents = vars.RETAIN_EVENTS, maxBytes = vars.RETAIN_BYTES } = options.retention ?? {};
  const heartbeat = milliseconds(options.heartbeat ?? 25_000, "heartbeat");
  return {
    policy: await policyOf(options, env, vars), limits: options.limits ?? {}, rates: options.rates ?? {}, heartbeat, relays: relaysOf(options, env),
    origins: options.origins ?? vars.ORIGINS?.split(",").map((origin) => origin.trim()).filter((origin) => origin !== "") ?? [],
    retention: {
      checkEvery: RETENTION_EVERY, ...(maxEvents !== undefined && { maxEvents }), ...(maxBytes !== undefined && { maxBytes }),
      ...(maxAge !== undefined && { maxAge: milliseconds(maxAge as Duration, "RETAIN_AGE") }),
    },
  };
}

/** How many relays a namespace has. @throws ValidationError `ERR_OPTION` */
export function relaysOf(options: WorkerOptions, env: WorkerEnv): number {
  const inCode = options.relays !== undefined;
  const result = relays.safeParse(inCode ? options.relays : env.RELAYS ?? 0);
  if (result.success) return result.data;
  const name = inCode ? "relays" : "RELAYS";
  throw new ValidationError("ERR_OPTION", `${name}: must be a whole number from 0 to 1,000, not ${JSON.stringify(inCode ? options.relays : env.RELAYS)}; set it in ${inCode ? "createWorker" : "wrangler.toml"}`, { details: { path: name } });
}

function readEnvironment(env: WorkerEnv): z.infer<typeof environment> {
  const result = environment.safeParse(env);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ValidationError("ERR_OPTION", `${issue!.path.join(".")}: ${issue!.message}; set it in wrangler.toml, or with: npx wrangler secret put ${String(issue!.path[0])}`, { details: { path: issue!.path.join(".") } });
}

async function policyOf({ policy }: WorkerOptions, env: WorkerEnv, { API_KEYS, JWT, ALLOW_ANONYMOUS }: z.infer<typeof environment>): Promise<Policy> {
  if (policy !== undefined) return typeof policy === "function" ? policy(env) : policy;
  if (API_KEYS !== undefined || JWT !== undefined) {
    return anyPolicy({
      ...(API_KEYS !== undefined && { apiKeys: await apiKeyPolicy(keysOf(API_KEYS)) }),
      ...(JWT !== undefined && { jwt: await jwtPolicy(json(JWT, "JWT") as JwtOptions) }),
    });
  }
  return ALLOW_ANONYMOUS === "true" ? openPolicy : nobody;
}

/** A deployed worker can be reached by everybody: so without a word about who may, nobody may. */
const nobody: Policy = {
  authenticate() {
    throw new AuthenticationError("ERR_NOT_CONFIGURED", 'this router does not know yet whom to let in: run "npx wrangler secret put API_KEYS" and type one or more keys, or set ALLOW_ANONYMOUS = "true" if everybody who reaches it may do everything');
  },
};

/** Keys joined by commas or lines, or a JSON list of keys with what each may do. */
function keysOf(text: string): (ApiKey | string)[] {
  return text.trimStart().startsWith("[") ? (json(text, "API_KEYS") as (ApiKey | string)[]) : text.split(/[\s,]+/).filter((key) => key !== "");
}

function json(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ValidationError("ERR_OPTION", `${name}: is not JSON: ${(cause as Error).message}`, { cause, details: { path: name } });
  }
}

import { readFileSync } from "node:fs";
import * as z from "zod";
import { ValidationError } from "../index.ts";
import type { Flags, Values } from "./command.ts";
import { usageError } from "./failure.ts";
import { parseJson } from "./json-text.ts";
import { suggest } from "./suggest.ts";

const size = z.union([z.int().min(1), z.string()]);

/** What a configuration file of `start` may say. Each key is an option's name in camelCase; those that may be repeated are lists. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe("Where this schema is, for editors"),
  transport: z.literal("websocket").optional().describe("How clients connect; HTTP and Server-Sent Events come with it"),
  host: z.string().min(1).optional().describe("The address to listen on; default 127.0.0.1, this machine only"),
  port: z.int().min(0).max(65_535).optional().describe("The port to listen on, 0 for any that is free; default 8080"),
  store: z.string().regex(/^(memory|sqlite:.+|rediss?:\/\/.+)$/s, 'must be "memory", "sqlite:FILE" or "redis://HOST"').optional().describe("Where events are kept; a relative path begins where the command is typed"),
  apiKeys: z.array(z.string().min(1)).optional().describe("Keys that let a client in; better in EVENT_ROUTER_API_KEYS than in a file that others may read"),
  auth: z.string().min(1).optional().describe("A JSON file with API keys, tokens and client certificates, and what each may do; read again when it changes"),
  tlsCert: z.string().min(1).optional().describe("A certificate (PEM file), with tlsKey: the server itself speaks TLS"),
  tlsKey: z.string().min(1).optional().describe("Its private key (PEM file)"),
  tlsCa: z.string().min(1).optional().describe("The authority (PEM file) that signs client certificates"),
  rates: z.array(z.string()).optional().describe("How much each principal may do in a second, as publish=100 or connect=10/50"),
  allowAnonymous: z.boolean().optional().describe("Let everybody in who reaches the address"),
  retainAge: z.string().optional().describe("Forget events that are older, as 30d"),
  retainEvents: z.int().min(1).optional().describe("Keep the newest so many events of a namespace"),
  retainBytes: size.optional().describe("Keep the newest events up to this size, as 1gb"),
  origins: z.array(z.string()).optional().describe("Origins of web pages that may use the router besides its own, as https://app.example.com"),
  systemMetrics: z.boolean().optional().describe("Publish system.cpu, system.memory and system.loop each second"),
  playground: z.union([z.string().min(1), z.literal(false)]).optional().describe("The folder to serve at /; false: none"),
});

/** The schema of a configuration file as JSON Schema, for editors. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { $id: "https://unpkg.com/@gadugi/event-router/docs/config.schema.json", title: "Event Router configuration", ...z.toJSONSchema(configSchema) };
}

/**
 * The options of `start`, from what is typed, the environment and a file: the first that says something counts.
 * @throws ValidationError `ERR_USAGE`, `ERR_CONFIG` with the key, `ERR_JSON`; what the file system says of the file.
 */
export function readSettings<F extends Flags>(typed: Values<F>, known: F, env: Readonly<Record<string, string | undefined>>): Values<F> {
  const path = (typed as { config?: string }).config ?? (env.EVENT_ROUTER_CONFIG || undefined);
  const below: Record<string, unknown> = { ...(path === undefined ? {} : readConfig(path)), ...fromEnvironment(known, env) };
  // What is typed takes back its opposite.
  for (const [name, opposite] of [["playground", "no-playground"], ["no-playground", "playground"]] as const) if (name in typed) delete below[opposite];
  return { ...below, ...typed } as Values<F>;
}

/** What a file says, under the options' names. */
function readConfig(path: string): Readonly<Record<string, unknown>> {
  const value = parseJson(readFileSync(path, "utf8"), { what: path, hint: 'a configuration is as {"port": 8080, "store": "sqlite:data/router.db"}' });
  const result = configSchema.safeParse(value);
  if (!result.success) throw wrongKey(path, result.error.issues[0]!);
  const { $schema: _, playground, ...said } = result.data;
  const flags: Record<string, unknown> = Object.fromEntries(Object.entries(said).map(([key, one]) => [
    Array.isArray(one) ? kebab(key).replace(/s$/, "") : kebab(key), typeof one === "number" ? String(one) : one,
  ]));
  if (playground === false) flags["no-playground"] = true;
  else if (playground !== undefined) flags.playground = playground;
  return flags;
}

function wrongKey(path: string, issue: z.core.$ZodIssue): ValidationError {
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const like = suggest(key, Object.keys(configSchema.shape));
    return new ValidationError("ERR_CONFIG", `${path}: ${key} is no option${like === undefined ? `; there are ${Object.keys(configSchema.shape).join(", ")}` : `; did you mean ${like}?`}`, { details: { path: key } });
  }
  const place = issue.path.map(String).join(".");
  return new ValidationError("ERR_CONFIG", `${path}: ${place === "" ? "it" : place}: ${issue.message}`, { details: { path: place } });
}

/** `--retain-age` is EVENT_ROUTER_RETAIN_AGE; what may be repeated is a list with commas, EVENT_ROUTER_API_KEYS. */
function fromEnvironment(known: Flags, env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(known).flatMap(([name, { type, multiple }]): (readonly [string, unknown])[] => {
    const variable = environmentName(name, multiple);
    const text = env[variable];
    if (text === undefined || text === "" || name === "json") return [];
    if (multiple) return [[name, text.split(",").map((one) => one.trim()).filter((one) => one !== "")]];
    if (type === "string") return [[name, text]];
    if (!/^(true|false|1|0)$/.test(text)) throw usageError(`${variable} is true or false; got ${JSON.stringify(text)}`, "start");
    return /^(true|1)$/.test(text) ? [[name, true]] : [];
  }));
}

export function environmentName(flag: string, multiple?: true): string {
  return `EVENT_ROUTER_${flag.toUpperCase().replaceAll("-", "_")}${multiple ? "S" : ""}`;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

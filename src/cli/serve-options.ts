import { dirname, resolve } from "node:path";
import type { ServeOptions } from "../hosts/server.ts";
import type { RateLimits } from "../router.ts";
import { readAuthFile } from "./auth-file.ts";
import type { Flags, Values } from "./command.ts";
import { usageError } from "./failure.ts";
import { makeFolder } from "./make-folder.ts";
import { readCount, readDuration, readSize } from "./quantity.ts";

export const serveFlags = {
  config: { type: "string", value: "FILE", about: "read options from a JSON file, names in camelCase; what is typed, then the environment, counts more" },
  transport: { type: "string", value: "websocket", choices: ["websocket"], about: "how clients connect; HTTP and Server-Sent Events come with it (default: websocket)" },
  host: { type: "string", value: "ADDRESS", about: "the address to listen on (default: 127.0.0.1, this machine only)" },
  port: { type: "string", value: "PORT", about: "the port to listen on, 0 for any that is free (default: 8080)" },
  store: { type: "string", value: "STORE", about: "where events are kept: memory, sqlite:FILE, or redis://HOST for several routers (default: memory)" },
  "api-key": { type: "string", value: "KEY", multiple: true, about: "a key that lets a client in (default: EVENT_ROUTER_API_KEYS, separated by commas)" },
  auth: { type: "string", value: "FILE", about: "a JSON file: API keys, tokens, client certificates, and what each may do; read again when it changes" },
  "tls-cert": { type: "string", value: "FILE", about: "a certificate (PEM), with --tls-key: the server itself speaks TLS" },
  "tls-key": { type: "string", value: "FILE", about: "its private key (PEM)" },
  "tls-ca": { type: "string", value: "FILE", about: "the authority (PEM) that signs client certificates" },
  rate: { type: "string", value: "KIND=N", multiple: true, about: "a second and client, of publish, request, subscribe, call, connect; with a burst publish=100/500" },
  "allow-anonymous": { type: "boolean", about: "let everybody in who reaches the address" },
  origin: { type: "string", value: "ORIGIN", multiple: true, about: "an origin of web pages that may use the router besides its own, as https://app.example.com" },
  "retain-age": { type: "string", value: "DURATION", about: "forget events that are older, as 30d (default: keep all)" },
  "retain-events": { type: "string", value: "N", about: "keep the newest N events of a namespace" },
  "retain-bytes": { type: "string", value: "SIZE", about: "keep the newest events up to this size, as 1gb" },
} as const satisfies Flags;

/** Of `serve`, with what has a default. */
type StartOptions = ServeOptions & { readonly host: string; readonly port: number; readonly store: StoreName };
type StoreName = "memory" | `sqlite:${string}` | `redis://${string}` | `rediss://${string}`;
type Given = Values<typeof serveFlags>;

/** What `start` was told, by whatever way, as `serve` takes it. @throws ValidationError `ERR_USAGE` */
export function readServeOptions(given: Given): StartOptions {
  const { transport = "websocket", port = "8080" } = given;
  // An IPv6 address as it stands in a URL is one too.
  const host = (given.host ?? "127.0.0.1").replace(/^\[(.+)\]$/, "$1");
  if (transport !== "websocket") throw usageError(`--transport ${transport} is not to be had; a server speaks websocket`, "start");
  const apiKeys = given["api-key"] ?? [];
  const allowAnonymous = given["allow-anonymous"] ?? false;
  if (allowAnonymous && apiKeys.length > 0) throw usageError("--allow-anonymous and API keys exclude each other; leave out the flag, or --api-key and EVENT_ROUTER_API_KEYS", "start");
  if (given.auth !== undefined && (apiKeys.length > 0 || allowAnonymous)) throw usageError(`--auth and ${allowAnonymous ? "--allow-anonymous" : "API keys of the command line (--api-key, EVENT_ROUTER_API_KEYS)"} exclude each other; put all into the file`, "start");
  if (!isLoopback(host) && apiKeys.length === 0 && !allowAnonymous && given.auth === undefined) {
    throw usageError(`--host ${host} lets other machines in, and nothing says whom: give --api-key KEY (or EVENT_ROUTER_API_KEYS), or --allow-anonymous if everybody who reaches it may do everything`, "start");
  }
  const auth = given.auth === undefined ? undefined : readAuthFile(given.auth);
  if (auth?.certificates !== undefined && given["tls-ca"] === undefined) throw usageError(`${given.auth} lets client certificates in, and nothing says who signs them: give --tls-ca FILE, with --tls-cert and --tls-key`, "start");
  return {
    host, port: readCount(port, "--port", "start", [0, 65_535]), store: readStore(given.store ?? "memory"),
    ...(apiKeys.length > 0 && { apiKeys }), ...(auth !== undefined && { auth }), ...readTls(given), ...(given.rate !== undefined && { rates: readRates(given.rate) }), ...(allowAnonymous && { allowAnonymous }), ...(given.origin !== undefined && { origins: given.origin.map(readOrigin) }),
    retention: readRetention(given),
  };
}

/** The folder of the log's file, made if it is not there. */
export async function prepareStore(store: string): Promise<void> {
  if (store.startsWith("sqlite:")) await makeFolder(dirname(resolve(store.slice("sqlite:".length))));
}

function readStore(text: string): StoreName {
  if (!/^(memory|sqlite:.+|rediss?:\/\/.+)$/s.test(text)) throw usageError(`--store is memory, sqlite:FILE, as sqlite:data/router.db, or redis://HOST, as redis://localhost:6379; got ${JSON.stringify(shownStore(text))}`, "start");
  return text as StoreName;
}

/** A store's name as it may be shown: without a password. */
export function shownStore(text: string): string {
  return text.replace(/^(rediss?:\/\/)[^/@]*@/, "$1");
}

function readOrigin(text: string): string {
  if (!URL.canParse(text) || new URL(text).origin !== text) throw usageError(`--origin is as https://app.example.com, without a path; got ${JSON.stringify(text)}`, "start");
  return text;
}

function readTls({ "tls-cert": cert, "tls-key": key, "tls-ca": ca }: Given): Pick<ServeOptions, "tls"> {
  if (cert === undefined && key === undefined && ca === undefined) return {};
  if (cert === undefined || key === undefined) throw usageError("--tls-cert and --tls-key belong together; give both", "start");
  return { tls: { cert, key, ...(ca !== undefined && { ca }) } };
}

function readRates(texts: readonly string[]): RateLimits {
  return Object.fromEntries(texts.map((text) => {
    const [, kind, perSecond, burst] = /^(publish|request|subscribe|call|connect)=(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text) ?? [];
    if (kind === undefined || Number(perSecond) === 0 || burst === "0") throw usageError(`--rate is as publish=100 or publish=100/500, of publish, request, subscribe, call and connect; got ${JSON.stringify(text)}`, "start");
    return [kind, { perSecond: Number(perSecond), ...(burst !== undefined && { burst: Number(burst) }) }];
  }));
}

function readRetention({ "retain-age": age, "retain-events": events, "retain-bytes": bytes }: Given) {
  return {
    ...(age !== undefined && { maxAge: readDuration(age, "--retain-age", "start") }),
    ...(events !== undefined && { maxEvents: readCount(events, "--retain-events", "start", [1, Number.MAX_SAFE_INTEGER]) }),
    ...(bytes !== undefined && { maxBytes: readSize(bytes, "--retain-bytes", "start") }),
  };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

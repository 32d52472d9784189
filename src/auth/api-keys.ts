import { AuthenticationError, ValidationError } from "../core/errors.ts";
import type { Credential } from "../core/frames.ts";
import type { Principal, SavedPrincipal } from "../core/policy.ts";
import { base64url, equalDigests, fromBase64url, hex, sha256 } from "./digest.ts";
import { Grant, type GrantInit } from "./grant.ts";
import { Revocations, type RevocablePolicy } from "./revocable.ts";
import { RightsPool } from "./rights.ts";

/** An API key as a router keeps it: never the key itself. */
export interface ApiKey extends GrantInit {
  /** What stands before the dot of `id.secret`. */
  readonly id: string;
  /** SHA-256 of the secret behind the dot, in hex or base64url. */
  readonly hash: string;
  /** Who its holder is, the `publisher` of its events; default `key:` and the id. */
  readonly subject?: string | undefined;
  /** The only client name that its holder may use. */
  readonly name?: string | undefined;
  /** When it is good no more: RFC 3339, or ms since 1970. */
  readonly expiresAt?: string | number | undefined;
}

export interface ApiKeyPolicy extends RevocablePolicy {
  /** Takes these keys in place of those so far, at this router. What is not among them any more is thrown out, and changed rights hold, at once. */
  replace(keys: readonly (ApiKey | string)[]): Promise<void>;
  /** Forgets a key for good, at every router that shares the store, and throws out who came with it. Its id may be given to another secret. */
  revoke(id: string): void;
}

interface Entry {
  readonly id: string;
  readonly digest: Uint8Array;
  readonly subject: string;
  readonly name: string | undefined;
  readonly expiresAt: number | undefined;
  readonly grant: Grant;
}

/** What a key is known by where it is revoked: with its id another secret may come. A part of the digest tells nothing of the secret. */
function markOf({ id, digest }: Entry): string { return `${id} ${hex(digest.slice(0, 8))}`; }

/** A secret has at least 128 bits, if it was made at random: 22 characters, or 32 if it looks like hex. */
export const SECRET = { characters: 22, hexDigits: 32 } as const;
const ID = /^[\w-]{1,64}$/;
/** Compared where there is no such key, so that this takes as long. */
const NOBODY = new Uint8Array(32);

/**
 * Lets in who holds a key `id.secret`. A key that is given as text, with or without an id, may do everything in every namespace.
 * @throws ValidationError `ERR_API_KEY` for a key that is malformed or too short.
 */
export async function apiKeyPolicy(keys: readonly (ApiKey | string)[], now: () => number = Date.now): Promise<ApiKeyPolicy> {
  const pool = new RightsPool();
  const revocations = new Revocations();
  /** Marks of keys that were revoked, in whatever list they come again. */
  const gone = new Set<string>();
  let entries = await read(keys, pool);

  const forget = (mark: string): void => {
    gone.add(mark);
    const entry = [...entries.values()].find((one) => markOf(one) === mark);
    if (entry === undefined) return;
    entries.delete(entry.id);
    revocations.tell(entry.subject);
  };
  const principalOf = (entry: Entry, namespace: string): Principal => {
    const { subject, name, expiresAt, grant } = entry;
    if (expiresAt !== undefined && expiresAt <= now()) throw new AuthenticationError("ERR_EXPIRED", "this API key has run out; ask for a new one");
    return { subject, ...grant.in(namespace), origin: entry.id, ...(name !== undefined && { name }), ...(expiresAt !== undefined && { expiresAt }) };
  };
  /** By the key that let it in, as that is now. */
  const again = ({ origin, subject, name }: SavedPrincipal, namespace: string): Principal => {
    const entry = entries.get(origin as string);
    if (entry === undefined || entry.subject !== subject || entry.name !== name) throw new AuthenticationError("ERR_REVOKED", "this API key was withdrawn; ask for a new one");
    return principalOf(entry, namespace);
  };

  return {
    watch: revocations.watch,
    withdrawn: revocations.withdrawn,
    withdraw: (what) => forget(what as string),
    async authenticate(credential, namespace) {
      const key = keyOf(credential);
      if (key === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", 'this router takes API keys: send one as X-API-Key over HTTP, or as auth: { type: "api_key", key } in a client');
      const [id, secret] = await partsOf(key);
      const digest = await sha256(secret);
      const entry = entries.get(id);
      if (!equalDigests(entry?.digest ?? NOBODY, digest) || entry === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", "this API key is not one of the router's; check it for a typing mistake, or ask for a new one");
      return principalOf(entry, namespace);
    },
    review: again,
    restore: again,
    async replace(next) {
      const all = await read(next, pool);
      for (const entry of all.values()) if (gone.has(markOf(entry))) all.delete(entry.id);
      entries = all;
      revocations.tell();
    },
    revoke(id) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      const mark = markOf(entry);
      forget(mark);
      revocations.pass({ what: mark, lasts: true });
    },
  };
}

/** A new key, to be given to its holder, and what the router keeps of it. */
export async function createApiKey(init: Omit<ApiKey, "hash">): Promise<{ readonly key: string; readonly entry: ApiKey }> {
  const secret = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const entry = { ...init, hash: hex(await sha256(secret)) };
  await read([entry], new RightsPool());
  return { key: `${init.id}.${secret}`, entry };
}

async function read(keys: readonly (ApiKey | string)[], pool: RightsPool): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for (const [i, key] of keys.entries()) {
    const entry = typeof key === "string" ? await readText(key, i, pool) : readKey(key, i, pool);
    if (entries.has(entry.id)) throw invalid(i, `there is another key with the id "${entry.id}"; ids must differ`);
    entries.set(entry.id, entry);
  }
  return entries;
}

async function readText(key: string, i: number, pool: RightsPool): Promise<Entry> {
  const [id, secret] = await partsOf(key);
  if (secret.length < (/^[\da-f]*$/i.test(secret) ? SECRET.hexDigits : SECRET.characters)) throw invalid(i, `can be guessed: its secret must have ${SECRET.characters} random characters or more, ${SECRET.hexDigits} if they are hex; make one with: event-router token --api-key`);
  return { id, digest: await sha256(secret), subject: `key:${id}`, name: undefined, expiresAt: undefined, grant: new Grant({ namespaces: ["*"], permissions: ["admin"] }, pool) };
}

function readKey({ id, hash, subject, name, expiresAt, ...grant }: ApiKey, i: number, pool: RightsPool): Entry {
  if (typeof id !== "string" || !ID.test(id)) throw invalid(i, "needs an id of 1 to 64 characters of A-Z a-z 0-9 _ -");
  const time = expiresAt === undefined ? undefined : typeof expiresAt === "number" ? expiresAt : Date.parse(expiresAt);
  if (Number.isNaN(time)) throw invalid(i, "has an expiresAt that is no time, as 2027-01-31T00:00:00Z");
  return { id, digest: readHash(hash, i), subject: subject ?? `key:${id}`, name, expiresAt: time, grant: new Grant(grant, pool) };
}

function readHash(hash: unknown, i: number): Uint8Array {
  const digest = typeof hash === "string" ? (/^[\da-f]{64}$/i.test(hash) ? Uint8Array.from(hash.match(/../g)!, (pair) => Number.parseInt(pair, 16)) : /^[\w-]{43}$/.test(hash) ? fromBase64url(hash) : undefined) : undefined;
  if (digest === undefined) throw invalid(i, "needs hash, the SHA-256 of its secret in hex or base64url; event-router token --api-key prints it");
  return digest;
}

/** `id.secret`; a key without a dot is all secret, and named after the beginning of its digest. */
async function partsOf(key: string): Promise<[id: string, secret: string]> {
  const dot = key.indexOf(".");
  const id = key.slice(0, dot);
  return dot > 0 && ID.test(id) ? [id, key.slice(dot + 1)] : [hex((await sha256(key)).slice(0, 4)), key];
}

/** A credential comes from a client and may be anything. */
function keyOf(credential: Credential | undefined): string | undefined {
  return credential?.type === "api_key" && typeof credential.key === "string" && credential.key.length <= 512 ? credential.key : undefined;
}

function invalid(i: number, message: string): ValidationError {
  return new ValidationError("ERR_API_KEY", `apiKeys[${i}] ${message}`, { details: { path: `apiKeys.${i}` } });
}

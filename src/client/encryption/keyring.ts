import { EncryptionError, ValidationError } from "../../core/errors.ts";
import { assertPattern, matchesPattern } from "../../core/pattern.ts";
import { checkOptions, invalidOption } from "../check-options.ts";
import type { EncryptionKey, EncryptionOptions } from "./encryption-options.ts";
import { keyWrap, type KeyWrap } from "./key-wrap.ts";

const DEFAULT_KEY = "default";
/** Types whose answer is remembered: programs have few. */
const MOST_TYPES = 1_000;

/** The keys of a client, and which types need them. */
export interface Keyring {
  readonly keys: ReadonlyMap<string, KeyWrap>;
  /** The key to encrypt with, and its name. */
  readonly active: { readonly kid: string; readonly key: KeyWrap } | undefined;
  /** Whether payloads of a type are encrypted. */
  encrypts(type: string): boolean;
  /** Whether a type is never in the clear. */
  requires(type: string): boolean;
}

/** Checks the options. @throws ValidationError, EncryptionError `ERR_KEY` */
export async function keyring(options: EncryptionOptions): Promise<Keyring> {
  checkOptions(options, "enabled algorithm key keys activeKey types required", "encryption");
  const { enabled = true, algorithm = "AES-256-GCM", types = ["**"], required = [] } = options;
  if (typeof enabled !== "boolean") throw invalidOption("encryption.enabled", "must be true or false");
  if (algorithm !== "AES-256-GCM") throw invalidOption("encryption.algorithm", 'must be "AES-256-GCM"; there is no other');
  const given = givenKeys(options);
  const keys = new Map<string, KeyWrap>();
  for (const [kid, key] of given) keys.set(kid, await keyWrap(key, options.key === undefined ? `encryption.keys["${kid}"]` : "encryption.key"));
  const kid = options.activeKey ?? (keys.size === 1 ? given[0]![0] : undefined);
  const key = kid === undefined ? undefined : keys.get(kid);
  if (kid !== undefined && key === undefined) throw invalidOption("encryption.activeKey", `must name one of encryption.keys (${[...keys.keys()].join(", ") || "there are none"}); got ${JSON.stringify(kid)}`);
  if (enabled && key === undefined) throw new EncryptionError("ERR_KEY", keys.size === 0 ? "encryption is enabled, but there is no encryption.key; make one with `event-router keys generate`" : "encryption.activeKey must say which of encryption.keys to encrypt with", { details: { path: "encryption.key" } });
  const demanded = anyOf(required, "required");
  // The router's own records are in the clear; what they hold of events is as those are.
  const requires = (type: string): boolean => !type.startsWith("$") && demanded(type);
  const encrypts = anyOf(enabled ? types : [], "types");
  return { keys, active: key && { kid: kid!, key }, requires, encrypts: (type) => encrypts(type) || requires(type) };
}

function givenKeys({ key, keys, activeKey }: EncryptionOptions): (readonly [kid: string, key: EncryptionKey])[] {
  if (key !== undefined) {
    if (keys !== undefined || activeKey !== undefined) throw invalidOption("encryption.key", "is for a client with one key; with encryption.keys and activeKey leave it out");
    return [[DEFAULT_KEY, key]];
  }
  if (keys === undefined) return [];
  if (typeof keys !== "object" || keys === null) throw invalidOption("encryption.keys", "must be an object of keys by their names");
  for (const kid of Object.keys(keys)) if (!/^[\w.:-]{1,64}$/.test(kid)) throw invalidOption(`encryption.keys[${JSON.stringify(kid.slice(0, 64))}]`, "must have a name of 1 to 64 characters of A-Z a-z 0-9 _ . : -");
  return Object.entries(keys);
}

function anyOf(patterns: readonly string[], name: string): (type: string) => boolean {
  if (!Array.isArray(patterns)) throw invalidOption(`encryption.${name}`, 'must be an array of patterns, such as ["order.*"]');
  for (const pattern of patterns as unknown[]) {
    try {
      assertPattern(pattern);
    } catch (cause) {
      throw new ValidationError("ERR_PATTERN", `encryption.${name}: ${(cause as Error).message}`, { cause, details: { path: `encryption.${name}` } });
    }
  }
  const known = new Map<string, boolean>();
  return (type) => {
    let matches = known.get(type);
    if (matches === undefined) {
      // What is no type is refused by the router; until then it is as secret as any.
      matches = patterns.some((pattern) => pattern === "**" || typeof type !== "string" || matchesPattern(pattern, type));
      if (known.size === MOST_TYPES) known.clear();
      known.set(type, matches);
    }
    return matches;
  };
}

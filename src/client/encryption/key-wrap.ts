import { EncryptionError } from "../../core/errors.ts";
import type { EncryptionKey } from "./encryption-options.ts";

/** A key of the application's: it encrypts content keys, never content (A256KW, RFC 3394). */
export interface KeyWrap {
  wrap(contentKey: Uint8Array): Promise<Uint8Array>;
  /** Rejects if it was wrapped with another key, or changed. */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}

const KEY_LENGTH = 32;
const MAKE_ONE = "make one with `event-router keys generate`, keep it as a secret, and pass it as it is. A pass phrase is no key: it can be guessed";

/**
 * Checks a key, and makes it ready.
 * @param at names it in messages
 * @throws EncryptionError `ERR_KEY`
 */
export async function keyWrap(key: EncryptionKey, at: string): Promise<KeyWrap> {
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  if (isCryptoKey(key)) {
    const { name, length } = key.algorithm as AesKeyAlgorithm;
    if (name !== "AES-KW" || length !== KEY_LENGTH * 8 || !key.usages.includes("unwrapKey")) throw refused(at, `is a CryptoKey for ${name} of ${length} bits and the usages ${key.usages.join(", ")}; it must be for AES-KW, of 256 bits, with the usages wrapKey and unwrapKey`);
    return webKeyWrap(subtle!, key);
  }
  const bytes = bytesOf(key, at);
  if (subtle !== undefined) return webKeyWrap(subtle, await subtle.importKey("raw", bytes, "AES-KW", false, ["wrapKey", "unwrapKey"]));
  const { aeskw } = await import("@noble/ciphers/aes.js");
  const cipher = aeskw(bytes);
  return { wrap: async (contentKey) => cipher.encrypt(contentKey), unwrap: async (wrapped) => cipher.decrypt(wrapped) };
}

/** WebCrypto wraps keys only, so content keys pass through one that may be exported. */
function webKeyWrap(subtle: SubtleCrypto, key: CryptoKey): KeyWrap {
  return {
    async wrap(contentKey) {
      const inner = await subtle.importKey("raw", contentKey as Uint8Array<ArrayBuffer>, "AES-GCM", true, ["encrypt"]);
      return new Uint8Array(await subtle.wrapKey("raw", inner, key, "AES-KW"));
    },
    async unwrap(wrapped) {
      const inner = await subtle.unwrapKey("raw", wrapped as Uint8Array<ArrayBuffer>, key, "AES-KW", "AES-GCM", true, ["decrypt"]);
      return new Uint8Array(await subtle.exportKey("raw", inner));
    },
  };
}

function isCryptoKey(key: unknown): key is CryptoKey {
  return typeof CryptoKey !== "undefined" && key instanceof CryptoKey;
}

/** A copy: changing the array afterwards changes nothing. */
function bytesOf(key: unknown, at: string): Uint8Array<ArrayBuffer> {
  if (key instanceof Uint8Array) {
    if (key.length === KEY_LENGTH) return Uint8Array.from(key);
    throw refused(at, `has ${key.length} bytes; it must have ${KEY_LENGTH}: ${MAKE_ONE}`);
  }
  if (typeof key !== "string") throw refused(at, `must be ${KEY_LENGTH} bytes (Uint8Array), base64 of them, or a CryptoKey for AES-KW; ${MAKE_ONE}`);
  // 43 digits of base64 are 258 bits: the last two are nothing.
  if (!/^(?:[A-Za-z0-9+/]{42}|[\w-]{42})[AEIMQUYcgkosw048]=?$/.test(key)) throw refused(at, `is a text of ${key.length} characters that is not base64 of ${KEY_LENGTH} bytes; ${MAKE_ONE}`);
  return Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
}

function refused(at: string, why: string): EncryptionError {
  return new EncryptionError("ERR_KEY", `${at} ${why}`, { details: { path: at } });
}

/**
 * AES-256-GCM under one content key, over texts as JWE has them: `aad` is ASCII; ciphertext, tag, and the IV of what is opened are base64url. A failed decryption throws
 * or rejects, and tells nothing.
 */
export interface ContentCipher {
  /** @returns `ciphertext.tag` */
  encrypt(iv: Uint8Array, aad: string, text: string): string | Promise<string>;
  decrypt(iv: string, aad: string, ciphertext: string, tag: string): string | Promise<string>;
}

/** Who does the work. */
export interface Engine {
  readonly name: "node:crypto" | "WebCrypto" | "@noble/ciphers";
  /** @param key 32 bytes */
  cipher(key: Uint8Array): ContentCipher | Promise<ContentCipher>;
}

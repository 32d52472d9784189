import { checkLength } from "./base64url.ts";
import type { Engine } from "./engine.ts";

/** The part of node:crypto that is used: named by its shape, so that no bundle for a browser looks for it. */
interface NodeCrypto {
  createSecretKey(key: Uint8Array): unknown;
  createCipheriv(name: string, key: unknown, iv: Uint8Array): Cipher & { getAuthTag(): Buffer };
  createDecipheriv(name: string, key: unknown, iv: Uint8Array, options: { authTagLength: number }): Cipher & { setAuthTag(tag: Uint8Array): void };
}
interface Cipher { setAAD(data: Uint8Array): void; update(text: string, encoding: string): Buffer; final(): Buffer }

const NAME = "aes-256-gcm";
/** A shorter tag would be taken otherwise. */
const OPTIONS = { authTagLength: 16 };

/** node:crypto, at once: no promise is made. */
export function nodeEngine(module: unknown): Engine {
  const { createSecretKey, createCipheriv, createDecipheriv } = module as NodeCrypto;
  return {
    name: "node:crypto",
    cipher(bytes) {
      const key = createSecretKey(bytes);
      return {
        encrypt(iv, aad, text) {
          const cipher = createCipheriv(NAME, key, iv);
          cipher.setAAD(Buffer.from(aad, "latin1"));
          // GCM is a stream: all of it comes at once, and nothing at the end.
          const ciphertext = cipher.update(text, "utf8");
          cipher.final();
          return `${ciphertext.toString("base64url")}.${cipher.getAuthTag().toString("base64url")}`;
        },
        decrypt(iv, aad, ciphertext, tag) {
          const decipher = createDecipheriv(NAME, key, iv, OPTIONS);
          decipher.setAAD(Buffer.from(aad, "latin1"));
          decipher.setAuthTag(Buffer.from(tag, "base64url"));
          const text = decipher.update(ciphertext, "base64url");
          // Before a byte of it is used: this is what checks the tag.
          decipher.final();
          checkLength(text, ciphertext);
          return text.toString("utf8");
        },
      };
    },
  };
}

import { lengthOf } from "./base64url.ts";
import type { ContentCipher, Engine } from "./engine.ts";

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

/** node:crypto, at once: no promise is made. Undefined where it lacks what it takes. */
export function nodeEngine(module: unknown): Engine | undefined {
  const { createSecretKey, createCipheriv, createDecipheriv } = module as NodeCrypto;
  const engine: Engine = {
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
          const decipher = createDecipheriv(NAME, key, Buffer.from(iv, "base64url"), OPTIONS);
          decipher.setAAD(Buffer.from(aad, "latin1"));
          decipher.setAuthTag(Buffer.from(tag, "base64url"));
          const text = decipher.update(ciphertext, "base64url");
          // Before a byte of it is used: this is what checks the tag.
          decipher.final();
          // Buffer passes over what is no digit.
          if (text.length !== lengthOf(ciphertext)) throw new RangeError("no base64url");
          return text.toString("utf8");
        },
      };
    },
  };
  return works(engine) ? engine : undefined;
}

/** Where there is a node:crypto that is no Node's, not all of it need be there. */
function works(engine: Engine): boolean {
  const [aad, text] = ["aad", "text"];
  try {
    const { encrypt, decrypt } = engine.cipher(new Uint8Array(32)) as ContentCipher;
    const [ciphertext, tag] = (encrypt(new Uint8Array(12), aad, text) as string).split(".") as [string, string];
    return decrypt("A".repeat(16), aad, ciphertext, tag) === text;
  } catch {
    return false;
  }
}

import { checkLength, fromBase64url, toBase64url } from "./base64url.ts";
import type { Engine } from "./engine.ts";

const TAG_LENGTH = 16;

/** WebCrypto. */
export function webEngine(subtle: SubtleCrypto): Engine {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  return {
    name: "WebCrypto",
    async cipher(bytes) {
      const key = await subtle.importKey("raw", bytes as Uint8Array<ArrayBuffer>, "AES-GCM", false, ["encrypt", "decrypt"]);
      const algorithm = (iv: Uint8Array, aad: string) => ({ name: "AES-GCM", iv: iv as Uint8Array<ArrayBuffer>, additionalData: encoder.encode(aad) });
      return {
        async encrypt(iv, aad, text) {
          const sealed = new Uint8Array(await subtle.encrypt(algorithm(iv, aad), key, encoder.encode(text)));
          const end = sealed.length - TAG_LENGTH;
          return `${toBase64url(sealed.subarray(0, end))}.${toBase64url(sealed.subarray(end))}`;
        },
        async decrypt(iv, aad, ciphertext, tag) {
          return decoder.decode(await subtle.decrypt(algorithm(iv, aad), key, joined(ciphertext, tag)));
        },
      };
    },
  };
}

/** As WebCrypto and noble have it: the tag behind the ciphertext. */
export function joined(ciphertext: string, tag: string): Uint8Array<ArrayBuffer> {
  const text = fromBase64url(ciphertext);
  checkLength(text, ciphertext);
  const bytes = new Uint8Array(text.length + TAG_LENGTH);
  bytes.set(text);
  bytes.set(fromBase64url(tag), text.length);
  return bytes;
}

import { gcm } from "@noble/ciphers/aes.js";
import { toBase64url } from "./base64url.ts";
import type { Engine } from "./engine.ts";
import { joined } from "./web-engine.ts";

const TAG_LENGTH = 16;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JavaScript, where there is nothing else. */
export const nobleEngine: Engine = {
  name: "@noble/ciphers",
  cipher: (key) => ({
    encrypt(iv, aad, text) {
      const sealed = gcm(key, iv, encoder.encode(aad)).encrypt(encoder.encode(text));
      const end = sealed.length - TAG_LENGTH;
      return `${toBase64url(sealed.subarray(0, end))}.${toBase64url(sealed.subarray(end))}`;
    },
    decrypt: (iv, aad, ciphertext, tag) => decoder.decode(gcm(key, iv, encoder.encode(aad)).decrypt(joined(ciphertext, tag))),
  }),
};

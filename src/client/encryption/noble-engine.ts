import { gcm } from "@noble/ciphers/aes.js";
import { fromBase64url, lengthOf, putBase64url, toBase64url } from "./base64url.ts";
import type { Engine } from "./engine.ts";

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
    decrypt(iv, aad, ciphertext, tag) {
      // As noble has it: the tag behind the ciphertext.
      const end = lengthOf(ciphertext);
      const sealed = new Uint8Array(end + TAG_LENGTH);
      putBase64url(ciphertext, sealed);
      putBase64url(tag, sealed.subarray(end));
      return decoder.decode(gcm(key, fromBase64url(iv), encoder.encode(aad)).decrypt(sealed));
    },
  }),
};

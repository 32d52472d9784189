import type { ContentCipher, Engine } from "./engine.ts";

/**
 * The fastest that is there, at all sizes: node:crypto works at once and without a thread's hop (also in Deno and Bun); in a browser WebCrypto is 6 to 50 times as
 * fast as JavaScript, and a page on plain http, which has none, gets `@noble/ciphers`. `test/bench/encryption.bench.mjs` shows the figures.
 */
export async function chooseEngine(): Promise<Engine> {
  const { process, crypto } = globalThis as { process?: { getBuiltinModule?(name: string): unknown }; crypto?: { subtle?: SubtleCrypto } };
  const module = process?.getBuiltinModule?.("node:crypto");
  const node = module === undefined ? undefined : (await import("./node-engine.ts")).nodeEngine(module);
  if (node !== undefined && works(node)) return node;
  if (crypto?.subtle !== undefined) return (await import("./web-engine.ts")).webEngine(crypto.subtle);
  return (await import("./noble-engine.ts")).nobleEngine;
}

/** Where there is a node:crypto that is no Node's, not all of it need be there. */
function works(engine: Engine): boolean {
  const [iv, aad, text] = [new Uint8Array(12), "aad", "text"];
  try {
    const { encrypt, decrypt } = engine.cipher(new Uint8Array(32)) as ContentCipher;
    const [ciphertext, tag] = (encrypt(iv, aad, text) as string).split(".") as [string, string];
    return decrypt(iv, aad, ciphertext, tag) === text;
  } catch {
    return false;
  }
}

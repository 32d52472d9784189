import type { Engine } from "./engine.ts";

/**
 * The fastest that is there, at all sizes: node:crypto works at once and without a thread's hop (also in Deno and Bun); in a browser WebCrypto is 6 to 50 times as
 * fast as JavaScript, and a page on plain http, which has none, gets `@noble/ciphers`. `test/bench/encryption.bench.mjs` shows the figures.
 */
export async function chooseEngine(): Promise<Engine> {
  const { process, crypto } = globalThis as { process?: { getBuiltinModule?(name: string): object | undefined }; crypto?: { subtle?: SubtleCrypto } };
  const module = process?.getBuiltinModule?.("node:crypto");
  return (module && (await import("./node-engine.ts")).nodeEngine(module))
    ?? (crypto?.subtle ? (await import("./web-engine.ts")).webEngine(crypto.subtle) : (await import("./noble-engine.ts")).nobleEngine);
}

import { vi } from "vitest";
import { Client } from "../../../src/client/client.ts";
import type { EncryptionOptions } from "../../../src/client/encryption/encryption-options.ts";
import { chooseEngine } from "../../../src/client/encryption/choose-engine.ts";
import type { Engine } from "../../../src/client/encryption/engine.ts";
import { openVault } from "../../../src/client/encryption/open-vault.ts";
import type { Vault } from "../../../src/client/encryption/vault.ts";
import type { BaseOptions } from "../../../src/client/options.ts";
import type { RouterEvent } from "../../../src/core/event.ts";
import { randomText } from "../../../src/core/event-id.ts";
import { Router } from "../../../src/core/router.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../../src/links/in-process.ts";
import { memoryStore } from "../../../src/stores/memory.ts";

export const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
export const OTHER_KEY = "_v38-_r5-Pf29fTz8vHw7-7t7Ovq6ejn5uXk4-Lh4N8";
export const bytesOf = (key: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(key, "base64"));

export const ENGINES = ["node:crypto", "WebCrypto", "@noble/ciphers"] as const;

/** Takes from this process what is better than the named engine, as a browser or a page on plain http would be, until `vi.restoreAllMocks` and `vi.unstubAllGlobals`. */
export function pretend(engine: (typeof ENGINES)[number]): void {
  if (engine === "node:crypto") return;
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
  if (engine === "@noble/ciphers") vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
}

export async function engineOf(name: (typeof ENGINES)[number]): Promise<Engine> {
  pretend(name);
  try {
    return await chooseEngine();
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  }
}

/** What a client encrypts with, without a client. */
export function vaultOf(options: EncryptionOptions, { engine, namespace, mostMessages }: { engine?: Engine; namespace?: string; mostMessages?: number } = {}): Promise<Vault> {
  const connection = { welcome: undefined, clock } as never;
  return openVault(options, { connection, requests: undefined as never, options: { ...(namespace !== undefined && { namespace }) }, randomBytes, report: () => {}, ...(engine && { engine }), ...(mostMessages !== undefined && { mostMessages }) });
}

/** A payload as the vault's client would publish it. @param payload JSON */
export async function seal(vault: Vault, type: string, id: string, payload: string): Promise<unknown> {
  const event = { id, type, text: { head: `${JSON.stringify(type)},`, payload, tail: "]" }, line: "", own: true };
  await new Promise<void>((resolve, reject) => {
    if (vault.seal({ settled: false, events: [event], resolve: () => {}, reject }, (error) => (error === undefined ? resolve() : reject(error as Error)))) resolve();
  });
  return (JSON.parse(event.line) as unknown[])[2];
}

export function eventWith(payload: unknown, { id = `evt_${randomText(25, randomBytes)}`, type = "order.placed" }: { id?: string; type?: string } = {}): RouterEvent {
  return { id, type, payload, seq: 1, epoch: "E", timestamp: "2026-01-01T00:00:00.000Z", priority: 5 };
}

export interface Place extends AsyncDisposable {
  readonly router: Router;
  connect(options?: BaseOptions): Client;
}

/** A router in this process, and clients of it. */
export function place(): Place {
  const router: Router = new Router({ store: memoryStore({ randomBytes }), surroundings: serverSurroundings(() => router.tick()), onError: (error) => console.error(error) });
  const clients: Client[] = [];
  return {
    router,
    connect(options) {
      const client = new Client({ makeLink: () => inProcessLink(router), clock, random: Math.random, randomBytes }, options);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
      await router.close();
    },
  };
}

import { afterAll, beforeAll, describe, test } from "vitest";
import { memoryStore } from "../../src/stores/memory.ts";
import { redisStore } from "../../src/stores/redis.ts";
import type { Peers } from "../../src/core/peers.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { peersContract } from "../contract/peers/peers-contract.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";
import { PeerHub } from "../support/peer-hub.ts";
import { RedisServer } from "../support/redis-server.ts";

describe("the routers of a simulation", () => peersContract({ test }, async () => {
  let time = 0;
  let routers = 0;
  const store = memoryStore({ randomBytes: new FakeSurroundings().randomBytes });
  const hub = new PeerHub(await store.open("default"), { now: () => time, carry: (_from, _to, _text, deliver) => queueMicrotask(deliver) });
  return {
    open: async () => hub.join(`r${++routers}`),
    turn: async () => {
      time += 10;
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
    cleanup: async () => {},
  };
}));

describe("redis-server", () => {
  let server: RedisServer;
  beforeAll(async () => { server = await RedisServer.start(); });
  afterAll(() => server[Symbol.asyncDispose]());
  let logs = 0;
  peersContract({ test }, async () => {
    const prefix = `peers${++logs}:`;
    const stores: Store[] = [];
    return {
      open: async () => {
        const store = await redisStore(server.url, { prefix, onError: (error) => { throw error; } });
        stores.push(store);
        return await store.open("default") as Log & { readonly peers: Peers };
      },
      turn: () => new Promise<void>((resolve) => setTimeout(resolve, 5)),
      cleanup: async () => { for (const store of stores) await store.close(); },
    };
  });
});

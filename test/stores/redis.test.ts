import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { redisStore } from "../../src/stores/redis.ts";
import type { StoreFactory } from "../contract/store/kit.ts";
import { storeContract } from "../contract/store/store-contract.ts";
import { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
beforeAll(async () => { server = await RedisServer.start(); });
afterAll(() => server[Symbol.asyncDispose]());

let stores = 0;
/** A store under a prefix of its own on the one server. */
const redis: StoreFactory = {
  durable: true,
  async make(onError) {
    const prefix = `test${++stores}:`;
    let store = await redisStore(server.url, { prefix, onError });
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await redisStore(server.url, { prefix, onError }));
      },
      cleanup: () => store.close(),
    };
  },
};

describe("redis-server", () => storeContract({ test }, redis, fc));

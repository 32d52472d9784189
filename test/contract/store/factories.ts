import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "../../../src/stores/memory.ts";
import { redisStore } from "../../../src/stores/redis.ts";
import { sqliteStore } from "../../../src/stores/sqlite.ts";
import type { StoreFactory } from "./kit.ts";

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

export const memory: StoreFactory = {
  durable: false,
  async make(onError) {
    const store = memoryStore({ randomBytes, onError });
    return {
      store,
      async reopen() {
        await store.close();
        return store;
      },
      cleanup: () => store.close(),
    };
  },
};

/** SQLite in a file of its own, which stays on the disk until the test is over. */
export const sqlite: StoreFactory = {
  durable: true,
  async make(onError) {
    const folder = await mkdtemp(join(tmpdir(), "event-router-"));
    const file = join(folder, "events.db");
    let store = await sqliteStore(file, { onError });
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await sqliteStore(file, { onError }));
      },
      async cleanup() {
        await store.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

/** A Redis that is there, where each store has a prefix of its own. */
export function redis(url: () => string): StoreFactory {
  return {
    durable: true,
    async make(onError) {
      const prefix = `${crypto.randomUUID()}:`;
      let store = await redisStore(url(), { prefix, onError });
      return {
        store,
        async reopen() {
          await store.close();
          return (store = await redisStore(url(), { prefix, onError }));
        },
        cleanup: () => store.close(),
      };
    },
  };
}

import fc from "fast-check";
import { PatternClient } from "../../../src/pattern-client.ts";
import type { Clock, Surroundings } from "../../../src/core/clock.ts";
import type { Link } from "../../../src/core/link.ts";
import { Router } from "../../../src/core/router.ts";
import type { Store } from "../../../src/core/store.ts";
import { EventRouterClient } from "../../../src/event-router.ts";
import { inProcessLink } from "../../../src/links/in-process.ts";
import { indexedDbStore } from "../../../src/stores/indexeddb.ts";
import { PATIENT, type MakeHome } from "../../contract/router/kit.ts";
import { routerContract } from "../../contract/router/router-contract.ts";
import type { StoreFactory } from "../../contract/store/kit.ts";
import { storeContract } from "../../contract/store/store-contract.ts";
import type { Suite } from "../../contract/suite.ts";

export interface Result { readonly name: string; readonly error?: string }

/** Ends what hangs, ms. */
const TIMEOUT = 120_000;
let made = 0;
const newName = (): string => `contract ${Date.now()} ${made++}`;
const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error!);
  });
}

const indexedDb: StoreFactory = {
  durable: true,
  async make(onError) {
    const name = newName();
    let store = indexedDbStore(name, { onError });
    return {
      store,
      async reopen() {
        await store.close();
        return (store = indexedDbStore(name, { onError }));
      },
      async cleanup() {
        await store.close();
        await deleteDatabase(name);
      },
    };
  },
};

const clock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A router in the page, on its IndexedDB. */
const inPage: MakeHome = async ({ retention = {} } = {}) => {
  const name = newName();
  const makeStore = (): Store => indexedDbStore(name, { onError: (error) => console.error(error) });
  let store = makeStore();
  let router: Router;
  const start = (): void => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const surroundings: Surroundings = {
      now: () => Date.now(), randomBytes, defer: (callback) => void setTimeout(callback),
      wakeAt(time) {
        clearTimeout(timer);
        if (time !== null) timer = setTimeout(() => surroundings.wakeAt(router.tick()), Math.max(0, time - Date.now()));
      },
    };
    router = new Router({ store, surroundings, retention, onError: (error) => console.error(error) });
  };
  start();
  const links: Link[] = [];
  const clients: PatternClient[] = [];
  const stop = async (): Promise<void> => {
    await router.close({ retryAfter: 1 });
    await store.close();
  };
  return {
    durability: store.durability,
    connect(options) {
      const makeLink = (): Link => {
        const link = inProcessLink({ connect: (port, caller) => router.connect(port, caller) });
        links.push(link);
        return link;
      };
      const client = new PatternClient({ makeLink, clock, random: Math.random, randomBytes }, { ...PATIENT, ...options });
      clients.push(client);
      return client;
    },
    cut() {
      for (const link of links) link.restart();
    },
    async restart() {
      await stop();
      store = makeStore();
      start();
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await stop();
      await deleteDatabase(name);
    },
  };
};

/** A router in a SharedWorker, on its IndexedDB, reached by the public client. */
const inWorker: MakeHome = async ({ retention = {} } = {}) => {
  const name = newName();
  const orders = new BroadcastChannel(`end ${name}`);
  const end = (): Promise<void> => new Promise((resolve) => {
    orders.onmessage = () => resolve();
    orders.postMessage("end");
  });
  const clients: EventRouterClient[] = [];
  let begun = false;
  const makeWorker = (): SharedWorker => {
    begun = true;
    return new SharedWorker(`/contract-worker.js?${new URLSearchParams({ name, retention: JSON.stringify(retention) })}`, { type: "module" });
  };
  return {
    durability: "disk",
    connect(options) {
      const client = new EventRouterClient({ ...PATIENT, ...options, transport: "shared-worker", worker: makeWorker });
      clients.push(client);
      return client;
    },
    cut() {
      for (const client of clients) void client.reconnect();
    },
    restart: end,
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      if (begun) await end();
      orders.close();
      await deleteDatabase(name);
    },
  };
};

const suites: Readonly<Record<string, (suite: Suite) => void>> = {
  store: (suite) => storeContract(suite, indexedDb, fc),
  router: (suite) => routerContract(suite, inPage),
  "router in a SharedWorker": (suite) => routerContract(suite, inWorker),
};

function collect(suite: string): { readonly name: string; run(): Promise<void> }[] {
  const tests: { readonly name: string; run(): Promise<void> }[] = [];
  suites[suite]!({ test: (name, run) => void tests.push({ name, run }) });
  return tests;
}

/** @param every only each so-maniest test, for a short look */
export async function run(suite: string, part = "", every = 1): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, { name, run: runTest }] of collect(suite).filter((test) => test.name.includes(part)).entries()) {
    if (index % every !== 0) continue;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error(`not done after ${TIMEOUT} ms`)), TIMEOUT); });
      await Promise.race([runTest(), late]);
      results.push({ name });
    } catch (error) {
      results.push({ name, error: error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error) });
    }
    clearTimeout(timer);
  }
  return results;
}

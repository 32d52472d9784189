import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PatternClient } from "../../../src/pattern-client.ts";
import type { Link } from "../../../src/core/link.ts";
import { Router } from "../../../src/core/router.ts";
import type { Store } from "../../../src/core/store.ts";
import { EventRouterClient } from "../../../src/event-router.ts";
import { serve, type RunningServer } from "../../../src/hosts/server.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../../src/links/in-process.ts";
import { memoryStore } from "../../../src/stores/memory.ts";
import { sqliteStore } from "../../../src/stores/sqlite.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";
import type { MakeHome } from "./kit.ts";

/** A file that is gone when it is no longer wanted. */
function temporaryFile(): { readonly file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "event-router-"));
  return { file: join(folder, "log.db"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A router in this process, on either store. */
export function inProcess(kind: "memory" | "sqlite"): MakeHome {
  return async ({ retention = {} } = {}) => {
    const temporary = temporaryFile();
    const makeStore = async (): Promise<Store> => (kind === "memory" ? memoryStore({ randomBytes }) : sqliteStore(temporary.file));
    let store = await makeStore();
    let router: Router;
    const start = (): void => {
      const surroundings = serverSurroundings(() => router.tick());
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
        const client = new PatternClient({ makeLink, clock, random: Math.random, randomBytes }, options);
        clients.push(client);
        return client;
      },
      cut() {
        for (const link of links) link.restart();
      },
      ...(kind === "sqlite" && {
        async restart() {
          await stop();
          store = await makeStore();
          start();
        },
      }),
      async close() {
        await Promise.all(clients.map((client) => client.close()));
        await stop();
        temporary.remove();
      },
    };
  };
}

/** A server, reached over WebSocket through a proxy that can cut, on either store. */
export function webSocket(kind: "memory" | "sqlite"): MakeHome {
  return async ({ retention = {} } = {}) => {
    const temporary = temporaryFile();
    const start = (port: number): Promise<RunningServer> => serve({ port, store: kind === "memory" ? "memory" : `sqlite:${temporary.file}`, retention });
    let server = await start(0);
    const { port } = server;
    const proxy = await tcpProxy(() => port);
    const clients: EventRouterClient[] = [];
    return {
      durability: server.store.durability,
      connect(options) {
        const client = new EventRouterClient({ ...options, url: `ws://127.0.0.1:${proxy.port}`, reconnect: { minDelay: 5, maxDelay: 50 } });
        clients.push(client);
        return client;
      },
      cut: proxy.cut,
      ...(kind === "sqlite" && {
        async restart() {
          await server.close({ retryAfter: 1 });
          server = await start(port);
        },
      }),
      async close() {
        await Promise.all(clients.map((client) => client.close()));
        await proxy.close();
        await server.close();
        temporary.remove();
      },
    };
  };
}

/** Every home that a server runtime has. */
export const homes: readonly { readonly name: string; readonly make: MakeHome }[] = (["memory", "sqlite"] as const).flatMap((kind) => [
  { name: `${kind} store, in process`, make: inProcess(kind) },
  { name: `${kind} store, over WebSocket`, make: webSocket(kind) },
]);

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/** The same home, all of whose clients encrypt everything and take nothing in the clear. */
export const encrypted = (make: MakeHome): MakeHome => async (options) => {
  const home = await make(options);
  return { ...home, connect: (more) => home.connect({ encryption: { key: KEY, required: ["**"] }, ...more }) };
};

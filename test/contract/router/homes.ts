import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PatternClient } from "../../../src/pattern-client.ts";
import type { Link } from "../../../src/core/link.ts";
import { Router } from "../../../src/core/router.ts";
import type { Store } from "../../../src/core/store.ts";
import { EventRouterClient } from "../../../src/event-router.ts";
import { serve, type RunningServer, type ServeOptions } from "../../../src/hosts/server.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../../src/links/in-process.ts";
import { memoryStore } from "../../../src/stores/memory.ts";
import { sqliteStore } from "../../../src/stores/sqlite.ts";
import { fixedPort } from "../../support/fixed-port.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";
import { PATIENT, type MakeHome } from "./kit.ts";

/** Where a home keeps its log. */
export interface Place {
  /** As `serve` takes it. */
  readonly option: NonNullable<ServeOptions["store"]> & string;
  /** Whether what is in it outlives the router. */
  readonly outlives: boolean;
  open(): Promise<Store>;
  /** It is no longer wanted. */
  remove(): void;
}

export type MakePlace = () => Place;
type Kind = "memory" | "sqlite" | MakePlace;

const inMemory: MakePlace = () => ({ option: "memory", outlives: false, open: async () => memoryStore({ randomBytes }), remove() {} });

/** A file that is gone when it is no longer wanted. */
const inFile: MakePlace = () => {
  const folder = mkdtempSync(join(tmpdir(), "event-router-"));
  const file = join(folder, "log.db");
  return { option: `sqlite:${file}`, outlives: true, open: () => sqliteStore(file), remove: () => rmSync(folder, { recursive: true, force: true }) };
};

function placeOf(kind: Kind): Place {
  return kind === "memory" ? inMemory() : kind === "sqlite" ? inFile() : kind();
}

/** A router in this process. */
export function inProcess(kind: Kind): MakeHome {
  return async ({ retention = {} } = {}) => {
    const place = placeOf(kind);
    let store = await place.open();
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
        const client = new PatternClient({ makeLink, clock, random: Math.random, randomBytes }, { ...PATIENT, ...options });
        clients.push(client);
        return client;
      },
      cut() {
        for (const link of links) link.restart();
      },
      ...(place.outlives && {
        async restart() {
          await stop();
          store = await place.open();
          start();
        },
      }),
      async close() {
        await Promise.all(clients.map((client) => client.close()));
        await stop();
        place.remove();
      },
    };
  };
}

/** A server, reached over WebSocket through a proxy that can cut. */
export function webSocket(kind: Kind): MakeHome {
  return async ({ retention = {} } = {}) => {
    const place = placeOf(kind);
    const start = (port: number): Promise<RunningServer> => serve({ port, store: place.option, retention });
    let server = await start(await fixedPort());
    const { port } = server;
    const proxy = await tcpProxy(() => port);
    const clients: EventRouterClient[] = [];
    return {
      durability: server.store.durability,
      connect(options) {
        const client = new EventRouterClient({ ...PATIENT, ...options, url: `ws://127.0.0.1:${proxy.port}`, reconnect: { minDelay: 5, maxDelay: 50 } });
        clients.push(client);
        return client;
      },
      cut: proxy.cut,
      ...(place.outlives && {
        async restart() {
          await server.close({ retryAfter: 1 });
          server = await start(port);
        },
      }),
      async close() {
        await Promise.all(clients.map((client) => client.close()));
        await proxy.close();
        await server.close();
        place.remove();
      },
    };
  };
}

/** Every home that a server runtime has. */
export const homes: readonly { readonly name: string; readonly make: MakeHome }[] = homesOf({ memory: "memory", sqlite: "sqlite" });

/** The homes on these places, by the store's name. */
export function homesOf(places: Readonly<Record<string, Kind>>): { readonly name: string; readonly make: MakeHome }[] {
  return Object.entries(places).flatMap(([name, kind]) => [
    { name: `${name} store, in process`, make: inProcess(kind) },
    { name: `${name} store, over WebSocket`, make: webSocket(kind) },
  ]);
}

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/** The same home, all of whose clients encrypt everything and take nothing in the clear. */
export const encrypted = (make: MakeHome): MakeHome => async (options) => {
  const home = await make(options);
  return { ...home, connect: (more) => home.connect({ encryption: { key: KEY, required: ["**"] }, ...more }) };
};

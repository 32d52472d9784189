import { afterAll, beforeAll, test } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { EventRouterClient } from "../../src/event-router.ts";
import type { MakeHome } from "../contract/router/kit.ts";
import { routerContract } from "../contract/router/router-contract.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { WranglerDev } from "./wrangler-dev.ts";

/** Goes to the objects whose logs keep little. */
class SmallSocket extends WebSocket {
  constructor(url: string, options?: ClientOptions) {
    super(url, { ...options, headers: { "X-Small": "1" } });
  }
}

let edge: WranglerDev;
let homes = 0;
beforeAll(async () => { edge = await WranglerDev.start(); });
afterAll(() => edge[Symbol.asyncDispose]());

/** Objects of one `wrangler dev`; namespaces of one home begin with its number, so that each has fresh logs. A restart is kill -9. */
const wrangler: MakeHome = async ({ retention } = {}) => {
  const home = `h${++homes}`;
  const proxy = await tcpProxy(() => edge.port);
  const clients: EventRouterClient[] = [];
  return {
    durability: "disk",
    connect({ namespace = "default", ...options } = {}) {
      const client = new EventRouterClient({
        ...options, namespace: `${home}.${namespace}`, url: `ws://127.0.0.1:${proxy.port}`, reconnect: { minDelay: 5, maxDelay: 50 },
        ...(retention !== undefined && { WebSocket: SmallSocket as never }),
      });
      clients.push(client);
      return client;
    },
    cut: proxy.cut,
    async restart() {
      await edge.kill();
      await edge.start();
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await proxy.close();
    },
  };
};

routerContract({ test }, wrangler);

import { abortAllDurableObjects } from "cloudflare:test";
import { test } from "vitest";
import { EventRouterClient } from "../../../src/event-router.ts";
import type { MakeHome } from "../../contract/router/kit.ts";
import { routerContract } from "../../contract/router/router-contract.ts";
import { edgeSockets } from "./edge-socket.ts";

let homes = 0;

/** Objects of a worker; namespaces of one home begin with its number, so that each has fresh logs. */
const homeOf = (workerOf: (small: boolean) => Readonly<Record<string, string>>): MakeHome => async ({ retention } = {}) => {
  const home = `h${++homes}`;
  const { EdgeSocket, cut } = edgeSockets(workerOf(retention !== undefined));
  const clients: EventRouterClient[] = [];
  return {
    durability: "disk",
    connect({ namespace = "default", ...options } = {}) {
      const client = new EventRouterClient({ ...options, namespace: `${home}.${namespace}`, url: "ws://edge", WebSocket: EdgeSocket, reconnect: { minDelay: 5, maxDelay: 50 } });
      clients.push(client);
      return client;
    },
    cut,
    restart: () => abortAllDurableObjects(),
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
};

routerContract({ test }, homeOf((small) => ({ "X-Worker": small ? "small" : "" })));
routerContract({ test: (name, run) => test(`by way of relays: ${name}`, run) }, homeOf((small) => ({ "X-Worker": small ? "relayed-small" : "relayed" })));

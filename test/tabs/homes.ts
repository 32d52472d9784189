import { serve } from "../../src/hosts/server.ts";
import { randomBytes, serverClock as clock } from "../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { webSocketLink } from "../../src/links/websocket.ts";
import { PatternClient } from "../../src/pattern-client.ts";
import { Multiplexer, type Upstream } from "../../src/tabs/multiplexer.ts";
import { PATIENT, type MakeHome } from "../contract/router/kit.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";

/** A server, reached by all clients over one WebSocket that a multiplexer shares out. */
export const multiplexed: MakeHome = async ({ retention = {} } = {}) => {
  const server = await serve({ port: 0, store: "memory", retention });
  const proxy = await tcpProxy(() => server.port);
  const multiplexer = new Multiplexer({ clock, random: Math.random, randomBytes, defer: setImmediate });
  const upstream: Upstream = {
    key: "server",
    makeLink: () => webSocketLink({ url: `ws://127.0.0.1:${proxy.port}/ws`, clock, random: Math.random, enabled: true, maxAttempts: Infinity, backoff: "exponential", minDelay: 5, maxDelay: 50, connectionTimeout: 10_000 }),
  };
  const clients: PatternClient[] = [];
  return {
    durability: server.store.durability,
    connect(options) {
      const makeLink = () => inProcessLink({ connect: (port) => multiplexer.connect(port, upstream) });
      const client = new PatternClient({ makeLink, clock, random: Math.random, randomBytes }, { ...PATIENT, ...options });
      clients.push(client);
      return client;
    },
    cut: proxy.cut,
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      multiplexer.close();
      await proxy.close();
      await server.close();
    },
  };
};

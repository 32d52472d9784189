import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { serverSurroundings } from "../../src/hosts/surroundings.ts";
import { webSocketHost, type WebSocketHost, type WebSocketHostOptions } from "../../src/hosts/websocket.ts";
import { memoryStore, Router, type RouterOptions } from "../../src/router.ts";

export interface TestHost extends AsyncDisposable {
  readonly url: string;
  readonly router: Router;
  readonly host: WebSocketHost;
  /** What was written to each socket of the server, in the order they connected. */
  readonly writes: Uint8Array[][];
  readonly failures: unknown[];
}

/** A WebSocket host on a port of its own, whose writes are seen. */
export async function startHost(options: Partial<RouterOptions> = {}, host: Partial<WebSocketHostOptions> = {}): Promise<TestHost> {
  const failures: unknown[] = [];
  const surroundings = serverSurroundings(() => router.tick());
  const router = new Router({ store: memoryStore(surroundings), surroundings, heartbeat: 25_000, onError: (error) => void failures.push(error), ...options });
  const sockets = webSocketHost({ router, heartbeat: 25_000, ...host });
  const writes: Uint8Array[][] = [];
  const server = createServer((_request, response) => response.end());
  server.on("connection", (socket: Socket) => {
    const own: Uint8Array[] = [];
    writes.push(own);
    const write = socket.write.bind(socket);
    socket.write = ((data: Uint8Array, ...rest: []) => {
      own.push(data);
      return write(data, ...rest);
    }) as typeof socket.write;
  });
  server.on("upgrade", sockets.upgrade);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`, router, host: sockets, writes, failures,
    async [Symbol.asyncDispose]() {
      await router.close();
      await sockets.close(100);
      server.closeAllConnections();
      server.close();
    },
  };
}

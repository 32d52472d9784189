import { createServer, connect, type AddressInfo, type Socket } from "node:net";

/** Between clients and a server, to break connections as a network does: without a word to either side. */
export interface TcpProxy {
  readonly port: number;
  /** Destroys all connections there are. */
  cut(): void;
  /** From now on nothing comes through, in either direction, and nobody is told: a partition. */
  drop(): void;
  /** It comes through again, over new connections; those that lost something are destroyed. */
  mend(): void;
  close(): Promise<void>;
}

export async function tcpProxy(target: () => number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let dropping = false;
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(target(), "127.0.0.1");
    keep(client, upstream);
    keep(upstream, client);
    if (dropping) return void client.resume();
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    drop() {
      dropping = true;
      for (const socket of sockets) socket.unpipe().resume();
    },
    mend() {
      dropping = false;
      cut();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
    },
  };
}

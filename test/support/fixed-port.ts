import { once } from "node:events";
import { createServer } from "node:net";

/** Ports for each worker of a test run: what one has found free, no other takes. */
const RANGE = 2_000;
const given = new Set<number>();

/**
 * A port that is free now, and stays so while nobody listens on it: outgoing connections are given theirs from 32768 up, and so are servers that ask for any. For
 * a server that comes back on its port, and for one whose port must be known before it listens. Nor is it given twice: a browser keeps what belongs to an address.
 */
export async function fixedPort(): Promise<number> {
  const first = 14_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 8) * RANGE;
  for (;;) {
    const port = first + Math.floor(Math.random() * RANGE);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (!free) continue;
    server.close();
    await once(server, "close");
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

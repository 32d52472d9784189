import { afterAll, beforeAll, expect, test } from "vitest";
import { ConnectionError, EventRouterClient, type RouterEvent } from "../../src/index.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
beforeAll(async () => { server = await RedisServer.start("--requirepass", "secret"); });
afterAll(() => server[Symbol.asyncDispose]());

const logger = { error() {} };

/** The next event of a subscription. */
function next(client: EventRouterClient, pattern: string): { readonly ready: Promise<unknown>; readonly event: Promise<RouterEvent> } {
  const { promise, resolve } = Promise.withResolvers<RouterEvent>();
  return { ready: client.on(pattern, resolve).ready, event: promise };
}

test("the seed's client on Redis: publishes, subscribes, and what it published is there for the next process", async () => {
  const options = {
    transport: "redis",
    connection: { host: "127.0.0.1", port: server.port, password: "secret" },
    reconnect: { enabled: true, maxAttempts: 5, backoff: "exponential" },
  } as const;
  {
    await using client = new EventRouterClient(options);
    // Another address of the same server: a router of its own, as in another process.
    await using other = new EventRouterClient({ transport: "redis", url: `redis://:secret@127.0.0.1:${server.port}` });
    const heard = next(other, "user.*");
    await heard.ready;
    const receipt = await client.publish("user.created", { id: 123, name: "Alice" });
    expect([receipt.status, receipt.seq, receipt.durability]).toEqual(["published", 1, "disk"]);
    expect(await heard.event).toMatchObject({ type: "user.created", payload: { id: 123, name: "Alice" }, seq: 1, epoch: receipt.epoch });
  }
  await using later = new EventRouterClient(options);
  for await (const event of later.stream("user.*", { from: "start" })) {
    expect(event.payload).toEqual({ id: 123, name: "Alice" });
    break;
  }
});

test("clients of one address share a router, which goes with the last of them", async () => {
  const clients = Array.from({ length: 3 }, () => new EventRouterClient({ transport: "redis", namespace: "shared", connection: { host: "localhost", port: server.port, password: "secret" } }));
  const heard = clients.map((client) => next(client, "a"));
  await Promise.all(heard.map(({ ready }) => ready));
  await clients[0]!.publish("a", 1);
  expect((await Promise.all(heard.map(({ event }) => event))).map(({ payload }) => payload)).toEqual([1, 1, 1]);
  await Promise.all(clients.map((client) => client.close()));
});

test("a Redis that is not there, and a wrong password, are told", async () => {
  await using wrong = new EventRouterClient({ transport: "redis", connection: { port: server.port, password: "guess" }, reconnect: { enabled: false }, logger });
  await expect(wrong.connect()).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_STORE_AUTH", retryable: false });
  const port = await fixedPort();
  await using nobody = new EventRouterClient({ transport: "redis", connection: { host: "127.0.0.1", port }, reconnect: { enabled: false }, timeout: "20s", logger });
  await expect(nobody.connect()).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_STORE_UNREACHABLE", message: expect.stringContaining(`127.0.0.1:${port} could not be reached`) });
});

test("where there are no sockets, as in a browser, it says what to do", async () => {
  const { getBuiltinModule } = process;
  process.getBuiltinModule = (() => undefined) as unknown as typeof getBuiltinModule;
  try {
    await using client = new EventRouterClient({ transport: "redis", connection: { port: 1 }, logger });
    const error = await client.connect().then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "ERR_STORE_OPEN", retryable: false, message: expect.stringMatching(/browsers.*run a router on Redis.*wss:/) });
  } finally {
    process.getBuiltinModule = getBuiltinModule;
  }
});

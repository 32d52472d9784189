import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { serve, type ServeOptions } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { memoryStore } from "../../src/router.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { SocketClient } from "./socket-client.ts";

const directory = await mkdtemp(join(tmpdir(), "server-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

const socketUrl = (url: string): string => `${url.replace("http", "ws")}/ws`;

/** An HTTP request whose headers may be anything. */
function ask(url: string, headers: Record<string, string>, { agent, method = "GET", body }: { agent?: Agent; method?: string; body?: string } = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ...(agent && { agent }) }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => { text += chunk.toString(); });
      response.on("end", () => resolve({ status: response.statusCode!, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** What becomes of an upgrade: the status it is refused with, or 101. */
function upgrade(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { headers });
    socket.on("error", () => {});
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode!));
    socket.on("open", () => {
      socket.close();
      resolve(101);
    });
  });
}

test.each<[title: string, options: unknown, path: string, says: RegExp]>([
  ["an unknown option", { prot: 1 }, "prot", /no option/],
  ["a port that is none", { port: 70_000 }, "port", /65535/],
  ["a store that is none", { store: "mongo" }, "store", /"memory", "sqlite:FILE", "redis:\/\/HOST" or a store/],
  ["Redis without a host", { store: "redis://" }, "store", /"redis:\/\/HOST"/],
  ["another address, open to all", { host: "0.0.0.0" }, "host", /apiKeys or a policy, or allowAnonymous/],
  ["no way to say who one is", { auth: {} }, "auth", /apiKeys, jwt or certificates/],
  ["a permission that denies nothing", { auth: { apiKeys: [{ id: "a", hash: "0".repeat(64), permissions: ["deny:subcribe:x"] }] } }, "permissions", /denies nothing/],
  ["tokens from anybody", { auth: { jwt: { issuer: "", audience: "b", keys: [] } } }, "jwt.issuer", /proves nothing/],
  ["client certificates of no authority", { auth: { certificates: [{ san: "DNS:a", permissions: [] }] }, tls: { cert: "c", key: "k" } }, "tls.ca", /authority/],
  ["a rate of nothing", { rates: { publish: { perSecond: 0 } } }, "rates.publish.perSecond", />0/],
  ["a short key", { apiKeys: ["secret"] }, "apiKeys.0", /22 random characters/],
  ["a key of 16 bytes less one, in hex", { apiKeys: ["0123456789abcdef0123456789abcde"] }, "apiKeys.0", /32 if they are hex/],
  ["no key", { apiKeys: [] }, "apiKeys", /at least one/],
  ["a policy and keys", { apiKeys: ["0123456789abcdef0123456789abcdef"], policy: { authenticate: () => ({}) } }, "apiKeys", /exclude each other/],
  ["a limit that is unknown", { limits: { frames: 1 } }, "limits.frames", /no option/],
  ["a limit of nothing", { limits: { frame: 0 } }, "limits.frame", />=1/],
  ["an age that is none", { retention: { maxAge: "soon" } }, "retention.maxAge", /"30d"/],
  ["a heartbeat that is too fast", { heartbeat: 10 }, "heartbeat", /1 s to 1 h/],
  ["an origin with a path", { origins: ["https://app.example/x"] }, "origins.0", /without a path/],
  ["a directory that is not there", { staticFiles: "/nowhere" }, "staticFiles", /no directory/],
])("refused: %s", async (_title, options, path, says) => {
  await expect(serve({ port: 0, ...(options as ServeOptions) })).rejects.toMatchObject({ name: "ValidationError", message: expect.stringMatching(says), details: { path } });
});

test("a port that is taken is told", async () => {
  await using server = await serve({ port: 0 });
  await expect(serve({ port: server.port })).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_ADDRESS_IN_USE", message: expect.stringContaining(String(server.port)) });
});

test("[P1] a server that stops finishes what it has accepted: what was acked is in the log, what is in the log was acked, then comes bye", async () => {
  const file = join(directory, "stop.db");
  const server = await serve({ port: 0, store: `sqlite:${file}` });
  const clients = await Promise.all([1, 2, 3].map(() => SocketClient.connect(socketUrl(server.url))));
  // Each keeps 20 in flight, and says more as soon as it is acked: it never falls silent by itself.
  for (const [who, client] of clients.entries()) {
    let req = 0;
    const say = (): void => client.publish(++req, [`c${who}-${req}`]);
    for (let i = 0; i < 20; i++) say();
    client.socket.on("message", (data: Buffer) => {
      if (client.socket.readyState === WebSocket.OPEN) for (const line of data.toString().split("\n")) if (line.startsWith('["pub"')) say();
    });
  }
  await expect.poll(() => clients[0]!.named("pub").length).toBeGreaterThan(100);
  await server.close({ retryAfter: 2_000 });
  for (const client of clients) {
    expect(await client.ended()).toEqual({ code: 4503, reason: "ERR_ROUTER_STOPPING" });
    expect(client.frames.at(-1)).toEqual(["bye", ["ConnectionError", "ERR_ROUTER_STOPPING", expect.any(String), 1, { retryAfter: 2_000 }]]);
  }
  const acked = clients.flatMap((client, who) => client.named("pub").map(([, req, , [seq]]) => [seq, `c${who}-${req}`] as const));
  const store = await sqliteStore(file);
  const log = await store.open("default");
  const kept: (readonly [number, string])[] = [];
  for (let page = await log.read(0, { events: 1_000, size: 1e6 }); page.length > 0; page = await log.read(page.at(-1)!.seq, { events: 1_000, size: 1e6 })) kept.push(...page.map(({ seq, id }) => [seq, id] as const));
  await store.close();
  expect(acked.sort(([a], [b]) => Number(a) - Number(b))).toEqual(kept);
});

test("[P1] HTTP publishes under way when the server stops are answered, and later ones are told to come back", async () => {
  const server = await serve({ port: 0, store: `sqlite:${join(directory, "http-stop.db")}` });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answers: Promise<{ status: number; body: string } | "cut">[] = [];
  const publish = () => ask(`${server.url}/api/v1/events`, { "content-type": "application/json" }, { agent, method: "POST", body: '{"type":"a"}' }).catch(() => "cut" as const);
  for (let i = 0; i < 40; i++) answers.push(publish());
  await answers[0];
  await server.close();
  const statuses = (await Promise.all(answers)).map((answer) => (answer === "cut" ? answer : answer.status));
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 201 && status !== 503 && status !== "cut")).toEqual([]);
  agent.destroy();
});

test("a peer that does not answer the close is cut after the timeout, and closing twice is closing once", async () => {
  const server = await serve({ port: 0 });
  const client = await SocketClient.connect(socketUrl(server.url));
  client.socket.pause();
  const first = server.close({ timeout: 50 });
  expect(server.close()).toBe(first);
  await first;
  await expect(fetch(server.url)).rejects.toThrow();
});

test("a store of one's own stays open", async () => {
  const store = memoryStore({ randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) });
  const epochs: string[] = [];
  for (let i = 0; i < 2; i++) {
    await using server = await serve({ port: 0, store });
    const client = await SocketClient.connect(socketUrl(server.url));
    epochs.push(client.named("welcome")[0]![1].epoch);
  }
  expect(epochs[1]).toBe(epochs[0]);
});

test("the heartbeat and the limits are told in the welcome, at /ws and at /", async () => {
  await using server = await serve({ port: 0, heartbeat: "10s", limits: { frame: 100_000 } });
  for (const url of [socketUrl(server.url), server.url.replace("http", "ws")]) {
    const client = await SocketClient.connect(url);
    expect(client.named("welcome")[0]![1]).toMatchObject({ heartbeat: 10_000, limits: { frame: 100_000 } });
  }
  expect(await ask(`${server.url}/ws`, {})).toMatchObject({ status: 426, body: expect.stringContaining("ERR_UPGRADE") });
});

test("with API keys, a client without one is refused over WebSocket as well", async () => {
  await using server = await serve({ port: 0, apiKeys: ["0123456789abcdef0123456789abcdef"] });
  const stranger = new SocketClient(socketUrl(server.url));
  stranger.socket.on("open", () => stranger.say(["hello", { v: 1, auth: { type: "api_key", key: 5 as never } }]));
  expect(await stranger.ended()).toEqual({ code: 4401, reason: "ERR_UNAUTHENTICATED" });
  const friend = await SocketClient.connect(socketUrl(server.url), { auth: { type: "api_key", key: "0123456789abcdef0123456789abcdef" } });
  expect(friend.named("welcome")[0]![1].subject).toMatch(/^key:[0-9a-f]{8}$/);
});

test("web pages of others get no WebSocket, and nobody gets one under another name", async () => {
  await using server = await serve({ port: 0, origins: ["https://app.example"] });
  const url = socketUrl(server.url);
  expect(await upgrade(url, { origin: server.url })).toBe(101);
  expect(await upgrade(url, { origin: "https://app.example" })).toBe(101);
  expect(await upgrade(url, { origin: "https://evil.example" })).toBe(403);
  expect(await upgrade(url, { origin: "null" })).toBe(403);
  // A page whose own name was made to point here: its origin and its host agree.
  expect(await upgrade(url, { origin: "http://evil.example", host: "evil.example" })).toBe(421);
  expect((await ask(`${server.url}/api/v1/events`, { host: "evil.example" })).status).toBe(421);
  expect((await ask(`${server.url}/health`, { host: "evil.example" })).status).toBe(200);
  expect((await ask(`${server.url}/api/v1/events`, { host: `localhost:${server.port}` })).status).toBe(200);
});

test("where credentials are asked for, the server has any name", async () => {
  await using server = await serve({ port: 0, apiKeys: ["0123456789abcdef0123456789abcdef"] });
  expect((await ask(`${server.url}/api/v1/events`, { host: "router.example", "x-api-key": "0123456789abcdef0123456789abcdef" })).status).toBe(200);
});

test("metrics are those of this process", async () => {
  await using server = await serve({ port: 0 });
  const text = (await ask(`${server.url}/metrics`, {})).body;
  expect(Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)![1])).toBeGreaterThan(1e7);
  expect(Number(/^process_start_time_seconds ([\d.]+)$/m.exec(text)![1])).toBeCloseTo(Date.now() / 1_000 - process.uptime(), 0);
});

test("globals stay as they are", async () => {
  const before = [globalThis.Request, globalThis.Response];
  await using server = await serve({ port: 0 });
  await fetch(`${server.url}/health`);
  expect([globalThis.Request, globalThis.Response]).toEqual(before);
});

test("the server's own client gets in, whatever the policy; what it says of itself is checked", async () => {
  await using server = await serve({ port: 0, apiKeys: ["0123456789abcdef0123456789abcdef"] });
  await using client = server.client();
  const received = Promise.withResolvers<unknown>();
  await client.subscribe("system.*", (event) => received.resolve(event));
  await client.publish("system.cpu", { percent: 1 });
  expect(await received.promise).toMatchObject({ type: "system.cpu", publisher: { subject: "server" } });
  await using wrong = server.client({ auth: { type: "api_key", key: "another key of 16" } });
  await expect(wrong.publish("a")).rejects.toMatchObject({ code: "ERR_UNAUTHENTICATED" });
});

test("the public client works against the server, by the documented URL", async () => {
  await using server = await serve({ port: 0 });
  await using client = new EventRouterClient({ transport: "websocket", url: server.url.replace("http", "ws") });
  client.respond("calculator.add", ({ payload }) => ({ sum: (payload as { x: number; y: number }).x + (payload as { x: number; y: number }).y }));
  await client.connect();
  await expect.poll(async () => (await client.request("calculator.add", { x: 10, y: 20 })).payload).toEqual({ sum: 30 });
  const answer = await fetch(`${server.url}/api/v1/requests`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ type: "calculator.add", payload: { x: 1, y: 2 } }) });
  expect(await answer.json()).toEqual({ sum: 3 });
});

import { mkdtemp, rm } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { inspect } from "node:util";
import { decodeJwt, SignJWT } from "jose";
import { afterAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createApiKey } from "../../src/auth/api-keys.ts";
import { namesOf } from "../../src/hosts/peer.ts";
import { serve, type RunningServer, type ServeOptions } from "../../src/hosts/server.ts";
import { EventRouterClient, type EventRouterOptions } from "../../src/index.ts";
import { TestEventSource } from "../http/event-source.ts";
import { SocketClient } from "./socket-client.ts";

const directory = await mkdtemp(join(tmpdir(), "auth-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

const secret = crypto.getRandomValues(new Uint8Array(32));
const jwt = { issuer: "https://login.example", audience: "events", keys: [{ kid: "k1", alg: "HS256", secret }] } as const;
const token = (more: Record<string, unknown> = {}, seconds = 600): Promise<string> => new SignJWT({ permissions: ["publish:**", "subscribe:**", "manage"], ...more })
  .setProtectedHeader({ alg: "HS256", kid: "k1" }).setIssuer(jwt.issuer).setAudience(jwt.audience).setSubject("alice").setIssuedAt().setExpirationTime(Math.ceil(Date.now() / 1_000) + seconds).sign(secret);
const certificate = (name: string): string => new URL(`../support/certificates/${name}.pem`, import.meta.url).pathname;
const socketUrl = ({ url }: RunningServer): string => `${url.replace("http", "ws")}/ws`;

const logged: unknown[] = [];
async function start(options: ServeOptions): Promise<RunningServer> {
  return serve({ port: 0, logger: { info: (...what) => logged.push(what), error: (...what) => logged.push(what) }, ...options });
}
function connect(server: RunningServer, options: EventRouterOptions): EventRouterClient {
  return new EventRouterClient({ url: server.url, timeout: "1m", logger: { error: (...what) => logged.push(what) }, ...options });
}
const failure = async (run: Promise<unknown>): Promise<unknown> => run.then(() => undefined, (error: { name: string; code: string }) => [error.name, error.code]);

test("each way to say who one is opens the same doors, and each credential no more than its own", async () => {
  const shop = await createApiKey({ id: "shop", namespaces: ["shop"], permissions: ["publish:order.*", "subscribe:order.*"] });
  await using server = await start({ auth: { apiKeys: [shop.entry], jwt } });
  await using one = connect(server, { namespace: "shop", auth: { type: "api_key", key: shop.key } });
  await using two = connect(server, { auth: { type: "jwt", token: () => token() } });
  expect(await failure(one.publish("order.placed", 1))).toBeUndefined();
  expect(await failure(one.publish("user.created", 1))).toEqual(["PermissionError", "ERR_PERMISSION"]);
  expect(await failure(two.publish("user.created", 1))).toBeUndefined();
  await using elsewhere = connect(server, { auth: { type: "api_key", key: shop.key } });
  expect(await failure(elsewhere.connect())).toEqual(["PermissionError", "ERR_NAMESPACE"]);
  const get = async (path: string, headers: Record<string, string>): Promise<number> => (await fetch(`${server.url}${path}`, { headers })).status;
  expect(await Promise.all([
    get("/api/v1/events?namespace=shop", { "x-api-key": shop.key }), get("/api/v1/events", { "x-api-key": shop.key }), get("/api/v1/stats?namespace=shop", { "x-api-key": shop.key }),
    get("/api/v1/stats", { authorization: `Bearer ${await token()}` }), get("/api/v1/stats?namespace=shop", { authorization: `Bearer ${await token()}` }),
    get("/api/v1/events", { authorization: `Bearer ${await token({ aud: "x" }, -1)}` }), get("/api/v1/events", {}),
  ])).toEqual([200, 403, 403, 200, 403, 401, 401]);
});

test("[I15] a key that is withdrawn is out at once over WebSocket, SSE and HTTP; changed rights hold at once", async () => {
  const make = (permissions: string[]) => createApiKey({ id: "shop", permissions });
  const [shop, root] = [await make(["subscribe:**"]), await createApiKey({ id: "root", permissions: ["admin"] })];
  await using server = await start({ auth: { apiKeys: [shop.entry, root.entry] } });
  const socket = await SocketClient.connect(socketUrl(server), { auth: { type: "api_key", key: shop.key } });
  socket.say(["sub", 1, { topics: ["**"] }]);
  const stream = new TestEventSource(`${server.url}/api/v1/events/stream`, { "x-api-key": shop.key });
  expect((await stream.response).statusCode).toBe(200);
  expect((await fetch(`${server.url}/api/v1/events`, { headers: { "x-api-key": shop.key } })).status).toBe(200);
  const publish = (type: string) => fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "content-type": "application/json", "x-api-key": root.key }, body: JSON.stringify({ type }) });
  await publish("order.placed");
  await Promise.all([socket.until(() => socket.ids.length === 1), stream.until(() => stream.events.length === 1)]);

  await server.auth!.apiKeys!.replace([{ ...shop.entry, permissions: ["subscribe:news"] }, root.entry]);
  await publish("order.paid");
  await Promise.all([socket.until(() => socket.named("end").length === 1), stream.until(() => stream.ended)]);
  expect(socket.named("gap")[0]![2]).toMatchObject({ from: 2, reason: "revoked" });
  expect([socket.ids.length, stream.events.length]).toEqual([1, 1]);
  expect(stream.messages.map(({ event }) => event)).toEqual(["message", "gap", "end"]);
  const history = await fetch(`${server.url}/api/v1/events`, { headers: { "x-api-key": shop.key } });
  expect(((await history.json()) as { events: unknown[] }).events).toEqual([]);

  server.auth!.apiKeys!.revoke("shop");
  expect(await socket.ended()).toEqual({ code: 4401, reason: "ERR_REVOKED" });
  expect((await fetch(`${server.url}/api/v1/events`, { headers: { "x-api-key": shop.key } })).status).toBe(401);
});

test("[P2] tokens of a second: renewed in-band again and again without a cut, and no event is missed", async () => {
  // A process that stands still longer than a token has left cannot renew it: such a round says nothing about renewing, and there is another.
  for (let stood = true; stood; ) {
    await using server = await start({ auth: { jwt } });
    let made = 0;
    await using client = connect(server, { auth: { type: "jwt", token: () => token({ serial: ++made }, 3) } });
    const states: string[] = [];
    const seqs: number[] = [];
    await client.subscribe("tick", ({ seq }) => void seqs.push(seq));
    client.onStateChange((state) => states.push(state));
    await using publisher = connect(server, { auth: { type: "jwt", token: await token() } });
    const loop = monitorEventLoopDelay({ resolution: 10 });
    loop.enable();
    let published = 0;
    while (made < 3) published = (await publisher.publish("tick")).seq!;
    await expect.poll(() => seqs).toEqual(Array.from({ length: published }, (_, i) => i + 1));
    loop.disable();
    stood = states.length > 0 && loop.max > 300e6;
    if (!stood) expect(states).toEqual([]);
  }
});

test("[P2] a token that runs out ends its session within 5 s; the client comes back with a new one and goes on where it was", async () => {
  await using server = await start({ auth: { jwt } });
  // Shown by hand, so that nothing renews it.
  const socket = await SocketClient.connect(socketUrl(server), { auth: { type: "jwt", token: await token({}, 1) } });
  expect(socket.named("welcome")[0]![1]).toMatchObject({ subject: "alice", permissions: ["publish:**", "subscribe:**", "manage"] });
  expect(await socket.ended()).toEqual({ code: 4401, reason: "ERR_EXPIRED" });
  expect(socket.frames.at(-1)).toEqual(["bye", ["AuthenticationError", "ERR_EXPIRED", expect.any(String), 1, { retryAfter: 0 }]]);
  const states: string[] = [];
  const last = await token({}, 2);
  const over = decodeJwt(last).exp! * 1_000;
  // A login server that gives out the same token as long as it is good.
  await using client = connect(server, { auth: { type: "jwt", token: () => (Date.now() < over ? last : token()) }, reconnect: { minDelay: 1 } });
  const seqs: number[] = [];
  client.onStateChange((state) => states.push(state));
  await client.subscribe("tick", ({ seq }) => void seqs.push(seq));
  await expect.poll(() => states.filter((state) => state === "connected")).toHaveLength(2);
  await client.publish("tick");
  await expect.poll(() => seqs).toEqual([1]);
});

test("tickets open a stream and a WebSocket where only a URL can be given, once each", async () => {
  const page = await createApiKey({ id: "page", permissions: ["subscribe:news"] });
  await using server = await start({ auth: { apiKeys: [page.entry] } });
  const ask = async (): Promise<string> => {
    const response = await fetch(`${server.url}/api/v1/tickets`, { method: "POST", headers: { "x-api-key": page.key } });
    expect(response.status).toBe(201);
    const body = (await response.json()) as { ticket: string; expires_in: number };
    expect(body).toEqual({ ticket: expect.stringMatching(/^[0-9A-Za-z]{32}$/), expires_in: 30 });
    return body.ticket;
  };
  expect((await fetch(`${server.url}/api/v1/tickets`, { method: "POST" })).status).toBe(401);
  const stream = `${server.url}/api/v1/events/stream?topics=news&ticket=${await ask()}`;
  const source = new TestEventSource(stream);
  expect((await source.response).statusCode).toBe(200);
  expect((await fetch(stream)).status).toBe(401);
  source.cut();
  const beyond = `${server.url}/api/v1/events/stream?topics=order.*&ticket=${await ask()}`;
  expect((await fetch(beyond)).status).toBe(403);
  const ticket = await ask();
  const guest = new SocketClient(`${socketUrl(server)}?ticket=${ticket}`);
  guest.socket.on("open", () => guest.say(["hello", { v: 1 }]));
  await guest.until(() => guest.frames.length > 0);
  expect(guest.named("welcome")[0]![1]).toMatchObject({ subject: "key:page", permissions: ["subscribe:news"] });
  guest.say(["call", 1, "ticket"]);
  await guest.until(() => guest.frames.length > 1);
  expect(guest.frames[1]).toEqual(["err", 1, ["PermissionError", "ERR_TICKET", expect.any(String), 0]]);
  const again = new SocketClient(`${socketUrl(server)}?ticket=${ticket}`);
  again.socket.on("open", () => again.say(["hello", { v: 1 }]));
  expect(await again.ended()).toEqual({ code: 4401, reason: "ERR_TICKET" });
});

test("too much is 429 with Retry-After over HTTP, and a typed error over the wire", async () => {
  const [shop, other] = [await createApiKey({ id: "shop", permissions: ["admin"] }), await createApiKey({ id: "other", permissions: ["admin"] })];
  await using server = await start({ auth: { apiKeys: [shop.entry, other.entry] }, rates: { publish: { perSecond: 0.001, burst: 3 } } });
  const publish = (key: string) => fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "content-type": "application/json", "x-api-key": key }, body: '{"type":"a"}' });
  for (let i = 0; i < 3; i++) expect((await publish(shop.key)).status).toBe(201);
  const refused = await publish(shop.key);
  expect([refused.status, Number(refused.headers.get("retry-after"))]).toEqual([429, expect.closeTo(1_000, -3)]);
  expect(await refused.json()).toMatchObject({ code: "ERR_RATE_LIMIT", retry_after: expect.any(Number) });
  await using client = connect(server, { auth: { type: "api_key", key: shop.key } });
  await expect(client.publish("a")).rejects.toMatchObject({ name: "PublishError", code: "ERR_RATE_LIMIT", retryable: true, details: { retryAfter: expect.any(Number) } });
  expect((await publish(other.key)).status).toBe(201);
});

test("client certificates: by name or fingerprint, of the right authority alone; over WebSocket and HTTP", async () => {
  const tls = { cert: certificate("server"), key: certificate("server-key"), ca: certificate("ca") };
  const auth = { certificates: [{ san: "URI:spiffe://example.com/worker", permissions: ["admin"] }] };
  await using server = await start({ tls, auth });
  expect(server.url).toMatch(/^https:/);
  const show = (name: string) => ({ auth: { type: "mtls", cert: certificate(name), key: certificate(`${name}-key`), ca: readFileSync(certificate("ca"), "utf8") }, reconnect: { enabled: false } }) as const;
  await using device = connect(server, show("device"));
  expect(await failure(device.publish("a"))).toBeUndefined();
  await using other = connect(server, show("other"));
  expect(await failure(other.connect())).toEqual(["AuthenticationError", "ERR_UNAUTHENTICATED"]);
  // The same names, signed by somebody else.
  await using forged = connect(server, show("forged"));
  expect(await failure(forged.connect())).toEqual(["AuthenticationError", "ERR_UNAUTHENTICATED"]);
  const get = (name?: string) => new Promise<[number, string]>((resolve, reject) => {
    httpsRequest(`${server.url}/api/v1/events`, { ca: readFileSync(certificate("ca")), agent: false, ...(name && { cert: readFileSync(certificate(name)), key: readFileSync(certificate(`${name}-key`)) }) }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => { text += chunk.toString(); }).on("end", () => resolve([response.statusCode!, text]));
    }).on("error", reject).end();
  });
  const [status, text] = await get("device");
  expect([status, (JSON.parse(text) as { events: { publisher: unknown }[] }).events[0]!.publisher]).toEqual([200, { subject: "URI:spiffe://example.com/worker" }]);
  expect((await Promise.all([get("other"), get("forged"), get()])).map(([code]) => code)).toEqual([401, 401, 401]);
  const socket = new WebSocket(`${socketUrl(server)}`, { ca: readFileSync(certificate("ca")), cert: readFileSync(certificate("device")), key: readFileSync(certificate("device-key")) });
  const ended = new Promise<number>((resolve) => { socket.on("close", resolve); });
  await new Promise((resolve) => { socket.on("open", () => { socket.send('["hello",{"v":1}]'); }).on("message", resolve); });
  server.auth!.certificates!.replace([]);
  expect(await ended).toBe(4401);
});

test.each<[what: string, options: EventRouterOptions, says: RegExp]>([
  ["without TLS", { url: "ws://127.0.0.1:1", auth: { type: "mtls", cert: certificate("device"), key: certificate("device-key") } }, /wss/],
  ["without a router elsewhere", { transport: "memory", auth: { type: "mtls", cert: certificate("device"), key: certificate("device-key") } }, /wss/],
  ["that is not there", { url: "wss://127.0.0.1:1", auth: { type: "mtls", cert: "/nowhere.pem", key: certificate("device-key") } }, /auth\.cert: \/nowhere\.pem cannot be read/],
])("a client certificate %s is told", async (_, options, says) => {
  await using client = new EventRouterClient({ ...options, logger: { error: () => {} } });
  await expect(client.connect()).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_MTLS", message: expect.stringMatching(says) });
});

test("names of a certificate that would be read as two are nobody's", () => {
  expect(namesOf('DNS:a.example, URI:spiffe://b/c, IP Address:192.0.2.1')).toEqual(["DNS:a.example", "URI:spiffe://b/c", "IP Address:192.0.2.1"]);
  expect(namesOf('DNS:"a.example\\u002c DNS:b.example", DNS:c.example')).toEqual(["DNS:c.example"]);
  expect(namesOf('DNS:"evil, DNS:b.example"')).toEqual([]);
  expect(namesOf(undefined)).toEqual([]);
});

test("[I17] no secret is in a log, a metric, an error or an answer", async () => {
  const [good, alien] = [await createApiKey({ id: "shop", permissions: ["admin"] }), await createApiKey({ id: "shop", permissions: ["admin"] })];
  await using server = await start({ store: `sqlite:${join(directory, "events.db")}`, auth: { apiKeys: [good.entry], jwt } });
  const tokens = [await token(), await token({}, -5), `${await token()}x`];
  const told: string[] = [];
  for (const credential of [{ "x-api-key": good.key }, { "x-api-key": alien.key }, ...tokens.map((one) => ({ authorization: `Bearer ${one}` }))] as Record<string, string>[]) {
    for (const [method, path, body] of [["GET", "/api/v1/stats"], ["GET", "/api/v1/subscriptions"], ["GET", "/metrics"], ["GET", "/api/v1/events"], ["POST", "/api/v1/events", '{"type":"a"}'], ["GET", "/nowhere"], ["POST", "/api/v1/events", "{"]] as const) {
      const response = await fetch(`${server.url}${path}`, { method, headers: { ...credential, "content-type": "application/json" }, ...(body && { body }) });
      told.push(JSON.stringify([...response.headers]), await response.text());
    }
  }
  for (const auth of [{ type: "api_key", key: alien.key }, { type: "jwt", token: tokens[1]! }, { type: "jwt", token: tokens[2]! }] as const) {
    await using client = connect(server, { auth });
    told.push(inspect(await client.connect().then(() => "in", (error: unknown) => error), { depth: 9 }));
  }
  told.push(inspect(logged, { depth: 9 }), readFileSync(join(directory, "events.db")).toString("latin1"), readFileSync(join(directory, "events.db-wal")).toString("latin1"));
  const all = told.join("\n");
  for (const key of [good.key, alien.key]) expect(all.includes(key.slice(5))).toBe(false);
  for (const one of tokens) for (const part of one.split(".").slice(1)) expect(all.includes(part)).toBe(false);
  for (const hash of [good.entry.hash, alien.entry.hash]) expect(all.includes(hash)).toBe(false);
});

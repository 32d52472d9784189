import { env, evictDurableObject, SELF } from "cloudflare:test";
import { expect, test } from "vitest";
import { createToken } from "../../../src/auth/create-token.ts";
import { fullKey, jwtKey, readerKey, tokens } from "./guarded.ts";
import { RawSocket } from "./raw-socket.ts";

const GUARDED = { "X-Worker": "guarded" };
const root = { type: "api_key", key: fullKey } as const;
const token = (permissions: readonly string[], expiresIn = 3_600_000): Promise<string> => createToken(jwtKey, { ...tokens, subject: "alice", namespaces: ["*"], permissions: [...permissions], expiresIn });
const evict = (namespace: string): Promise<void> => evictDurableObject(env.GUARDED.get(env.GUARDED.idFromName(namespace))).catch((error: Error) => {
  // What was said last has not reached it yet; it wakes for that later.
  if (!error.message.includes("not currently running")) throw error;
});
const line = (id: string, type: string): string => JSON.stringify([id, type, 1]);

async function publish(namespace: string, headers: Readonly<Record<string, string>>, worker = "guarded"): Promise<{ status: number; text: string }> {
  const response = await SELF.fetch(`http://edge/api/v1/events?namespace=${namespace}`, { method: "POST", headers: { "Content-Type": "application/json", "X-Worker": worker, ...headers }, body: '{"type":"news.today","payload":1}' });
  return { status: response.status, text: await response.text() };
}

/** Why a socket was sent away. */
async function refusalOf(socket: RawSocket): Promise<unknown> {
  await socket.until(() => socket.named("bye").length === 1).catch(() => {});
  return socket.named("bye")[0]?.[1].slice(0, 2);
}

test("a router that was not told whom to let in lets in nobody, and says what to do", async () => {
  const { status, text } = await publish("unset", {}, "bare");
  expect(status).toBe(401);
  expect(text).toContain("npx wrangler secret put API_KEYS");
});

test("API keys of the environment: each for everything, or with what it may do", async () => {
  const ns = "keys";
  expect(await publish(ns, {})).toMatchObject({ status: 401 });
  expect(await publish(ns, { "X-API-Key": `${fullKey}x` })).toMatchObject({ status: 401 });
  expect(await publish(ns, { "X-API-Key": readerKey })).toMatchObject({ status: 403 });
  expect(await publish(ns, { "X-API-Key": fullKey })).toMatchObject({ status: 201 });
  const reader = await RawSocket.welcomed(ns, { auth: { type: "api_key", key: readerKey } }, GUARDED);
  reader.say(["sub", 1, { topics: ["news.*"], from: "start" }], ["sub", 2, { topics: ["order.*"] }]);
  await reader.until(() => reader.seqs.length === 1 && reader.named("end").length === 1);
  expect(reader.named("end")[0]).toEqual(["end", 2, expect.arrayContaining(["PermissionError"])]);
});

test("tokens of the environment's JWT: taken over HTTP and WebSocket, one of a stranger is not", async () => {
  const ns = "tokens";
  const good = await token(["publish:news.*"]);
  const strange = await createToken({ ...jwtKey, secret: "A".repeat(43) }, { ...tokens, subject: "mallory", namespaces: ["*"], permissions: ["admin"] });
  expect(await publish(ns, { Authorization: `Bearer ${good}` })).toMatchObject({ status: 201 });
  expect(await publish(ns, { Authorization: `Bearer ${strange}` })).toMatchObject({ status: 401 });
  const socket = await RawSocket.welcomed(ns, { auth: { type: "jwt", token: good } }, GUARDED);
  socket.say(["pub", 1, 1], line("a", "news.b"));
  await socket.until(() => socket.answered(1));
  const stranger = await RawSocket.open(ns, GUARDED);
  stranger.say(["hello", { v: 1, namespace: ns, auth: { type: "jwt", token: strange } }]);
  expect((await refusalOf(stranger))).toEqual(["AuthenticationError", expect.any(String)]);
});

test("[I15] the object is put away between every two steps of a refresh: the session goes on with the newer token's rights", async () => {
  const ns = "refresh";
  const alice = await RawSocket.welcomed(ns, { auth: { type: "jwt", token: await token(["subscribe:order.*"], 60_000) } }, GUARDED);
  const publisher = await RawSocket.welcomed(ns, { auth: root }, GUARDED);
  await evict(ns);
  alice.say(["sub", 1, { topics: ["order.*"] }]);
  await alice.until(() => alice.named("on").length === 1);
  await evict(ns);
  const newer = await token(["subscribe:news.*"]);
  // It may be put away while it looks at a token, and then says so: the client shows it again.
  for (let req = 2; ; req++) {
    alice.say(["auth", req, { type: "jwt", token: newer }]);
    await evict(ns);
    await alice.until(() => alice.answered(req));
    const refused = alice.named("err").find((frame) => frame[1] === req);
    if (refused === undefined) break;
    expect(refused[2][1]).toBe("ERR_ASLEEP");
  }
  await evict(ns);
  alice.say(["sub", 100, { topics: ["news.*"] }]);
  await alice.until(() => alice.named("on").length === 2);
  await evict(ns);
  publisher.say(["pub", 1, 2], line("order", "order.a"), line("news", "news.a"));
  await publisher.until(() => publisher.answered(1));
  await alice.until(() => alice.seqs.length === 1);
  await evict(ns);
  publisher.say(["pub", 2, 1], line("more", "news.b"));
  await alice.until(() => alice.seqs.length === 2);
  expect([alice.events.map(([, , , id]) => id), alice.named("welcome").length, alice.closed]).toEqual([["news", "more"], 1, undefined]);
});

test("[I15] a token that runs out while the object sleeps ends its session, by an alarm", async () => {
  const ns = "runs-out";
  // Real time: alarms are the platform's.
  let alice: RawSocket | undefined;
  // On a busy machine a token may run out on its way: then one that lives longer is shown.
  for (let life = 2_000; alice === undefined; life *= 2) alice = await RawSocket.welcomed(ns, { auth: { type: "jwt", token: await token(["subscribe:order.*"], life) } }, GUARDED).catch(() => undefined);
  await evict(ns);
  expect(await refusalOf(alice)).toEqual(["AuthenticationError", "ERR_EXPIRED"]);
});

test("a ticket stands in for the credential in a WebSocket's URL, once", async () => {
  const ns = "tickets";
  const response = await SELF.fetch(`http://edge/api/v1/tickets?namespace=${ns}`, { method: "POST", headers: { ...GUARDED, "X-API-Key": readerKey } });
  expect(response.status).toBe(201);
  const { ticket } = (await response.json()) as { ticket: string };
  const socket = await RawSocket.welcomed(ns, {}, GUARDED, `&ticket=${ticket}`);
  expect(socket.named("welcome")).toHaveLength(1);
  await evict(ns);
  socket.say(["sub", 1, { topics: ["news.*"] }]);
  await socket.until(() => socket.named("on").length === 1);
  const again = await RawSocket.open(ns, GUARDED, `&ticket=${ticket}`);
  again.say(["hello", { v: 1, namespace: ns }]);
  expect(await refusalOf(again)).toEqual(["AuthenticationError", "ERR_TICKET"]);
});

test("pages of the environment's ORIGINS and of its own may use the router, others not", async () => {
  const ns = "origins";
  const status = async (origin: string, path = `/ws?namespace=${ns}`, headers: Readonly<Record<string, string>> = { Upgrade: "websocket" }): Promise<number> => {
    const response = await SELF.fetch(`http://edge${path}`, { headers: { ...GUARDED, Origin: origin, ...headers } });
    response.webSocket?.accept();
    response.webSocket?.close();
    return response.status;
  };
  expect(await Promise.all(["https://app.example.com", "https://other.example.com", "http://edge", "https://evil.example.com", "null"].map((origin) => status(origin)))).toEqual([101, 101, 101, 403, 403]);
  const stats = (origin: string): Promise<number> => status(origin, `/api/v1/stats?namespace=${ns}`, { "X-API-Key": fullKey });
  expect([await stats("https://app.example.com"), await stats("https://evil.example.com")]).toEqual([200, 403]);
});

import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { anyPolicy } from "../../src/auth/any-policy.ts";
import { apiKeyPolicy, createApiKey } from "../../src/auth/api-keys.ts";
import { certificatePolicy } from "../../src/auth/certificates.ts";
import { createToken } from "../../src/auth/create-token.ts";
import { jwtPolicy } from "../../src/auth/jwt.ts";
import type { Credential } from "../../src/core/frames.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { World } from "../support/world.ts";

const secret = new Uint8Array(32).fill(7);
const START = Date.UTC(2026, 0, 1);

async function scene() {
  const [shop, root] = [await createApiKey({ id: "shop", permissions: ["subscribe:order.*", "subscribe:news"] }), await createApiKey({ id: "root", permissions: ["admin"] })];
  const now = (): number => world.around.time;
  const apiKeys = await apiKeyPolicy([shop.entry, root.entry], now);
  const jwt = await jwtPolicy({ issuer: "i", audience: "a", now, keys: [{ kid: "k", alg: "HS256", secret }] });
  // A router that sleeps hears of nothing.
  const { watch: _deaf, ...policy } = anyPolicy({ apiKeys, jwt });
  const world: World = new World({ policy });
  const token = (minutes: number) => createToken({ kid: "k", alg: "HS256", secret }, { issuer: "i", audience: "a", subject: "alice", permissions: ["subscribe:order.*"], expiresIn: minutes * 60_000 }, now);
  /** Digests and signatures are made on threads of their own. */
  const join = async (auth: Credential): Promise<RawClient> => {
    const client = await world.client({ auth });
    while (client.welcome === undefined && client.closed === undefined) await world.settle();
    return client;
  };
  const [reader, alice, publisher] = [await join({ type: "api_key", key: shop.key }), await join({ type: "jwt", token: await token(10) }), await join({ type: "api_key", key: root.key })];
  for (const client of [reader, alice]) client.subscribe(1, "order.*");
  reader.subscribe(2, "news");
  await world.settle();
  return { world, shop, root, apiKeys, jwt, reader, alice, publisher, token };
}

test("[I15] who slept goes on with what it may do now; a right that went in its sleep is gone", async () => {
  const { world, shop, root, apiKeys, reader, alice, publisher } = await scene();
  await world.sleepWhile(async () => apiKeys.replace([{ ...shop.entry, permissions: ["subscribe:news"] }, root.entry]), reader, alice, publisher);
  publisher.publish([line("a", "order.placed"), line("b", "news")]);
  await world.settle();
  expect([reader.idsOf(1), reader.idsOf(2), alice.idsOf(1)]).toEqual([[], ["b"], ["a"]]);
});

test("[I15] a key and a subject that were withdrawn in their sleep are ended, a token that ran out too", async () => {
  const { world, apiKeys, jwt, reader, alice, publisher } = await scene();
  await world.sleepWhile(async () => {
    apiKeys.revoke("shop");
    jwt.revoke("alice");
  }, reader, alice, publisher);
  expect([reader.bye?.[1], alice.bye?.[1], publisher.closed]).toEqual(["ERR_REVOKED", "ERR_REVOKED", undefined]);
  const other = await scene();
  await other.world.sleepWhile(async () => { other.world.around.time = START + 11 * 60_000; }, other.reader, other.alice, other.publisher);
  await other.world.pass(1_000);
  expect([other.reader.closed, other.alice.bye?.[1]]).toEqual([undefined, "ERR_EXPIRED"]);
});

test("[I17] what is saved of a session holds no credential, also when one was being looked at", async () => {
  const { world, shop, alice, reader, token } = await scene();
  const newer = await token(60);
  alice.say(["auth", 5, { type: "jwt", token: newer }]);
  reader.say(["auth", 6, { type: "api_key", key: shop.key }]);
  const saved = JSON.stringify([alice.session.save(), reader.session.save()]);
  expect(saved).toContain('"renewals":[5]');
  for (const text of [newer, newer.split(".")[1]!, newer.split(".")[2]!, shop.key.slice(5), shop.entry.hash]) expect(saved).not.toContain(text);
  await world.settle();
});

test("[I15] a token that does not say when it was made was made before its subject was withdrawn", async () => {
  const policy = await jwtPolicy({ issuer: "i", audience: "a", now: () => START, keys: [{ kid: "k", alg: "HS256", secret }] });
  const token = await new SignJWT({ permissions: ["subscribe:news"] }).setProtectedHeader({ alg: "HS256", kid: "k" }).setIssuer("i").setAudience("a").setSubject("alice").setExpirationTime(START / 1_000 + 600).sign(secret);
  const comes = () => policy.authenticate({ type: "jwt", token }, "default", {});
  expect(await comes()).toMatchObject({ subject: "alice" });
  policy.revoke("alice");
  await expect(comes()).rejects.toMatchObject({ code: "ERR_REVOKED" });
});

test("[I15] a certificate that was revoked stays revoked when it comes again in a list", async () => {
  const fingerprint = "ab".repeat(32);
  const list = [{ fingerprint, permissions: ["subscribe:news"] }, { san: "DNS:device.example", permissions: ["subscribe:news"] }];
  const policy = certificatePolicy(list, () => START);
  const comes = (names: readonly string[]) => (async () => policy.authenticate(undefined, "default", { certificate: { fingerprint: names.length === 0 ? fingerprint : "cd".repeat(32), names, expiresAt: START + 1_000 } }))();
  policy.revoke(fingerprint);
  policy.replace(list);
  await expect(comes([])).rejects.toMatchObject({ code: "ERR_UNAUTHENTICATED" });
  expect(await comes(["DNS:device.example"])).toMatchObject({ subject: "DNS:device.example" });
});

import type { Socket } from "node:net";
import { inspect } from "node:util";
import { createHmac } from "node:crypto";
import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, CompactEncrypt, type JWTPayload } from "jose";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { anyPolicy } from "../../src/auth/any-policy.ts";
import { apiKeyPolicy, createApiKey } from "../../src/auth/api-keys.ts";
import { certificatePolicy } from "../../src/auth/certificates.ts";
import { jwtPolicy, type JwtPolicy } from "../../src/auth/jwt.ts";
import type { Credential } from "../../src/core/frames.ts";
import type { Caller } from "../../src/core/policy.ts";

// A router's clock and keys; what is forged is forged by somebody who knows everything but the private halves and secrets.
const NOW = Date.UTC(2026, 10, 25);
const seconds = NOW / 1_000;
const JWKS = "https://login.example/keys.json";
const secret = crypto.getRandomValues(new Uint8Array(32));
const [es, rs, ed, foreign, set] = await Promise.all([
  generateKeyPair("ES256", { extractable: true }), generateKeyPair("RS256", { extractable: true }), generateKeyPair("EdDSA", { extractable: true }),
  generateKeyPair("ES256", { extractable: true }), generateKeyPair("ES256", { extractable: true }),
]);
const rsPem = await exportSPKI(rs.publicKey);

let fetched: string[] = [];
let keys: unknown[] = [];
let now = NOW;
const fetching = vi.fn(async (url: string | URL | Request) => {
  fetched.push(url instanceof Request ? url.url : url.toString());
  return new Response(JSON.stringify({ keys }), { headers: { "content-type": "application/json" } });
});

let jwt: JwtPolicy;
let policy: ReturnType<typeof anyPolicy>;
let good = "";
let expiredKey = "";

beforeAll(async () => {
  keys = [{ ...(await exportJWK(set.publicKey)), kid: "set-1", use: "sig", alg: "ES256" }];
  jwt = await jwtPolicy({
    issuer: "https://login.example", audience: "events", now: () => now, fetch: fetching as typeof fetch,
    keys: [
      { kid: "hs", alg: "HS256", secret }, { kid: "es", alg: "ES256", publicKey: es.publicKey }, { kid: "rs", alg: "RS256", publicKey: rsPem },
      { kid: "ed", alg: "EdDSA", publicKey: await exportJWK(ed.publicKey) },
    ],
    jwks: { url: JWKS, algorithms: ["ES256", "RS256"] },
  });
  const [own, old] = [await createApiKey({ id: "shop", permissions: ["admin"] }), await createApiKey({ id: "old", permissions: ["admin"], expiresAt: NOW - 1 })];
  good = own.key;
  expiredKey = old.key;
  policy = anyPolicy({
    jwt, apiKeys: await apiKeyPolicy([own.entry, old.entry], () => now),
    certificates: certificatePolicy([{ san: "DNS:device.example", permissions: ["admin"] }, { fingerprint: "ab".repeat(32), permissions: ["admin"] }], () => now),
  });
});

const claims = (more: JWTPayload = {}): JWTPayload => ({ iss: "https://login.example", aud: "events", sub: "alice", iat: seconds - 10, exp: seconds + 600, permissions: ["subscribe:order.*"], ...more });
type Header = Record<string, unknown>;
const sign = (key: CryptoKey | Uint8Array, header: Header, payload = claims()): Promise<string> => new SignJWT(payload).setProtectedHeader(header as never).sign(key);
const lawful = (more?: JWTPayload, without: string[] = []): Promise<string> => sign(es.privateKey, { alg: "ES256", kid: "es" }, Object.fromEntries(Object.entries(claims(more)).filter(([name]) => !without.includes(name))));
/** A token whose parts are as they are written here, signed with a secret by hand. */
const byHand = (header: unknown, payload: unknown, key: string | Uint8Array): string => {
  const text = [header, payload].map((part) => base64url.encode(typeof part === "string" ? part : JSON.stringify(part))).join(".");
  return `${text}.${base64url.encode(createHmac("sha256", key).update(text).digest())}`;
};
const parts = async (): Promise<string[]> => (await lawful()).split(".");

const tokens: readonly (readonly [what: string, make: () => unknown])[] = [
  // Algorithms and keys.
  ["unsigned, alg none", () => new UnsecuredJWT(claims()).encode()],
  ["unsigned, alg None, with the kid of a key", async () => `${base64url.encode('{"alg":"None","kid":"es"}')}.${(await parts())[1]}.`],
  ["unsigned, alg nOnE", async () => `${base64url.encode('{"alg":"nOnE","kid":"es"}')}.${(await parts())[1]}.`],
  ["with its signature cut off", async () => (await parts()).slice(0, 2).join(".") + "."],
  ["signed HS256 with the public key of an RS256 one", () => byHand({ alg: "HS256", kid: "rs" }, claims(), rsPem)],
  ["signed HS256 with the public key, trimmed", () => byHand({ alg: "HS256", kid: "rs" }, claims(), rsPem.trim())],
  ["signed HS256 with an empty secret", () => byHand({ alg: "HS256", kid: "hs" }, claims(), "")],
  ["signed HS256 with a guess", () => byHand({ alg: "HS256", kid: "hs" }, claims(), "secret")],
  ["signed HS256 with the right secret under another kid", () => byHand({ alg: "HS256", kid: "es" }, claims(), secret)],
  ["signed HS512 with the right secret", () => sign(new Uint8Array([...secret, ...secret]), { alg: "HS512", kid: "hs" })],
  ["signed with a foreign key under a known kid", () => sign(foreign.privateKey, { alg: "ES256", kid: "es" })],
  ["signed with a foreign key and its own in the header (jwk)", async () => sign(foreign.privateKey, { alg: "ES256", kid: "es", jwk: await exportJWK(foreign.publicKey) })],
  ["signed with a foreign key and an address of it (jku)", () => sign(foreign.privateKey, { alg: "ES256", kid: "evil", jku: "https://evil.example/keys.json" })],
  ["signed with a foreign key and an address of its chain (x5u)", () => sign(foreign.privateKey, { alg: "ES256", kid: "es", x5u: "https://evil.example/chain.pem" })],
  ["signed with the right key and an address of it (jku)", () => sign(es.privateKey, { alg: "ES256", kid: "es", jku: JWKS })],
  ["of an unknown kid", () => sign(foreign.privateKey, { alg: "ES256", kid: "unknown" })],
  ["without a kid", () => sign(es.privateKey, { alg: "ES256" })],
  ["with an empty kid", () => sign(es.privateKey, { alg: "ES256", kid: "" })],
  ["with a kid in other letters", () => sign(es.privateKey, { alg: "ES256", kid: "ES" })],
  ["with a kid and a space", () => sign(es.privateKey, { alg: "ES256", kid: "es " })],
  ["with a kid that is a path", () => sign(es.privateKey, { alg: "ES256", kid: "../../dev/null" })],
  ["with a kid that is an address", () => sign(foreign.privateKey, { alg: "ES256", kid: "https://evil.example/k" })],
  ["with a kid of SQL", () => sign(foreign.privateKey, { alg: "ES256", kid: "x' OR '1'='1" })],
  ["with the kid __proto__", () => sign(foreign.privateKey, { alg: "ES256", kid: "__proto__" })],
  ["with the kid constructor", () => sign(foreign.privateKey, { alg: "ES256", kid: "constructor" })],
  ["with a kid that is a number", () => byHand({ alg: "HS256", kid: 0 }, claims(), secret)],
  ["with a kid that is a list", () => byHand({ alg: "HS256", kid: ["hs"] }, claims(), secret)],
  ["ES256 under the kid of an Ed25519 key", () => sign(foreign.privateKey, { alg: "ES256", kid: "ed" })],
  ["RS256 under the kid of an ES256 key", () => sign(rs.privateKey, { alg: "RS256", kid: "es" })],
  ["PS256 with the key of an RS256 one", async () => {
    const key = await crypto.subtle.importKey("pkcs8", await crypto.subtle.exportKey("pkcs8", rs.privateKey), { name: "RSA-PSS", hash: "SHA-256" }, false, ["sign"]);
    return sign(key, { alg: "PS256", kid: "rs" });
  }],
  ["of the key set, with another algorithm", () => byHand({ alg: "HS256", kid: "set-1" }, claims(), "x")],
  ["with a signature of zeros", async () => [...(await parts()).slice(0, 2), base64url.encode(new Uint8Array(64))].join(".")],
  ["with a signature one bit off", async () => {
    const [header, payload, signature] = await parts();
    const bytes = base64url.decode(signature!);
    bytes[5]! ^= 1;
    return [header, payload, base64url.encode(bytes)].join(".");
  }],
  ["with the signature of another", async () => [...(await parts()).slice(0, 2), (await lawful({ sub: "bob" })).split(".")[2]].join(".")],
  ["with rights written in after it was signed", async () => {
    const [header, , signature] = await parts();
    return [header, base64url.encode(JSON.stringify(claims({ permissions: ["admin"] }))), signature].join(".");
  }],
  ["with a critical header nobody knows", () => byHand({ alg: "HS256", kid: "hs", crit: ["exp2"], exp2: 1 }, claims(), secret)],
  ["with a payload that is not base64 (b64: false)", () => byHand({ alg: "HS256", kid: "hs", crit: ["b64"], b64: false }, claims(), secret)],
  ["of another type (typ)", () => sign(es.privateKey, { alg: "ES256", kid: "es", typ: "dpop+jwt" })],
  ["encrypted in place of signed", async () => new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claims()))).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(secret)],
  // Claims.
  ["that has run out", () => lawful({ exp: seconds - 1 })],
  ["that runs out now", () => lawful({ exp: seconds })],
  ["that has run out long ago", () => lawful({ exp: 1 })],
  ["that is not good yet", () => lawful({ nbf: seconds + 60 })],
  ["that was issued in the future", () => lawful({ iat: seconds + 60 })],
  ["without an end", () => lawful({}, ["exp"])],
  ["whose end is a text", () => byHand({ alg: "HS256", kid: "hs" }, { ...claims(), exp: String(seconds + 600) }, secret)],
  ["whose end is beyond numbers", () => byHand({ alg: "HS256", kid: "hs" }, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999'), secret)],
  ["without an issuer", () => lawful({}, ["iss"])],
  ["of another issuer", () => lawful({ iss: "https://evil.example" })],
  ["of an issuer with a slash more", () => lawful({ iss: "https://login.example/" })],
  ["of a list of issuers", () => byHand({ alg: "HS256", kid: "hs" }, { ...claims(), iss: ["https://login.example"] }, secret)],
  ["without an audience", () => lawful({}, ["aud"])],
  ["for another audience", () => lawful({ aud: "billing" })],
  ["for an audience that begins alike", () => lawful({ aud: "events-admin" })],
  ["for nobody", () => lawful({ aud: [] })],
  ["without a subject", () => lawful({}, ["sub"])],
  ["with an empty subject", () => lawful({ sub: "" })],
  ["with a subject that is a number", () => byHand({ alg: "HS256", kid: "hs" }, { ...claims(), sub: 1 }, secret)],
  ["with a subject too long", () => lawful({ sub: "a".repeat(257) })],
  ["with a permission that denies nothing", () => lawful({ permissions: ["admin", "deny:subcribe:secret"] })],
  ["with permissions that are a text", () => lawful({ permissions: "admin" })],
  ["with a pattern that is none", () => lawful({ permissions: ["subscribe:a..b"] })],
  ["for another namespace", () => lawful({ namespaces: ["other"] })],
  ["for a namespace that begins alike", () => lawful({ namespaces: ["default2", "defaul"] })],
  ["with namespaces that are numbers", () => lawful({ namespaces: [1] as never })],
  // Shapes.
  ["that is empty", () => ""],
  ["of dots", () => ".."],
  ["of five parts", async () => `${await lawful()}.x.y`],
  ["with a line break", async () => `${await lawful()}\n`],
  ["with a NUL", async () => `${await lawful()}\0`],
  ["with a header that is no JSON", async () => `${base64url.encode("{")}.${(await parts()).slice(1).join(".")}`],
  ["with a header of null", () => byHand("null", claims(), secret)],
  ["with a payload of a list", () => byHand({ alg: "HS256", kid: "hs" }, "[]", secret)],
  ["of 9,000 characters", () => lawful({ padding: "a".repeat(9_000) })],
  ["that is no text", () => ({ toString: () => "x" })],
];

const apiKeys: readonly (readonly [what: string, make: () => unknown])[] = [
  ["that is empty", () => ""],
  ["with another secret", () => `shop.${"A".repeat(43)}`],
  ["with the last character cut off", () => good.slice(0, -1)],
  ["with one more character", () => `${good}A`],
  ["in other letters", () => good.toUpperCase()],
  ["with the secret alone", () => good.slice(5)],
  ["with the id alone", () => "shop"],
  ["with the id and a dot", () => "shop."],
  ["with another id before the right secret", () => good.replace("shop", "bank")],
  ["with the id __proto__", () => good.replace("shop", "__proto__")],
  ["with the id of another, withdrawn by time", () => expiredKey],
  ["with a space before it", () => ` ${good}`],
  ["with a line break", () => `${good}\r\n`],
  ["with its hash in place of the secret", async () => "shop." + Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(good.slice(5)))).toString("hex")],
  ["of a megabyte", () => "shop." + "a".repeat(1_000_000)],
  ["that is a list", () => [good]],
  ["that is a number", () => 5],
];

const outbound: string[] = [];
beforeEach(() => {
  now = NOW;
  fetched = [];
  outbound.length = 0;
});

/** Whatever opens a socket is seen. */
async function watched<T>(run: () => Promise<T>): Promise<T> {
  const { Socket: Class } = await import("node:net");
  const spy = vi.spyOn(Class.prototype, "connect").mockImplementation(function (this: Socket, ...args: unknown[]) {
    outbound.push(JSON.stringify(args[0]));
    return this;
  } as never);
  try {
    return await run();
  } finally {
    spy.mockRestore();
  }
}

const caller: Caller = { address: "192.0.2.1" };
const refusal = (credential: unknown, from: Caller = caller) => watched(async () => {
  try {
    return await policy.authenticate(credential as Credential, "default", from);
  } catch (error) {
    return error as Error & { code: string; cause?: unknown };
  }
});

test.each(tokens)("refused: a token %s", async (_, make) => {
  const token = await make();
  const error = await refusal({ type: "jwt", token });
  expect(error).toMatchObject({ name: expect.stringMatching(/^(Authentication|Permission)Error$/), code: expect.stringMatching(/^ERR_(UNAUTHENTICATED|EXPIRED|NAMESPACE)$/), retryable: false });
  // What is said of it holds nothing of it, on the wire or in a log.
  if (typeof token === "string" && token.length > 10) for (const part of token.split(".")) if (part.length > 10) expect(JSON.stringify([(error as Error).message, inspect((error as Error).cause)])).not.toContain(part);
  expect(outbound).toEqual([]);
  expect(fetched.every((url) => url === JWKS)).toBe(true);
});

test.each(apiKeys)("refused: an API key %s", async (_, make) => {
  const key = await make();
  const error = await refusal({ type: "api_key", key });
  expect(error).toMatchObject({ name: "AuthenticationError", code: expect.stringMatching(/^ERR_(UNAUTHENTICATED|EXPIRED)$/) });
  if (typeof key === "string" && key.length > 10) expect((error as Error).message).not.toContain(key.trim());
  expect([outbound, fetched]).toEqual([[], []]);
});

test.each<[what: string, credential: unknown, from: Caller]>([
  ["none at all", undefined, caller],
  ["of a kind that is unknown", { type: "basic", user: "a" }, caller],
  ["without a kind", {}, caller],
  ["a certificate of another name", undefined, { certificate: { fingerprint: "00".repeat(32), names: ["DNS:evil.example", "DNS:device.example.evil.example"], expiresAt: NOW + 1 } }],
  ["a certificate of another kind of name", undefined, { certificate: { fingerprint: "00".repeat(32), names: ["email:device.example", "URI:DNS:device.example"], expiresAt: NOW + 1 } }],
  ["a certificate that has run out", undefined, { certificate: { fingerprint: "ab".repeat(32), names: [], expiresAt: NOW } }],
  ["a certificate beside a wrong key", { type: "api_key", key: "shop.wrong" }, { certificate: { fingerprint: "ab".repeat(32), names: [], expiresAt: NOW + 1 } }],
])("refused: %s", async (_, credential, from) => {
  expect(await refusal(credential, from)).toMatchObject({ name: "AuthenticationError" });
  expect(outbound).toEqual([]);
});

test("there are at least 60 of them, and the right ones get in", async () => {
  expect(tokens.length + apiKeys.length).toBeGreaterThan(60);
  for (const token of [await lawful(), byHand({ alg: "HS256", kid: "hs", typ: "JWT" }, claims(), secret), await sign(rs.privateKey, { alg: "RS256", kid: "rs" }), await sign(ed.privateKey, { alg: "EdDSA", kid: "ed" }), await sign(set.privateKey, { alg: "ES256", kid: "set-1" }), await lawful({ aud: ["billing", "events"] })]) {
    expect(await policy.authenticate({ type: "jwt", token }, "default", caller)).toMatchObject({ subject: "alice", expiresAt: NOW + 600_000, permissions: ["subscribe:order.*"] });
  }
  expect(await policy.authenticate({ type: "api_key", key: good }, "default", caller)).toMatchObject({ subject: "key:shop", permissions: ["admin"] });
  expect(await policy.authenticate(undefined, "default", { certificate: { fingerprint: "00".repeat(32), names: ["DNS:device.example"], expiresAt: NOW + 5 } })).toMatchObject({ subject: "DNS:device.example", expiresAt: NOW + 5 });
});

test("made-up kids cause one look at the key set a minute, and no more", async () => {
  now = NOW + 3_600_000;
  await policy.authenticate({ type: "jwt", token: await sign(set.privateKey, { alg: "ES256", kid: "set-1" }, claims({ iat: now / 1_000, exp: now / 1_000 + 600 })) }, "default", caller);
  const forged = await sign(foreign.privateKey, { alg: "ES256", kid: "made-up" });
  const looks = async (at: number): Promise<number> => {
    now = at;
    const before = fetched.length;
    await Promise.all(Array.from({ length: 50 }, () => refusal({ type: "jwt", token: forged })));
    return fetched.length - before;
  };
  const start = now;
  const counted = [await looks(start + 1_000), await looks(start + 59_000), await looks(start + 60_000), await looks(start + 61_000), await looks(start + 120_000)];
  expect(counted).toEqual([0, 0, 1, 0, 1]);
});

import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { Jwks, type JwksOptions } from "../../src/auth/jwks.ts";
import { jwtPolicy } from "../../src/auth/jwt.ts";

const pairs = await Promise.all(["ES256", "ES256", "EdDSA"].map((alg) => generateKeyPair(alg, { extractable: true })));
const [one, two, ed] = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)));
const secretHalf = await exportJWK(pairs[0]!.privateKey);

/** A key set whose answers the test writes, at a clock it moves. */
function scene(algorithms: JwksOptions["algorithms"] = ["ES256", "EdDSA"]) {
  const state = { now: 0, looks: 0, answer: (): Response | Promise<Response> => set({ ...one, kid: "one" }) };
  const jwks = new Jwks({ url: "https://login.example/keys", algorithms }, {
    now: () => state.now,
    fetch: (async (_url: unknown, init: RequestInit) => {
      state.looks++;
      expect(init.redirect).toBe("error");
      return state.answer();
    }) as typeof fetch,
  });
  return { state, jwks, alg: async (kid: string) => (await jwks.find(kid))?.alg };
}
const set = (...keys: unknown[]): Response => new Response(JSON.stringify({ keys }));

test("keys are kept for ten minutes, and found by their kid to the letter", async () => {
  const { state, jwks, alg } = scene();
  expect([await alg("one"), await alg("One"), await alg("one ")]).toEqual(["ES256", undefined, undefined]);
  state.now = 599_999;
  await jwks.find("one");
  expect(state.looks).toBe(1);
});

test("a new key is found within a minute, a removed one is gone after ten", async () => {
  const { state, alg } = scene();
  await alg("one");
  state.answer = () => set({ ...two, kid: "two" });
  expect([await alg("two"), await alg("one")]).toEqual([undefined, "ES256"]);
  state.now = 60_000;
  expect([await alg("two"), await alg("one"), state.looks]).toEqual(["ES256", undefined, 2]);
});

test("a set that cannot be had: the keys of before are good for an hour, then nobody gets in; it is asked for again each ten seconds", async () => {
  const { state, alg, jwks } = scene();
  await alg("one");
  state.answer = () => Promise.reject(new Error("away"));
  state.now = 3_599_000;
  expect(await alg("one")).toBe("ES256");
  state.now = 3_600_000;
  await expect(jwks.find("one")).rejects.toThrow("could not be had");
  state.now = 3_610_000;
  await expect(jwks.find("one")).rejects.toThrow("away");
  expect(state.looks).toBe(3);
  await Promise.all([1, 2, 3].map(() => expect(jwks.find("one")).rejects.toThrow("could not be had")));
  state.now = 3_620_000;
  state.answer = () => set({ ...one, kid: "one" });
  expect((await Promise.all([1, 2, 3].map(() => alg("one"))))).toEqual(["ES256", "ES256", "ES256"]);
  expect(state.looks).toBe(4);
});

test.each<[what: string, keys: unknown[], found: string | undefined]>([
  ["a key", [{ ...one, kid: "k" }], "ES256"],
  ["a key for signatures", [{ ...one, kid: "k", use: "sig", alg: "ES256", key_ops: ["verify"] }], "ES256"],
  ["an Ed25519 key", [{ ...ed, kid: "k" }], "EdDSA"],
  ["a key with its private half: the public one counts", [{ ...secretHalf, kid: "k" }], "ES256"],
  ["a key for encryption", [{ ...one, kid: "k", use: "enc" }], undefined],
  ["a key that only signs", [{ ...one, kid: "k", key_ops: ["sign"] }], undefined],
  ["a key of an algorithm that is not asked for", [{ ...one, kid: "k", alg: "RS256" }], undefined],
  ["a key of another curve than its algorithm", [{ ...one, kid: "k", alg: "ES384" }], undefined],
  ["a secret", [{ kty: "oct", k: "c2VjcmV0IG9mIDMyIGJ5dGVzIG9yIG1vcmUsIGJhc2U2NHVybA", kid: "k", alg: "HS256" }], undefined],
  ["a secret that says it is ES256", [{ kty: "oct", k: "c2VjcmV0", kid: "k", alg: "ES256" }], undefined],
  ["a key without a name", [{ ...one }], undefined],
  ["a name that is a number", [{ ...one, kid: 1 }], undefined],
  ["two keys of one name", [{ ...one, kid: "k" }, { ...two, kid: "k" }], "none"],
  ["a point that is none", [{ ...one, kid: "k", x: "AAAA" }], undefined],
  ["nothing but rubbish, and a key", [null, 5, "x", [], {}, { ...one, kid: "k" }], "ES256"],
  ["a key called __proto__", [{ ...one, kid: "__proto__" }], undefined],
])("a set with %s", async (_, keys, found) => {
  const { state, alg } = scene();
  state.answer = () => set(...keys);
  expect(await alg("k")).toBe(found);
});

test.each<[what: string, answer: () => Response]>([
  ["an error", () => new Response("no", { status: 500 })], ["no JSON", () => new Response("<html>")], ["no keys", () => new Response("{}")], ["more than 100 keys", () => set(...Array.from({ length: 101 }, (_, i) => ({ ...one, kid: `k${i}` })))],
  ["256 KiB and more", () => new Response(`{"keys":[],"x":"${"a".repeat(256 * 1024)}"}`)],
])("a set that answers with %s is none", async (_, answer) => {
  const { state, jwks } = scene();
  state.answer = answer;
  await expect(jwks.find("k")).rejects.toThrow();
});

test.each([
  ["http://login.example/keys", ["ES256"]], ["ftp://login.example", ["ES256"]], ["https://user:pass@login.example/keys", ["ES256"]], ["login.example", ["ES256"]], ["https://login.example", []], ["https://login.example", ["HS256"]], ["https://login.example", ["none"]],
  ["http://127.0.0.1.evil.example/keys", ["ES256"]],
] as const)("refused: %s with %j", (url, algorithms) => {
  expect(() => new Jwks({ url, algorithms: algorithms as never }, { fetch, now: Date.now })).toThrow(expect.objectContaining({ code: "ERR_JWKS" }));
});

test("over a real socket: a redirect is not followed, and an outage is no refusal of the token", async () => {
  const visits: string[] = [];
  const server = createServer((request, response) => {
    visits.push(request.url!);
    if (request.url === "/moved") response.writeHead(302, { location: "/keys" }).end();
    else response.end(JSON.stringify({ keys: [{ ...one, kid: "one" }] }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const policy = (path: string) => jwtPolicy({ issuer: "i", audience: "a", jwks: { url: base + path, algorithms: ["ES256"] } });
    const token = await new SignJWT({ permissions: ["admin"] }).setProtectedHeader({ alg: "ES256", kid: "one" }).setIssuer("i").setAudience("a").setSubject("s").setExpirationTime("1h").sign(pairs[0]!.privateKey);
    expect(await (await policy("/keys")).authenticate({ type: "jwt", token }, "default", {})).toMatchObject({ subject: "s" });
    await expect((await policy("/moved")).authenticate({ type: "jwt", token }, "default", {})).rejects.toMatchObject({ name: "ConnectionError", code: "ERR_JWKS", retryable: true });
    expect(visits).toEqual(["/keys", "/moved"]);
  } finally {
    server.close();
  }
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { createToken } from "../../src/router.ts";
import { cli, startRouter } from "./cli.ts";

const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
const jwt = { issuer: "https://login.example", audience: "events", keys: [{ kid: "2026-11", alg: "HS256", secret }] } as const;

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "event-router-auth-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

test("[I15] token makes a key and a token; start --auth lets them in, each for what it may; what is taken out of the file is out within a second", async () => {
  const file = join(await folder(), "auth.json");
  const made = await cli(["token", "--api-key", "--id", "shop", "--permission", "publish:order.*", "--permission", "subscribe:order.**", "--json"]);
  const { key, entry } = JSON.parse(made.out) as { key: string; entry: { hash: string } };
  expect([key, entry]).toEqual([expect.stringMatching(/^shop\.[\w-]{43}$/), { id: "shop", hash: expect.stringMatching(/^[\da-f]{64}$/), permissions: ["publish:order.*", "subscribe:order.**"] }]);
  expect(made.out.match(new RegExp(key.slice(5), "g"))).toHaveLength(1);
  await writeFile(file, JSON.stringify({ apiKeys: [entry], jwt }));
  const token = (await cli(["token", "--auth", file, "--subject", "alice", "--permission", "manage", "--namespace", "*", "--expires", "15m"])).out.trim();
  expect([decodeProtectedHeader(token), decodeJwt(token)]).toEqual([{ alg: "HS256", kid: "2026-11", typ: "JWT" }, expect.objectContaining({ iss: jwt.issuer, aud: jwt.audience, sub: "alice", permissions: ["manage"], namespaces: ["*"] })]);

  const { router, url } = await startRouter(["--auth", file, "--rate", "publish=0.0001/5"]);
  await using _ = router;
  expect(JSON.parse(router.out)).toMatchObject({ auth: "api_key, jwt" });
  expect(await cli(["publish", "order.placed", "--api-key", key, "--url", url])).toMatchObject({ code: 0 });
  expect(await cli(["publish", "user.created", "--api-key", key, "--url", url])).toMatchObject({ code: 1, err: expect.stringContaining("(ERR_PERMISSION)") });
  expect(await cli(["status", "--url", url], { env: { EVENT_ROUTER_TOKEN: token } })).toMatchObject({ code: 0 });
  const errors: unknown[] = [];
  await using client = new EventRouterClient({ url, auth: { type: "api_key", key }, logger: { error: () => {} } });
  client.onError((error) => errors.push((error as { code: string }).code));
  await client.connect();
  await expect(client.publishEvents(Array.from({ length: 5 }, () => ({ type: "order.a" })))).rejects.toMatchObject({ code: "ERR_RATE_LIMIT", retryable: true });
  await writeFile(file, JSON.stringify({ apiKeys: [{ ...entry, id: "other" }], jwt }));
  await router.says(/was read again/, "err");
  await expect.poll(() => client.state).toBe("closed");
  expect(errors).toEqual(["ERR_REVOKED"]);
  // A file that is broken changes nothing.
  await writeFile(file, "{");
  await router.says(/\(ERR_JSON\).*; what was read before stays in force/, "err");
  expect((await fetch(`${url}/api/v1/stats`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
});

test.each<[line: string[], file: string | undefined, says: RegExp]>([
  [["start", "--auth", "FILE", "--api-key", "x.0123456789abcdef0123456789abcdef"], "{}", /put all into the file/],
  [["start", "--auth", "FILE"], "{}", /auth: must have apiKeys, jwt or certificates \(ERR_OPTION\)/],
  [["start", "--auth", "FILE"], '{"apiKeys":[{"id":"a","hash":"x","permissions":[]}]}', /apiKeys\[0\] needs hash.*token --api-key prints it \(ERR_API_KEY\)/],
  [["start", "--auth", "FILE"], '{"apikeys":[]}', /auth\.apikeys: is not known here/],
  [["start", "--tls-cert", "a.pem"], undefined, /--tls-cert and --tls-key belong together/],
  [["start", "--rate", "publish"], undefined, /--rate is as publish=100/],
  [["token", "--api-key", "--id", "a"], undefined, /at least one --permission/],
  [["token", "--api-key", "--permission", "admin"], undefined, /needs --id/],
  [["token", "--api-key", "--id", "a", "--permission", "publish"], undefined, /needs a pattern, as publish:order/],
  [["token", "--subject", "a", "--permission", "admin"], undefined, /needs --auth FILE/],
  [["token", "--auth", "FILE", "--subject", "a", "--permission", "admin"], '{"apiKeys":["x.0123456789abcdef0123456789abcdef"]}', /no secret to sign with/],
])("%j is told what is wrong", async (line, content, says) => {
  const file = join(await folder(), "auth.json");
  if (content !== undefined) await writeFile(file, content);
  expect(await cli(line.map((one) => (one === "FILE" ? file : one)))).toMatchObject({ code: 2, out: "", err: expect.stringMatching(says) });
});

test("a token can be made in a program too", async () => {
  const token = await createToken({ kid: "k", alg: "HS256", secret }, { issuer: "i", audience: "a", subject: "s", permissions: ["admin"], expiresIn: "5m" }, () => 1_000_000);
  expect(decodeJwt(token)).toEqual({ iss: "i", aud: "a", sub: "s", permissions: ["admin"], jti: expect.any(String), iat: 1_000, exp: 1_300 });
  await expect(createToken({ alg: "HS256", secret: "short" }, { issuer: "i", audience: "a", subject: "s", permissions: [] })).rejects.toMatchObject({ code: "ERR_JWT_KEY" });
});

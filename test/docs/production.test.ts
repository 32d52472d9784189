import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openAuth } from "../../src/hosts/auth-options.ts";
import { readAuthOptions, serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { createApiKey } from "../../src/router.ts";
import { Cli, cli } from "../cli/cli.ts";
import { TestEventSource } from "../http/event-source.ts";

const text = readFileSync(new URL("../../docs/production.md", import.meta.url), "utf8");
const certificate = (name: string): string => new URL(`../support/certificates/${name}.pem`, import.meta.url).pathname;
const blocks = (language: string): string[] => [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map((match) => match[1]!);

/** Runs an example of the page with what it takes for granted, and returns a variable of it. */
function run<T>(example: string, given: Readonly<Record<string, unknown>>, result: string): Promise<T> {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the page's own examples
  return (new Function(...Object.keys(given), `return (async () => { ${example}\nreturn ${result}; })()`) as (...values: unknown[]) => Promise<T>)(...Object.values(given));
}

test("the file of docs/production.md is one that a server takes", async () => {
  const [file] = blocks("json");
  const { policy } = await openAuth(readAuthOptions(JSON.parse(file!)));
  await expect(policy.authenticate({ type: "api_key", key: "shop.test" }, "default", {})).resolves.toMatchObject({ subject: "key:shop", permissions: ["publish:order.*", "subscribe:order.**"] });
  await expect(policy.authenticate(undefined, "devices", { certificate: { fingerprint: "0".repeat(64), names: ["DNS:device-7.example.com"], expiresAt: 4e12 } })).resolves.toMatchObject({ permissions: ["publish:reading.**"] });
});

test("the examples of docs/production.md run: a key that is revoked is out, a ticket opens a stream", async () => {
  const [program, ticket] = blocks("ts");
  const made: { server: RunningServer; client: EventRouterClient } = await run(program!.replace("new EventRouterClient({", "new EventRouterClient({ logger: { error() {} },"), { createApiKey, serve, EventRouterClient }, "{ server, client }");
  await using server = made.server;
  await expect.poll(() => made.client.state).toBe("closed");
  await expect(made.client.publish("order.placed", 1)).rejects.toMatchObject({ code: "ERR_REVOKED" });
  expect((await (await server.store.open("default")).read(0, { events: 1, size: 1 }))[0]).toMatchObject({ type: "order.placed", publisher: { subject: "key:shop" } });

  const page = await createApiKey({ id: "page", permissions: ["subscribe:news"] });
  await server.auth!.apiKeys!.replace([page.entry]);
  // A bearer token that is no JWT is an API key.
  const source: TestEventSource = await run(ticket!, { url: server.url, token: page.key, fetch, EventSource: TestEventSource }, "source");
  expect((await source.response).statusCode).toBe(200);
  source.cut();
});

test("the commands of docs/production.md run, with its file", async () => {
  const [commands] = blocks("bash");
  const [make, start] = commands!.trim().split("\n").map((line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].slice(1).map(([, quoted, plain]) => quoted ?? plain!));
  const made = await cli(make!);
  expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^shop\.\S+\n/)]);
  const folder = mkdtempSync(join(tmpdir(), "event-router-production-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "auth.json"), blocks("json")[0]!);
  const places: Readonly<Record<string, string>> = { "auth.json": join(folder, "auth.json"), "cert.pem": certificate("server"), "key.pem": certificate("server-key"), "ca.pem": certificate("ca"), "sqlite:/var/lib/events.db": `sqlite:${join(folder, "events.db")}` };
  await using router = new Cli([...start!.map((one) => places[one] ?? one), "--port", "0", "--no-playground", "--json"]);
  const { url } = JSON.parse((await router.says(/\{.*\}/))[0]) as { url: string };
  expect(url).toMatch(/^https:/);
  // A server that is to know client certificates, and is not told whose.
  const refused = await cli(start!.filter((one) => one !== "--tls-ca" && one !== "ca.pem").map((one) => places[one] ?? one));
  expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/auth\.json lets client certificates in, and nothing says who signs them: give --tls-ca FILE/)]);
  const status = await new Promise((resolve, reject) => get(`${url.replace("0.0.0.0", "127.0.0.1")}/api/v1/stats`, { rejectUnauthorized: false }, (response) => resolve(response.resume().statusCode)).on("error", reject));
  expect(status).toBe(401);
});

import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { VERSION } from "../../src/core/version.ts";
import { serve } from "../../src/hosts/server.ts";
import { operations } from "../../src/http/openapi/operations.ts";
import { httpApp, type Answer } from "./http-app.ts";

const { app, get, post, call, join: joinRouter } = httpApp({ metrics: async () => ({ type: "text/plain", text: "" }) });
const document = (await get("/openapi.json")).body;

/** Says whether an answer is as the document promises. */
function checker(): (answer: Answer, method: string, path: string) => void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "api", ...document });
  const known = new Map<string, ValidateFunction>();
  return (answer, method, path) => {
    const media = answer.type!.split(";")[0]!.trim();
    const place = `#/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}/responses/${answer.status}/content/${media.replaceAll("/", "~1")}/schema`;
    const content = document.paths[path][method].responses[answer.status]?.content?.[media];
    expect(content, `${method} ${path} answered ${answer.status} ${media}`).toBeDefined();
    const check = known.get(place) ?? ajv.compile({ $ref: `api${encodeURI(place)}` });
    known.set(place, check);
    expect(check(answer.body) || check.errors, `${method} ${path} ${answer.status}`).toBe(true);
  };
}

test("the document is of the package's version, and has each route and no other", () => {
  expect(VERSION).toBe(packageJson.version);
  const routes = app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)(\{[^}]*\}+)?/g, "{$1}")}`);
  expect([...new Set(routes)].sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
});

test("the document is OpenAPI 3.1: its references lead somewhere, its parameters and statuses are sound", () => {
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!));
  expect([...references].filter((name) => document.components.schemas[name] === undefined)).toEqual([]);
  expect(text).not.toMatch(/"\$id"|"\$schema"/);
  for (const [path, methods] of Object.entries<Record<string, { parameters: { name: string; in: string; required?: boolean }[]; operationId: string; responses: object }>>(document.paths)) {
    for (const { parameters, responses } of Object.values(methods)) {
      expect(parameters.filter((one) => one.in === "path").map(({ name, required }) => [name, required])).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, true]));
      for (const status of Object.keys(responses)) expect(status).toMatch(/^[2-5]\d\d$/);
    }
  }
  const ids = operations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("what is answered is as the document says, refusals too", async () => {
  const check = checker();
  const responder = await joinRouter();
  responder.say(["serve", 1, ["calculator.add"]]);
  check(await post("/api/v1/events", { type: "a.b", payload: { x: 1 }, source: "s", headers: { a: "b" } }), "post", "/api/v1/events");
  check(await post("/api/v1/events", [{ type: "a.b" }, { type: "a.c", correlation_id: "1", priority: 9 }]), "post", "/api/v1/events");
  check(await post("/api/v1/events", { type: "not*a*type" }), "post", "/api/v1/events");
  check(await call("POST", "/api/v1/events", { body: "x", headers: { "content-type": "text/plain" } }), "post", "/api/v1/events");
  check(await get("/api/v1/events?limit=2"), "get", "/api/v1/events");
  check(await get("/api/v1/events", { accept: "application/cloudevents-batch+json" }), "get", "/api/v1/events");
  check(await get("/api/v1/events?cursor=x:1"), "get", "/api/v1/events");
  check(await get("/api/v1/events/1"), "get", "/api/v1/events/{seq}");
  check(await get("/api/v1/events/1?format=cloudevents"), "get", "/api/v1/events/{seq}");
  check(await get("/api/v1/events/99"), "get", "/api/v1/events/{seq}");
  const answer = post("/api/v1/requests", { type: "calculator.add", payload: { x: 1 } });
  await expect.poll(() => responder.named("ask").length).toBe(1);
  responder.say(["answer", responder.named("ask")[0]![1]], "3");
  check(await answer, "post", "/api/v1/requests");
  check(await post("/api/v1/requests", { type: "nobody.there" }), "post", "/api/v1/requests");
  check(await post("/api/v1/streams/order-1/events?expected_version=no-stream", [{ type: "a.b" }, { type: "a.c" }]), "post", "/api/v1/streams/{stream}/events");
  check(await post("/api/v1/streams/order-1/events?expected_version=7", { type: "a.b" }), "post", "/api/v1/streams/{stream}/events");
  check(await get("/api/v1/streams/order-1/events?direction=backward&limit=1"), "get", "/api/v1/streams/{stream}/events");
  check(await post("/api/v1/tickets", {}), "post", "/api/v1/tickets");
  check(await get("/api/v1/dead-letters"), "get", "/api/v1/dead-letters");
  check(await post("/api/v1/dead-letters/retry", { all: true }), "post", "/api/v1/dead-letters/retry");
  check(await post("/api/v1/dead-letters/retry", { all: true, event_ids: ["x"] }), "post", "/api/v1/dead-letters/retry");
  check(await post("/api/v1/dead-letters/discard", { dead_letter_ids: ["dead_x"] }), "post", "/api/v1/dead-letters/discard");
  check(await post("/api/v1/purge", { older_than: "30d" }), "post", "/api/v1/purge");
  check(await post("/api/v1/purge", {}), "post", "/api/v1/purge");
  responder.subscribe(2, "a.*");
  for (const path of ["/api/v1/stats", "/api/v1/subscriptions", "/health"]) check(await get(path), "get", path);
});

test("event streams: append with an expected version, read both ways", async () => {
  expect((await post("/api/v1/streams/cart-1/events?expected_version=no-stream", [{ type: "cart.opened" }, { type: "cart.filled", payload: 1 }])).body).toMatchObject([{ version: 0 }, { version: 1 }]);
  expect(await post("/api/v1/streams/cart-1/events?expected_version=0", { type: "cart.closed" })).toMatchObject({ status: 409, body: { code: "ERR_STREAM_VERSION", actualVersion: 1 } });
  expect(await post("/api/v1/streams/cart-1/events?expected_version=1", { type: "cart.closed" })).toMatchObject({ status: 201, body: { version: 2, status: "published" } });
  expect((await get("/api/v1/streams/cart-1/events?from_version=1")).body).toMatchObject({ events: [{ type: "cart.filled", stream: "cart-1", version: 1 }, { type: "cart.closed", version: 2 }], length: 3, next_version: null });
  expect((await get("/api/v1/streams/cart-1/events?direction=backward&limit=1")).body).toMatchObject({ events: [{ version: 2 }], next_version: 1 });
  expect(await post("/api/v1/streams/cart-1/events", [{ type: "a" }, { type: "b", stream: "other" }])).toMatchObject({ status: 400, body: { path: "[1]" } });
  expect(await get("/api/v1/streams/cart-1/events?from_version=last")).toMatchObject({ status: 400, body: { path: "from_version" } });
});

test("the page loads nothing and runs nothing", async () => {
  const { status, type, headers, body } = await get("/docs");
  expect({ status, type }).toEqual({ status: 200, type: "text/html; charset=utf-8" });
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  expect(body).not.toMatch(/<script|<img|<link|src=|url\(|@import/i);
  expect([...body.matchAll(/href="([^"]+)"/g)].map(([, to]) => to).filter((to) => !to.startsWith("#"))).toEqual(["/openapi.json"]);
  const targets = new Set([...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  expect([...body.matchAll(/href="#([^"]+)"/g)].map(([, to]) => to).filter((to) => !targets.has(to))).toEqual([]);
  for (const { id } of operations) expect(targets).toContain(id);
});

test("a client that oazapfts makes of the document publishes, reads and is refused", async () => {
  await using server = await serve({ port: 0 });
  // Within the project, so that it finds its runtime.
  const folder = await mkdtemp(join(import.meta.dirname, "generated-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "openapi.json");
  await writeFile(file, JSON.stringify(await (await fetch(`${server.url}/openapi.json`)).json()));
  execFileSync(process.execPath, ["node_modules/oazapfts/dist/cli.js", file, join(folder, "client.ts")], { stdio: "pipe" });
  const client = await import(pathToFileURL(join(folder, "client.ts")).href);
  client.defaults.baseUrl = server.url;
  const published = await client.publishEvents({ "type": "user.created", payload: { id: 123 } }, { namespace: "generated" });
  expect(published).toMatchObject({ status: 201, data: { status: "published", seq: 1 } });
  expect(await client.listEvents({ namespace: "generated", topics: "user.*", limit: "10" })).toMatchObject({ status: 200, data: { events: [{ type: "user.created", payload: { id: 123 } }], next_cursor: null } });
  expect(await client.appendToStream("order-1", { type: "order.placed" }, { namespace: "generated", expectedVersion: "no-stream" })).toMatchObject({ status: 201, data: { version: 0 } });
  expect(await client.getEvent(99, { namespace: "generated" })).toMatchObject({ status: 404, data: { code: "ERR_NOT_FOUND" } });
  expect(await client.getHealth()).toMatchObject({ status: 200, data: { status: "healthy" } });
});

import { expect, test } from "vitest";
import { AuthenticationError, PermissionError, PublishError } from "../../src/core/errors.ts";
import { apiKeyPolicy } from "../../src/auth/api-keys.ts";
import { memoryStore } from "../../src/router.ts";
import type { Store } from "../../src/core/store.ts";
import { httpApp } from "./http-app.ts";

const json = { "content-type": "application/json" };
const event = '{"type":"a"}';

test.each<[title: string, method: string, path: string, headers: Record<string, string>, body: string | undefined, status: number, code: string, path?: string]>([
  ["no JSON", "POST", "/api/v1/events", json, "{", 400, "ERR_JSON"],
  ["an empty body", "POST", "/api/v1/events", json, "", 400, "ERR_JSON"],
  ["a form", "POST", "/api/v1/events", { "content-type": "application/x-www-form-urlencoded" }, "type=a", 415, "ERR_MEDIA_TYPE"],
  ["no content type", "POST", "/api/v1/events", { "content-type": "" }, event, 415, "ERR_MEDIA_TYPE"],
  ["a number", "POST", "/api/v1/events", json, "5", 400, "ERR_BODY", ""],
  ["null", "POST", "/api/v1/events", json, "null", 400, "ERR_BODY", ""],
  ["an empty array", "POST", "/api/v1/events", json, "[]", 400, "ERR_BODY", ""],
  ["no type", "POST", "/api/v1/events", json, "{}", 400, "ERR_BODY", "type"],
  ["a type with a wildcard", "POST", "/api/v1/events", json, '{"type":"a.*"}', 400, "ERR_TYPE", "type"],
  ["a type of the router's own", "POST", "/api/v1/events", json, '{"type":"$router.x"}', 400, "ERR_TYPE", "type"],
  ["a type that is a number", "POST", "/api/v1/events", json, '{"type":1}', 400, "ERR_BODY", "type"],
  ["an unknown field", "POST", "/api/v1/events", json, '{"type":"a","Payload":1}', 400, "ERR_BODY", "Payload"],
  ["an unknown field in an array", "POST", "/api/v1/events", json, '[{"type":"a"},{"type":"a","x":1}]', 400, "ERR_BODY", "[1].x"],
  ["a wrong type in an array", "POST", "/api/v1/events", json, '[{"type":"a"},{"type":"a..b"}]', 400, "ERR_TYPE", "[1].type"],
  ["a header that is no text", "POST", "/api/v1/events", json, '{"type":"a","headers":{"x":1}}', 400, "ERR_BODY", "headers.x"],
  ["a header with a line break", "POST", "/api/v1/events", json, '{"type":"a","headers":{"x":"a\\nb"}}', 400, "ERR_HEADERS", "headers.x"],
  ["a priority of ten", "POST", "/api/v1/events", json, '{"type":"a","priority":10}', 400, "ERR_PRIORITY", "priority"],
  ["an id with a space", "POST", "/api/v1/events", json, '{"type":"a","id":"a b"}', 400, "ERR_EVENT_ID", "id"],
  ["an id twice", "POST", "/api/v1/events", json, '[{"type":"a","id":"x"},{"type":"a","id":"x"}]', 400, "ERR_DUPLICATE_ID"],
  ["a deep payload", "POST", "/api/v1/events", json, `{"type":"a","payload":${"[".repeat(33)}${"]".repeat(33)}}`, 400, "ERR_PAYLOAD_DEPTH", "payload"],
  ["a large payload", "POST", "/api/v1/events", json, `{"type":"a","payload":"${"x".repeat(262_200)}"}`, 413, "ERR_PAYLOAD_TOO_LARGE", "payload"],
  ["a large body", "POST", "/api/v1/events", json, `{"type":"a","payload":"${"x".repeat(1024 * 1024)}"}`, 413, "ERR_BODY_TOO_LARGE"],
  ["too many events", "POST", "/api/v1/events", json, `[${Array.from({ length: 501 }, () => event).join(",")}]`, 413, "ERR_BATCH_TOO_LARGE"],
  ["an Idempotency-Key that is too long", "POST", "/api/v1/events", { ...json, "idempotency-key": "k".repeat(256) }, event, 400, "ERR_IDEMPOTENCY_KEY", "Idempotency-Key"],
  ["a namespace with a slash", "POST", "/api/v1/events?namespace=a/b", json, event, 400, "ERR_NAME", "namespace"],
  ["a pattern that is none", "GET", "/api/v1/events?topics=a..b", {}, undefined, 400, "ERR_PATTERN", "topics"],
  ["a limit that is no number", "GET", "/api/v1/events?limit=many", {}, undefined, 400, "ERR_QUERY", "limit"],
  ["a limit of nothing", "GET", "/api/v1/events?limit=0", {}, undefined, 400, "ERR_QUERY", "limit"],
  ["a limit that is too high", "GET", "/api/v1/events?limit=1001", {}, undefined, 400, "ERR_QUERY", "limit"],
  ["a time that is none", "GET", "/api/v1/events?from=yesterday", {}, undefined, 400, "ERR_QUERY", "from"],
  ["a cursor that is none", "GET", "/api/v1/events?cursor=7", {}, undefined, 400, "ERR_QUERY", "cursor"],
  ["an unknown parameter", "GET", "/api/v1/events?topic=a", {}, undefined, 400, "ERR_QUERY", "topic"],
  ["an unknown operator", "GET", "/api/v1/events?filter=priority:above:5", {}, undefined, 400, "ERR_FILTER"],
  ["a filter that is no JSON", "GET", "/api/v1/events?filter={", {}, undefined, 400, "ERR_FILTER", "filter"],
  ["a filter that would run code", "GET", `/api/v1/events?filter=${encodeURIComponent('{"$where":"1"}')}`, {}, undefined, 400, "ERR_FILTER"],
  ["types in two places", "GET", "/api/v1/events?topics=a&filter=type:b", {}, undefined, 400, "ERR_QUERY", "filter"],
  ["a stream of a pattern that is none", "GET", "/api/v1/events/stream?topics=a%23", {}, undefined, 400, "ERR_PATTERN", "topics"],
  ["a stream from nowhere", "GET", "/api/v1/events/stream?from=there", {}, undefined, 400, "ERR_QUERY", "from"],
  ["a Last-Event-ID of another server", "GET", "/api/v1/events/stream", { "last-event-id": "what?" }, undefined, 400, "ERR_QUERY", "last_event_id"],
  ["a request without a type", "POST", "/api/v1/requests", json, '{"payload":1}', 400, "ERR_BODY", "type"],
  ["a request with a timeout that is none", "POST", "/api/v1/requests", json, '{"type":"a","timeout":"soon"}', 400, "ERR_DURATION", "timeout"],
  ["a request nobody answers", "POST", "/api/v1/requests", json, event, 404, "ERR_NO_RESPONDERS"],
  ["another scheme", "GET", "/api/v1/stats", { authorization: "Basic YTpi" }, undefined, 401, "ERR_UNAUTHENTICATED"],
  ["a path that is not there", "GET", "/api/v2/events", {}, undefined, 404, "ERR_NOT_FOUND"],
  ["metrics where there are none", "GET", "/metrics", {}, undefined, 404, "ERR_NOT_FOUND"],
  ["a method that is not there", "PUT", "/api/v1/events", json, event, 405, "ERR_METHOD_NOT_ALLOWED"],
])("refused: %s", async (_title, method, path, headers, body, status, code, place) => {
  const { call, failures } = httpApp();
  const answer = await call(method, path, { headers, ...(body !== undefined && { body }) });
  expect(answer).toMatchObject({ status, type: "application/problem+json", body: { type: "about:blank", title: expect.any(String), status, code, detail: expect.any(String), ...(place !== undefined && { path: place }) } });
  expect(failures).toEqual([]);
});

test("a wrong method is told which are right", async () => {
  const { call } = httpApp();
  expect((await call("DELETE", "/api/v1/events")).headers.get("allow")).toBe("POST, GET, HEAD");
  expect((await call("POST", "/health")).headers.get("allow")).toBe("GET, HEAD");
});

test("of a body that is too long no more is read than may be sent", async () => {
  const { app } = httpApp();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({ pull(controller) {
    sent++;
    controller.enqueue(new TextEncoder().encode("x".repeat(64 * 1024)));
  } });
  const response = await app.request("/api/v1/events", { method: "POST", body, headers: json, duplex: "half" } as RequestInit);
  expect(response.status).toBe(413);
  expect(sent).toBeLessThan(20);
});

test("a body without an announced length is read whole, also where a character is cut in two", async () => {
  const { app } = httpApp();
  const bytes = new TextEncoder().encode('{"type":"a","payload":"☃"}');
  const body = new ReadableStream<Uint8Array>({ start(controller) {
    controller.enqueue(bytes.slice(0, 24));
    controller.enqueue(bytes.slice(24));
    controller.close();
  } });
  expect((await app.request("/api/v1/events", { method: "POST", body, headers: json, duplex: "half" } as RequestInit)).status).toBe(201);
});

test("without a key that is known nobody gets in, and the answer says what to send", async () => {
  const { get, post } = httpApp({ router: { policy: await apiKeyPolicy(["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]) } });
  const refused = await get("/api/v1/stats");
  expect(refused).toMatchObject({ status: 401, body: { code: "ERR_UNAUTHENTICATED", detail: expect.stringContaining("X-API-Key") } });
  expect(refused.headers.get("www-authenticate")).toBe("Bearer");
  expect((await get("/api/v1/stats", { "x-api-key": "0123456789abcdeX0123456789abcdef" })).status).toBe(401);
  expect((await get("/api/v1/stats", { authorization: "Bearer a.b.c" })).status).toBe(401);
  expect((await get("/api/v1/events/stream", { "x-api-key": "wrong" })).status).toBe(401);
  expect((await get("/api/v1/stats", { "x-api-key": "0123456789abcdef0123456789abcdef" })).status).toBe(200);
  expect((await get("/api/v1/stats", { authorization: "Bearer fedcba9876543210fedcba9876543210" })).status).toBe(200);
  expect((await get("/health")).status).toBe(200);
  await post("/api/v1/events", { type: "a" }, { "x-api-key": "0123456789abcdef0123456789abcdef" });
  const { body: { events: [published] } } = await get("/api/v1/events", { "x-api-key": "fedcba9876543210fedcba9876543210" });
  expect(published.publisher.subject).toMatch(/^key:[0-9a-f]{8}$/);
});

test("each call is made with the caller's own rights", async () => {
  const reader = { allows: (action: string) => action === "subscribe", contains: (action: string) => action === "subscribe", has: () => false };
  const policy = { authenticate: (credential: unknown) => {
    if (credential === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", "say who you are");
    return { subject: "reader", rights: reader };
  } };
  const { get, post } = httpApp({ router: { policy }, metrics: async () => ({ type: "text/plain", text: "" }) });
  const key = { "x-api-key": "any" };
  expect((await get("/api/v1/events", key)).status).toBe(200);
  expect(await post("/api/v1/events", { type: "a.b" }, key)).toMatchObject({ status: 403, body: { code: "ERR_PERMISSION", permission: "publish:a.b" } });
  expect((await post("/api/v1/requests", { type: "a.b" }, key)).status).toBe(403);
  for (const path of ["/api/v1/stats", "/api/v1/subscriptions", "/metrics"]) expect((await get(path, key)).status).toBe(403);
  expect((await get("/metrics")).status).toBe(401);
});

test("a namespace that is not the caller's own is 403", async () => {
  const policy = { authenticate: () => { throw new PermissionError("ERR_NAMESPACE", "not yours"); } };
  expect(await httpApp({ router: { policy } }).get("/api/v1/stats?namespace=x")).toMatchObject({ status: 403, body: { code: "ERR_NAMESPACE" } });
});

test("more namespaces than a router may have are 429, with a time to come back", async () => {
  const { get } = httpApp({ router: { namespaces: 1 } });
  await get("/api/v1/stats?namespace=a");
  const refused = await get("/api/v1/stats?namespace=b");
  expect(refused).toMatchObject({ status: 429, body: { code: "ERR_TOO_MANY_NAMESPACES" } });
  expect(refused.headers.get("retry-after")).toBe("1");
});

test("a store that fails is 503, and so is a router that stops", async () => {
  const store = memoryStore({ randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) });
  const failing: Store = { ...store, async open(namespace) {
    const log = await store.open(namespace);
    return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(log), append: { value: () => Promise.reject(new PublishError("ERR_STORE", "the disk is full", { retryable: true })) } }) as never;
  } };
  const { post, get, router } = httpApp({ router: { store: failing } });
  const refused = await post("/api/v1/events", { type: "a" });
  expect(refused).toMatchObject({ status: 503, body: { code: "ERR_STORE" } });
  expect(refused.headers.get("retry-after")).toBe("1");
  await router.close();
  const stopped = await post("/api/v1/events", { type: "a" });
  expect(stopped).toMatchObject({ status: 503, body: { code: "ERR_ROUTER_STOPPING", retry_after: 1_000 } });
  expect(stopped.headers.get("retry-after")).toBe("1");
  expect(await get("/health")).toMatchObject({ status: 503, body: { status: "unhealthy", checks: { transport: "stopping" } } });
});

import { expect, test } from "vitest";
import { gate } from "../../src/http/gate.ts";
import { httpApp } from "./http-app.ts";

test.each<[origin: string | undefined, host: string | undefined, verdict: string | undefined]>([
  [undefined, "router.example", undefined],
  ["http://127.0.0.1:8080", "127.0.0.1:8080", undefined],
  ["https://router.example", "router.example", undefined],
  ["https://router.example", "router.example:443", undefined],
  ["http://router.example", "router.example:80", undefined],
  ["https://app.example", "router.example", undefined],
  ["https://evil.example", "router.example", "ERR_ORIGIN"],
  ["http://127.0.0.1:3000", "127.0.0.1:8080", "ERR_ORIGIN"],
  ["https://app.example.evil.example", "router.example", "ERR_ORIGIN"],
  ["http://app.example", "router.example", "ERR_ORIGIN"],
  ["null", "router.example", "ERR_ORIGIN"],
  ["file://", "router.example", "ERR_ORIGIN"],
  ["", "", "ERR_ORIGIN"],
  ["https://router.example", undefined, "ERR_ORIGIN"],
])("a page of %s at %s: %s", (origin, host, verdict) => {
  expect(gate({ origins: ["https://app.example"], hosts: undefined })(origin, host)?.code).toBe(verdict);
});

test.each<[host: string | undefined, verdict: string | undefined]>([
  ["127.0.0.1:8080", undefined], ["localhost", undefined], ["LOCALHOST:1", undefined], ["[::1]:8080", undefined], ["app.localhost:8080", undefined],
  ["evil.example:8080", "ERR_HOST"], ["127.0.0.1.evil.example", "ERR_HOST"], ["localhost.evil.example", "ERR_HOST"], ["", "ERR_HOST"], [undefined, "ERR_HOST"],
])("a name that points to this machine, %s: %s", (host, verdict) => {
  const names = gate({ origins: [], hosts: ["localhost", "127.0.0.1", "[::1]"] });
  expect(names(undefined, host)?.code).toBe(verdict);
  expect(names(`http://${host}`, host)?.code).toBe(verdict);
});

test("a foreign page is refused before anything is done", async () => {
  const { get, post, call } = httpApp();
  const origin = { origin: "https://evil.example" };
  expect(await get("/api/v1/stats", origin)).toMatchObject({ status: 403, body: { code: "ERR_ORIGIN" } });
  expect((await post("/api/v1/events", { type: "a" }, origin)).status).toBe(403);
  const preflight = await call("OPTIONS", "/api/v1/events", { headers: { ...origin, "access-control-request-method": "POST" } });
  expect(preflight.status).toBe(403);
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  expect((await get("/health", origin)).status).toBe(200);
});

test("a page that is named may use it", async () => {
  const { get, call } = httpApp({ origins: ["https://app.example"] });
  const origin = { origin: "https://app.example" };
  const preflight = await call("OPTIONS", "/api/v1/events", { headers: { ...origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-api-key" } });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect(preflight.headers.get("access-control-allow-headers")).toContain("x-api-key");
  const answer = await get("/api/v1/stats", origin);
  expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect((await get("/api/v1/events?limit=x", origin)).headers.get("access-control-allow-origin")).toBe("https://app.example");
});

test("nobody guesses at types", async () => {
  const { get } = httpApp();
  for (const path of ["/health", "/nowhere", "/api/v1/stats"]) expect((await get(path)).headers.get("x-content-type-options")).toBe("nosniff");
});

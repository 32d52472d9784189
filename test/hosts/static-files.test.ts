import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";

let base: string;
let server: RunningServer;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "static-"));
  await mkdir(join(base, "site/assets"), { recursive: true });
  await writeFile(join(base, "secret.txt"), "secret");
  await writeFile(join(base, "site/index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(base, "site/.env"), "secret");
  await writeFile(join(base, "site/assets/main-BxK3f_9q.js"), "export {}");
  await writeFile(join(base, "site/assets/icon.svg"), "<svg/>");
  server = await serve({ port: 0, staticFiles: join(base, "site") });
});
afterAll(async () => {
  await server.close();
  await rm(base, { recursive: true, force: true });
});

/** The path goes out as it is: `fetch` would tidy it. */
function get(path: string, method = "GET"): Promise<{ status: number; headers: Record<string, string | undefined>; body: string }> {
  return new Promise((resolve, reject) => {
    request({ port: server.port, host: "127.0.0.1", path, method }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => { body += chunk.toString(); });
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers as never, body }));
    }).on("error", reject).end();
  });
}

test("the page is served at / with a policy that lets it talk to its own server and to nobody else", async () => {
  const { status, headers, body } = await get("/");
  expect([status, headers["content-type"], headers["cache-control"], headers["x-content-type-options"]]).toEqual([200, "text/html; charset=utf-8", "no-cache", "nosniff"]);
  expect(body).toContain("<title>page</title>");
  const policy = headers["content-security-policy"]!;
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${server.port} wss://127.0.0.1:${server.port}`);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(headers).toMatchObject({ "referrer-policy": "no-referrer", "x-frame-options": "DENY", "cross-origin-opener-policy": "same-origin", "permissions-policy": expect.stringContaining("camera=()") });
});

test("files that never change are kept for ever, others are asked for again", async () => {
  const script = await get("/assets/main-BxK3f_9q.js");
  expect([script.headers["content-type"], script.headers["cache-control"]]).toEqual(["text/javascript; charset=utf-8", "public, max-age=31536000, immutable"]);
  expect((await get("/assets/icon.svg")).headers).toMatchObject({ "content-type": expect.stringMatching(/^image\/svg\+xml/), "cache-control": "no-cache" });
});

test.each([
  "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/assets/../../secret.txt", "/..\\secret.txt", "/..%5csecret.txt", "/%252e%252e/secret.txt",
  "//secret.txt", "/.env", "/%2eenv", "/assets/", "/secret.txt", "/index.html%00.js", "/%",
])("nothing outside, and nothing hidden: %s", async (path) => {
  const { status, body } = await get(path);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(body).not.toContain("secret\n");
  expect(body).not.toBe("secret");
});

test("the interface comes first, and only reading is served", async () => {
  expect((await get("/health")).body).toContain("healthy");
  expect((await get("/", "POST")).status).toBe(404);
  expect(await get("/", "HEAD")).toMatchObject({ status: 200, body: "" });
});

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { redisStore } from "../../src/stores/redis.ts";
import { Cli } from "../cli/cli.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { RedisServer } from "../support/redis-server.ts";

const compose = readFileSync(new URL("../../deploy/compose.yaml", import.meta.url), "utf8");
const commands = [...compose.matchAll(/^ +command: (\[.*\])$/gm)].map(([, list]) => JSON.parse(list!) as string[]);

test("the two routers and the Redis of deploy/compose.yaml: an event that is published to one is heard at the other", async () => {
  const [router, redis] = commands as [string[], string[]];
  expect([router[0], redis[0]]).toEqual(["start", "redis-server"]);
  await using server = await RedisServer.start(...redis.slice(1));
  const key = randomBytes(32).toString("hex");
  const start = (): Cli => new Cli([...router.map((arg) => (arg === "redis://redis:6379" ? server.url : arg)), "--port", "0", "--no-playground", "--json"], { EVENT_ROUTER_API_KEYS: key });
  await using one = start();
  await using two = start();
  const urls = await Promise.all([one, two].map(async (cli) => (JSON.parse((await cli.says(/\{.*\}/))[0]) as { url: string }).url.replace("0.0.0.0", "127.0.0.1")));
  const [a, b] = urls.map((url) => new EventRouterClient({ url, auth: { type: "api_key", key } }));
  await using _a = a!;
  await using _b = b!;
  const heard = Promise.withResolvers<unknown>();
  await b!.subscribe("order.*", (event) => heard.resolve(event.payload));
  expect(await a!.publish("order.placed", { total: 99.5 })).toMatchObject({ seq: 1, durability: "disk" });
  expect(await heard.promise).toEqual({ total: 99.5 });
  expect([one.err, two.err]).toEqual(["", ""]);
});

test("what deploy/compose.yaml and its Dockerfile name is there", () => {
  const deploy = new URL("../../deploy/", import.meta.url);
  const files = [...compose.matchAll(/dockerfile: (\S+?)[ ,}]/g)].map(([, file]) => new URL(`../${file!}`, deploy)).concat([...compose.matchAll(/"(\.\/[^:"]+):/g)].map(([, file]) => new URL(file!, deploy)));
  expect([files.length, files.filter((file) => !existsSync(file))]).toEqual([2, []]);
  const { bin, scripts } = JSON.parse(readFileSync(new URL("../package.json", deploy), "utf8")) as { bin: Record<string, string>; scripts: Record<string, string> };
  const docker = readFileSync(new URL("Dockerfile", deploy), "utf8");
  expect(`./${/ENTRYPOINT \["node", "([^"]+)"\]/.exec(docker)![1]!}`).toBe(bin["event-router"]);
  expect([...docker.matchAll(/npm run -s (\w+)/g)].filter(([, script]) => scripts[script!] === undefined)).toEqual([]);
});

const caddy = "/usr/bin/caddy";
if (existsSync(caddy)) test("through the proxy of deploy/Caddyfile: a WebSocket, an event stream without delay, and the other router when one has died", async () => {
  await using redis = await RedisServer.start();
  const ports = [await fixedPort(), await fixedPort()];
  const servers = await Promise.all(ports.map((port) => serve({ port, store: redis.url as `redis://${string}` })));
  const at = await fixedPort();
  const folder = mkdtempSync(join(tmpdir(), "event-router-proxy-"));
  const file = join(folder, "Caddyfile");
  writeFileSync(file, readFileSync(new URL("../../deploy/Caddyfile", import.meta.url), "utf8").replace(":8080 {", `http://127.0.0.1:${at} {`));
  const proxy = spawn(caddy, ["run", "--config", file, "--adapter", "caddyfile"], { stdio: "ignore", env: { HOME: folder, ROUTERS: ports.map((port) => `127.0.0.1:${port}`).join(" ") } });
  const url = `http://127.0.0.1:${at}`;
  try {
    await expect.poll(() => fetch(`${url}/health`).then(({ status }) => status, () => 0)).toBe(200);
    await using client = new EventRouterClient({ url, logger: { error() {} } });
    const heard: unknown[] = [];
    await client.subscribe("order.*", ({ payload }) => { heard.push(payload); });
    const stream = (await fetch(`${url}/api/v1/events/stream?topics=order.*`)).body!.pipeThrough(new TextDecoderStream()).getReader();
    await client.publish("order.placed", 1);
    let streamed = "";
    while (!streamed.includes('"payload":1')) streamed += (await stream.read()).value ?? "";
    // Whichever of them the client is at: it is at the other one after that, with what it missed.
    for (const [i, server] of servers.entries()) {
      await server.close({ retryAfter: 1, timeout: 1 });
      await client.publish("order.placed", i + 2);
      await expect.poll(() => heard).toEqual([1, 2, 3].slice(0, i + 2));
      servers[i] = await serve({ port: ports[i]!, store: redis.url as `redis://${string}` });
      await expect.poll(() => fetch(`${url}/health`).then(({ status }) => status, () => 0)).toBe(200);
    }
    await stream.cancel();
  } finally {
    proxy.kill();
    await once(proxy, "close");
    for (const server of servers) await server.close({ timeout: 1 });
    rmSync(folder, { recursive: true });
  }
});

test("the program of docs/redis.md runs", async () => {
  await using redis = await RedisServer.start("--requirepass", "secret");
  const page = readFileSync(new URL("../../docs/redis.md", import.meta.url), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(page)![1]!;
  const given = { serve, redisStore, EventRouterClient, host: "127.0.0.1", port: redis.port };
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the page's own example
  const run = new Function(...Object.keys(given), `return (async () => { ${example}\nreturn { server, client }; })()`) as (...values: unknown[]) => Promise<{ server: RunningServer; client: EventRouterClient }>;
  const { server, client } = await run(...Object.values(given));
  // They have prefixes of their own.
  expect((await (await server.store.open("default")).read(0, { events: 1, size: 1 }))).toEqual([]);
  for await (const event of client.stream("order.*", { from: "start" })) {
    expect(event.payload).toEqual({ total: 99.5 });
    break;
  }
  await client.close();
  await server.close();
  await server.store.close();
});

test("doctor says what is not well with a Redis, and never its password", async () => {
  await using server = await RedisServer.start("--appendonly", "no", "--maxmemory-policy", "allkeys-lru", "--requirepass", "hunter2");
  const folder = mkdtempSync(join(tmpdir(), "event-router-doctor-"));
  try {
    const file = join(folder, "router.json");
    const check = async (store: string) => {
      writeFileSync(file, JSON.stringify({ port: 0, store, retainAge: "30d" }));
      return new Cli(["doctor", "--config", file], {}, true).ended;
    };
    const found = await check(`redis://:hunter2@127.0.0.1:${server.port}`);
    expect(found.out).toMatch(new RegExp(`redis://127.0.0.1:${server.port} answers`));
    expect(found.out).toMatch(/appendonly no.*set appendonly yes/);
    expect(found.out).toMatch(/maxmemory-policy allkeys-lru.*set maxmemory-policy noeviction/);
    expect(found.code).toBe(0);
    const refused = await check(`redis://:guess@127.0.0.1:${server.port}`);
    expect([refused.code, refused.out]).toEqual([1, expect.stringMatching(/does not let this user in.*right user and password/)]);
    expect(found.out + found.err + refused.out + refused.err).not.toMatch(/hunter2|guess/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

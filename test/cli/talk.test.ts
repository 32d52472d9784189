import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { Cli, cli } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

let server: RunningServer;
let names = 0;
/** Each test has a log of its own. */
const fresh = (): string => `test-${++names}`;
const at = (namespace: string): string[] => ["--url", server.url, "--namespace", namespace];
const connect = (namespace: string): EventRouterClient => new EventRouterClient({ url: server.url.replace(/^http/, "ws"), namespace });

beforeAll(async () => {
  server = await serve({ port: 0 });
});
afterAll(async () => {
  await server.close();
});

test("publish prints the id and the seq, and what it was told is in the event", async () => {
  const space = fresh();
  const plain = await cli(["publish", "user.created", '{"id": 123, "name": "Alice"}', ...at(space)]);
  expect(plain).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^published evt_\w+ seq 1\n$/) });
  const line = ["publish", "order.placed", "--payload-file", "-", "--source", "shop", "--target", "payments", "--priority", "8", "--correlation-id", "req-1", "--header", "region=eu", "--header", "a=b=c", "--id", "order-1", "--json", ...at(space)];
  const told = await cli(line, { input: '{"total": 1}\n' });
  const receipt = { id: "order-1", type: "order.placed", seq: 2, epoch: expect.any(String), timestamp: expect.stringMatching(/Z$/), status: "published", durability: "memory" };
  expect(told).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(told.out)).toEqual(receipt);
  expect(JSON.parse((await cli(line, { input: '{"total": 1}' })).out)).toEqual({ ...receipt, status: "duplicate" });
  const shown = await cli(["monitor", "--from", "start", "--limit", "1", "--json", ...at(space)]);
  expect(JSON.parse(shown.out)).toEqual({ id: expect.stringMatching(/^evt_/), type: "user.created", payload: { id: 123, name: "Alice" }, seq: 1, epoch: expect.any(String), timestamp: expect.stringMatching(/Z$/), priority: 5 });
});

test("publish: what the router or the client refuses ends with 2 or 1 and its code", async () => {
  const space = fresh();
  expect(await cli(["publish", "user..created", ...at(space)])).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/\(ERR_TYPE\)\n$/) });
  expect(await cli(["publish", "a", "--id", "no spaces", ...at(space)])).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/\(ERR_EVENT_ID\)\n$/) });
  await cli(["publish", "a", "1", "--id", "same", ...at(space)]);
  expect(await cli(["publish", "a", "2", "--id", "same", ...at(space)])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/\(ERR_ID_CONFLICT\)\n$/) });
  expect(await cli(["publish", "a", "--payload-file", "/nowhere.json", ...at(space)])).toMatchObject({ code: 1, out: "", err: "event-router: there is no /nowhere.json; see that the path is right (ENOENT)\n" });
  expect(await cli(["publish", "a", "--payload-file", "-", ...at(space)], { input: "{" })).toMatchObject({ code: 2, out: "", err: "event-router: standard input ends too early; mend it and try again (ERR_JSON)\n" });
});

test("publish holds an event back, lets it lapse, and appends it to a stream", async () => {
  const space = fresh();
  expect(await cli(["publish", "a.b", "1", "--stream", "cart-1", "--ttl", "1h", ...at(space)])).toMatchObject({ code: 0, out: expect.stringMatching(/ seq 1\n$/) });
  expect(await cli(["publish", "a.b", "2", "--delay", "10m", "--id", "later", ...at(space)])).toMatchObject({ code: 0, out: "published later in 10m\n" });
  const [line] = (await cli(["monitor", "--from", "start", "--limit", "1", "--json", ...at(space)])).out.split("\n");
  expect(JSON.parse(line!)).toMatchObject({ stream: "cart-1", version: 0, ttl: 3_600_000 });
});

test("request prints the payload of the answer; with --json the answer", async () => {
  const space = fresh();
  await using responder = connect(space);
  await responder.respond("calculator.add", ({ payload: { x, y } }: { payload: { x: number; y: number } }) => ({ result: x + y })).ready;
  const line = ["request", "calculator.add", '{"x": 10, "y": 20}', ...at(space)];
  expect(await cli(line)).toEqual({ code: 0, signal: null, err: "", out: '{"result": 30}\n' });
  expect(JSON.parse((await cli([...line, "--json"])).out)).toMatchObject({ payload: { result: 30 }, type: expect.any(String) });
});

test("request: no responder, a throw and a time-out end with 1 and their codes", async () => {
  const space = fresh();
  await using responder = connect(space);
  await responder.respond("always.throws", () => { throw new RangeError("too much\u001b[2J"); }).ready;
  await responder.respond("never.answers", () => new Promise(() => {})).ready;
  expect(await cli(["request", "nobody.there", ...at(space)])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/\(ERR_NO_RESPONDERS\)\n$/) });
  const thrown = await cli(["request", "always.throws", ...at(space)]);
  expect(thrown).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/too much.*\(ERR_\w+\)\n$/) });
  expect(thrown.err).not.toContain("\u001b");
  expect(await cli(["request", "never.answers", "--timeout", "100ms", ...at(space)])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/\(ERR_\w*TIMEOUT\)\n$/) });
});

test("status is the seed's", async () => {
  const space = fresh();
  await using subscriber = connect(space);
  await subscriber.subscribe("a.*");
  await subscriber.publishBatch(Array.from({ length: 500 }, () => ["b.c", null] as const));
  await subscriber.publishBatch(Array.from({ length: 500 }, () => ["b.c", null] as const));
  await subscriber.publish("b.c", null);
  expect(await cli(["status", ...at(space)])).toEqual({ code: 0, signal: null, err: "", out: `Event Router Status: Running
Transport: WebSocket (connected)
Events Published: 1,001
Active Subscriptions: 1
Queue Depth: 0
` });
  const { code, out } = await cli(["status", "--json", ...at(space)]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: "running", url: server.url, transport: "websocket", connection: "connected", events_published: 1_001, active_subscriptions: 1, queue_depth: 0, checks: { transport: "ok", persistence: "ok", queue: "ok" } });
});

test("Ctrl-C while waiting for an answer ends with 1 and says that it was not done", async () => {
  const space = fresh();
  await using responder = connect(space);
  const asked = Promise.withResolvers<void>();
  await responder.respond("never.answers", () => {
    asked.resolve();
    return new Promise(() => {});
  }).ready;
  await using waiting = new Cli(["request", "never.answers", ...at(space)]);
  await asked.promise;
  waiting.child.kill("SIGINT");
  expect(await waiting.ended).toEqual({ code: 1, signal: null, out: "", err: "event-router: stopped by SIGINT before it was done (ERR_INTERRUPTED)\n" });
});

/** Something else that speaks HTTP. */
async function webServer(answer: (path: string) => readonly [status: number, body: string]): Promise<{ url: string }> {
  const other = createServer((request, response) => {
    const [code, body] = answer(request.url!.split("?")[0]!);
    response.writeHead(code, { connection: "close" }).end(body);
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  return { url: `http://127.0.0.1:${(other.address() as AddressInfo).port}` };
}

test("status of a router that is not well, behind a proxy that lets no WebSockets through, says both with 1", async () => {
  const { url } = await webServer((path) => (path === "/health"
    ? [503, '{"status":"unhealthy","checks":{"transport":"ok","persistence":"failing","queue":"ok"}}']
    : path === "/api/v1/stats" ? [200, '{"events_published":7,"active_subscriptions":0,"queue_depth":12345}'] : [404, "{}"]));
  const { code, out, err } = await cli(["status", "--url", url]);
  expect({ code, err }).toEqual({ code: 1, err: "" });
  expect(out).toMatch(/^Event Router Status: Degraded \(persistence failing\)\nTransport: WebSocket \(not connected: .+\)\nEvents Published: 7\nActive Subscriptions: 0\nQueue Depth: 12,345\n$/);
  expect(JSON.parse((await cli(["status", "--url", url, "--json"])).out)).toMatchObject({ status: "degraded", connection: expect.stringMatching(/^not connected/), checks: { persistence: "failing" } });
});

test("status of what is no router says so with 1", async () => {
  const { url } = await webServer(() => [200, "<!doctype html>"]);
  expect(await cli(["status", "--url", url])).toEqual({ code: 1, signal: null, out: "", err: `event-router: ${url} is there, but no event router: it answered 200 to GET /health (ERR_NOT_A_ROUTER)\n` });
});

test("where no router is, each command says so with 1", async () => {
  const gone = { url: `http://127.0.0.1:${await fixedPort()}` };
  expect(await cli(["status", "--url", gone.url])).toEqual({ code: 1, signal: null, out: "", err: `Event Router Status: Not running at ${gone.url}\n` });
  expect(await cli(["status", "--json"], { env: { EVENT_ROUTER_URL: gone.url } })).toMatchObject({ code: 1, out: `{"status":"not_running","url":"${gone.url}"}\n` });
  for (const line of [["publish", "a"], ["request", "a"], ["monitor"]]) {
    expect(await cli([...line, "--url", gone.url])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^event-router: .*\(ERR_\w+\)\n$/) });
  }
});

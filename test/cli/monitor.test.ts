import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { Cli, cli } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

let server: RunningServer;
let names = 0;
/** Each test has a log of its own. */
const fresh = (): string => `test-${++names}`;
const at = (namespace: string, url = server.url): string[] => ["--url", url, "--namespace", namespace];
const connect = (namespace: string, url = server.url): EventRouterClient => new EventRouterClient({ url: url.replace(/^http/, "ws"), namespace });
const users = [["user.created", { id: 123, name: "Alice" }], ["order.placed", { total: 5 }], ["user.updated", { id: 123, email: "alice@example.com" }]] as const;

beforeAll(async () => {
  server = await serve({ port: 0 });
});
afterAll(async () => {
  await server.close();
});

test("monitor shows what comes, as the seed does, and Ctrl-C ends it with 0", async () => {
  const space = fresh();
  await using monitor = new Cli(["monitor", "--filter", "type:user.*", ...at(space)]);
  await monitor.says(/^event-router: listening to user\.\* at http.*; Ctrl-C ends it\n/, "err");
  await using client = connect(space);
  const [first, , last] = await client.publishBatch(users);
  await monitor.says(/user\.updated.*\n/);
  const time = (timestamp: string): string => timestamp.slice(0, 19).replace("T", " ");
  expect(monitor.out).toBe(`[${time(first!.timestamp)}] user.created {"id": 123, "name": "Alice"}\n[${time(last!.timestamp)}] user.updated {"id": 123, "email": "alice@example.com"}\n`);
  monitor.child.kill("SIGINT");
  expect(await monitor.ended).toMatchObject({ code: 0, signal: null });
});

test("times are local, with --utc they are not", async () => {
  const space = fresh();
  await using client = connect(space);
  const { timestamp } = await client.publish("a", null);
  const line = ["monitor", "--from", "start", "--limit", "1", ...at(space)];
  const [local, utc] = await Promise.all([cli(line, { env: { TZ: "Asia/Kolkata" } }), cli([...line, "--utc"], { env: { TZ: "Asia/Kolkata" } })]);
  expect(utc.out).toBe(`[${timestamp.slice(0, 19).replace("T", " ")}] a null\n`);
  const there = new Date(Date.parse(timestamp) + 5.5 * 3_600_000).toISOString();
  expect(local.out).toBe(`[${there.slice(0, 19).replace("T", " ")}] a null\n`);
});

test("colours are for terminals: a pipe gets none", async () => {
  const space = fresh();
  await using client = connect(space);
  await client.publish("a", null);
  expect((await cli(["monitor", "--from", "start", "--limit", "1", ...at(space)])).out).not.toContain("\u001b");
});

test.skipIf(!existsSync("/usr/bin/script"))("on a terminal there are colours, unless NO_COLOR says no", async () => {
  const space = fresh();
  await using client = connect(space);
  await client.publish("a", null);
  // `script` gives a command a terminal, and passes on what it writes there.
  const onTerminal = async (env: Record<string, string>): Promise<string> => {
    const line = `${process.execPath} src/cli/main.ts monitor --from start --limit 1 ${at(space).join(" ")} 2>/dev/null`;
    const { stdout } = await promisify(execFile)("/usr/bin/script", ["-qec", line, "/dev/null"], { env: { PATH: process.env.PATH, TERM: "xterm-256color", TZ: "UTC", ...env } });
    return stdout;
  };
  const [coloured, plain] = await Promise.all([onTerminal({}), onTerminal({ NO_COLOR: "1" })]);
  expect(coloured.replaceAll("\u001b", "ESC")).toMatch(/^ESC\[2m\[.*\]ESC\[22m ESC\[36maESC\[39m null\r\n$/);
  expect(plain).toMatch(/^\[.*\] a null\r\n$/);
});

test("patterns, filters, places and limits choose what is shown", async () => {
  const space = fresh();
  await using client = connect(space);
  const receipts = await client.publishBatch([...users, ["order.item.added", { total: 50, note: "x,y" }]]);
  const seqs = async (...line: string[]): Promise<number[]> => {
    const { code, out } = await cli(["monitor", "--json", ...line, ...at(space)]);
    expect(code).toBe(0);
    return out.trimEnd().split("\n").map((text) => (JSON.parse(text) as { seq: number }).seq);
  };
  expect(await Promise.all([
    seqs("--from", "start", "--limit", "4"),
    seqs("user.*", "order.**", "--from", "1", "--limit", "4"),
    seqs("order.**", "--from", "start", "--limit", "2"),
    seqs("--filter", "payload.total:gt:4,type:order.**", "--from", "2", "--limit", "2"),
    seqs("--filter", '{"payload.note": {"$regex": "^x,"}}', "--from", "start", "--limit", "1"),
    seqs("--from", receipts[0]!.timestamp, "--limit", "1"),
  ])).toEqual([[1, 2, 3, 4], [1, 2, 3, 4], [2, 4], [2, 4], [4], [1]]);
});

test("a pattern or filter that the router cannot take ends it with 2", async () => {
  expect(await cli(["monitor", "a..b", ...at("default")])).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/\(ERR_PATTERN\)\n$/) });
  expect(await cli(["monitor", "--filter", '{"a": {"$where": "1"}}', ...at("default")])).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/\(ERR_FILTER\)\n$/) });
});

test("with its reader gone (| head) it ends quietly with 0", async () => {
  const space = fresh();
  await using client = connect(space);
  await client.publishBatch(Array.from({ length: 400 }, (_, n) => ["a", { n, text: "x".repeat(1_000) }] as const));
  await using monitor = new Cli(["monitor", "--from", "start", ...at(space)]);
  await once(monitor.child.stdout, "data");
  monitor.child.stdout.destroy();
  // It learns it when it writes the next time.
  const publishing = new AbortController();
  void (async () => {
    while (!publishing.signal.aborted) await client.publish("a", "more");
  })().catch(() => {});
  const { code, err } = await monitor.ended;
  publishing.abort();
  expect({ code, err: err.split("\n").length }).toEqual({ code: 0, err: 2 });
});

test("a reader that pauses gets everything, in order, when it reads on", async () => {
  const space = fresh();
  await using client = connect(space);
  await using monitor = new Cli(["monitor", "--json", "--limit", "3000", ...at(space)]);
  await monitor.says(/listening/, "err");
  monitor.child.stdout.pause();
  for (let i = 0; i < 3_000; i += 500) await client.publishBatch(Array.from({ length: 500 }, (_, n) => ["a", { n: i + n, text: "x".repeat(500) }] as const));
  monitor.child.stdout.resume();
  const { code, out } = await monitor.ended;
  expect(code).toBe(0);
  expect(out.trimEnd().split("\n").map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1));
});

test("events that the log has no more are told as a gap", async () => {
  await using short = await serve({ port: 0, retention: { maxEvents: 10 } });
  await using client = connect("default", short.url);
  for (let i = 0; i < 20; i++) await client.publish("a", i);
  const { code, out, err } = await cli(["monitor", "--from", "1", "--limit", "5", "--json", ...at("default", short.url)]);
  expect(code).toBe(0);
  const first = (JSON.parse(out.split("\n")[0]!) as { seq: number }).seq;
  expect(first).toBeGreaterThan(1);
  expect(err).toContain(`event-router: gap: events 1 to ${first - 1} will not come: the log no longer has them\n`);
});

test("when the router comes back, so does the monitor, and goes on where it stopped", async () => {
  const folder = await mkdtemp(join(tmpdir(), "event-router-monitor-"));
  try {
    const store = `sqlite:${folder}/events.db` as const;
    let router = await serve({ port: await fixedPort(), store });
    const { port, url } = router;
    await using monitor = new Cli(["monitor", "--json", "--limit", "3", ...at("default", url)]);
    await monitor.says(/listening/, "err");
    await using client = connect("default", url);
    await client.publish("a", 1);
    await monitor.says(/"seq":1\b/);
    await router.close({ retryAfter: 100 });
    await monitor.says(/event-router: connection lost; connecting again, and going on where it stopped\n/, "err");
    router = await serve({ port, store });
    await client.publish("a", 2);
    await client.publish("a", 3);
    const { code, out, err } = await monitor.ended;
    expect({ code, err: err.split("\n")[2] }).toEqual({ code: 0, err: "event-router: connected again" });
    expect(out.trimEnd().split("\n").map((line) => (JSON.parse(line) as { payload: number }).payload)).toEqual([1, 2, 3]);
    await client.close();
    await router.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

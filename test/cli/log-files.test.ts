import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventInput } from "../../src/cli/event-input.ts";
import { failure } from "../../src/cli/failure.ts";
import { Cli, cli } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

let server: RunningServer;
let folder: string;
let names = 0;
/** Each test has a log of its own. */
const fresh = (): string => `test-${++names}`;
const at = (namespace: string): string[] => ["--url", server.url, "--namespace", namespace];
const connect = (namespace: string): EventRouterClient => new EventRouterClient({ url: server.url.replace(/^http/, "ws"), namespace });
const events = [
  { type: "user.created", payload: { name: 'A "quoted", name', note: "ü\u0085 ✓" }, source: "=SUM(1,2)", headers: { region: "eu" } },
  { type: "order.placed", payload: null, target: "payments", priority: 8, correlationId: "req-1", id: "order-1" },
  { type: "order.item.added", payload: [1, { deep: [true, "\\"] }], stream: "order-1", ttl: 3_600_000 },
];

/** The events of a log, without what each router says anew. */
async function contents(namespace: string): Promise<unknown[]> {
  const { events: all } = await (await fetch(`${server.url}/api/v1/events?namespace=${namespace}&limit=1000&targets=any`)).json() as { events: Record<string, unknown>[] };
  return all.map(({ seq: _seq, epoch: _epoch, timestamp: _timestamp, ...said }) => said);
}

beforeAll(async () => {
  server = await serve({ port: 0 });
  folder = await mkdtemp(join(tmpdir(), "event-router-files-"));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test.each(["json", "ndjson", "csv"])("what is exported as %s and imported is the same, and imported again it is there already", async (format) => {
  const [from, to] = [fresh(), fresh()];
  await using client = connect(from);
  await client.publishEvents(events);
  const file = join(folder, `${from}.${format}`);
  expect(await cli(["export", "--output", file, ...at(from)])).toEqual({ code: 0, signal: null, out: "", err: `event-router: exported 3 events to ${file}\n` });
  const text = await readFile(file, "utf8");
  if (format === "json") expect(JSON.parse(text)).toHaveLength(3);
  if (format === "ndjson") expect(text.trimEnd().split("\n").map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2, 3]);
  expect(await cli(["import", file, ...at(to)])).toMatchObject({ code: 0, err: "event-router: imported 3 events\n" });
  expect(await contents(to)).toEqual(await contents(from));
  const again = await cli(["import", file, "--json", ...at(to)]);
  expect(again).toMatchObject({ code: 0, err: "event-router: imported 0 events, 3 more were there already\n", out: '{"published":0,"duplicates":3}\n' });
  expect(await contents(to)).toHaveLength(3);
});

test("export chooses by pattern, filter and place, and writes to a pipe", async () => {
  const space = fresh();
  await using client = connect(space);
  const receipts = await client.publishEvents(events);
  const seqs = async (...line: string[]): Promise<number[]> => (await cli(["export", ...line, ...at(space)])).out.trim().split("\n").filter((row) => row !== "").map((row) => (JSON.parse(row) as { seq: number }).seq);
  expect(await Promise.all([seqs("order.**"), seqs("--filter", "priority:gt:5"), seqs("--from", "2", "--to", "2"), seqs("--from", receipts[2]!.timestamp), seqs("--to", "2001-01-01")]))
    .toEqual([[2, 3], [2], [2], [1, 2, 3], []]);
  expect((await cli(["export", "--format", "json", "--to", "2001-01-01", ...at(space)])).out).toBe("[\n]\n");
  expect(JSON.parse((await cli(["export", "--format", "json", ...at(space)])).out)).toHaveLength(3);
});

test("export and import need no more memory for a log that is longer", async () => {
  const [from, to] = [fresh(), fresh()];
  // 80 MB of events, and 48 MB for what lives long: the program itself and what is on its way take up to 35 at times, for this log and for one twice as long.
  const env = { NODE_OPTIONS: "--max-old-space-size=48" };
  await using client = connect(from);
  const payload = "x".repeat(8_000);
  for (let i = 0; i < 100; i++) await client.publishEvents(Array.from({ length: 100 }, () => ({ type: "big.event", payload })));
  const file = join(folder, "big.ndjson");
  expect(await cli(["export", "-o", file, ...at(from)], { env })).toMatchObject({ code: 0, err: `event-router: exported 10,000 events to ${file}\n` });
  expect(await cli(["import", file, ...at(to)], { env })).toMatchObject({ code: 0, err: "event-router: imported 10,000 events\n" });
  await rm(file);
});

test("an export that is interrupted leaves the file that was there, and nothing else", async () => {
  const inside = await mkdtemp(join(folder, "interrupted-"));
  await writeFile(join(inside, "events.json"), "the one before");
  const asked = Promise.withResolvers<void>();
  const other = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url!.includes("cursor=")) return asked.resolve();
    response.end(request.url!.startsWith("/api/v1/events") ? '{"events":[{"id":"a","type":"a","payload":1,"seq":1,"epoch":"e","timestamp":"2026-01-01T00:00:00.000Z"}],"next_cursor":"e:1"}' : '{"first":1,"head":9}');
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => other.close().closeAllConnections());
  await using exporting = new Cli(["export", "-o", join(inside, "events.json"), "--url", `http://127.0.0.1:${(other.address() as AddressInfo).port}`]);
  await asked.promise;
  exporting.child.kill("SIGINT");
  expect(await exporting.ended).toEqual({ code: 1, signal: null, out: "", err: "event-router: stopped by SIGINT before it was done (ERR_INTERRUPTED)\n" });
  expect(await readdir(inside)).toEqual(["events.json"]);
  expect(await readFile(join(inside, "events.json"), "utf8")).toBe("the one before");
});

test("an import that is interrupted, or meets what the router refuses, says how far it came and goes on the next time", async () => {
  const space = fresh();
  await using importing = new Cli(["import", "-", "--json", ...at(space)]);
  importing.child.stdin.write('{"type":"a.b","id":"one"}\n{"type":"a.b","id":"two"}\n{"type":"a.b","id"');
  await expect.poll(() => contents(space)).toHaveLength(2);
  importing.child.kill("SIGINT");
  expect(await importing.ended).toEqual({ code: 1, signal: null, out: "", err: "event-router: imported 2 events\nevent-router: stopped by SIGINT before it was done (ERR_INTERRUPTED)\n" });
  const refused = await cli(["import", "-", ...at(space)], { input: '[{"type":"a.b","id":"two"},{"type":"not*a*type","id":"three"}]' });
  expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/^event-router: imported 0 events, 1 more were there already\nevent-router: event 2 \(not\*a\*type, three\): .*\(ERR_TYPE\)\n$/) });
});

test.each([
  ["ndjson", '{"type":"a"}\n{"type":"b",}\n', /^event-router: the event that ends in line 2 is not JSON at character 13.*\(ERR_JSON\)$/],
  ["json", '[{"type":"a"},\n', /^event-router: line 2: the text ends too early; events are a JSON array.*\(ERR_JSON\)$/],
  ["json", "nonsense", /^event-router: line 1: "n" stands where an event begins with \{;.*\(ERR_JSON\)$/],
  ["ndjson", '{"typ":"a"}', /^event-router: event 1 has "typ", which is no field of an event; there are id, type.*\(ERR_EVENT\)$/],
  ["ndjson", "{}", /^event-router: event 1 has no type;.*\(ERR_EVENT\)$/],
  ["csv", "type,payload\na.b,1\na.b\n", /^event-router: row 3 has 1 fields, and the first row 2;.*\(ERR_CSV\)$/],
  ["csv", 'type,payload\na.b,"x', /^event-router: row 2 is no CSV: a quote stands within a field, or is not closed;.*\(ERR_CSV\)$/],
  ["csv", "type,payload\na.b,{\n", /^event-router: row 2 has a payload that is not JSON:.*\(ERR_CSV\)$/],
] as const)("import of %s that is none says where: %j", async (format, text, message) => {
  // In pieces of each size, so that every place is one where a piece ends.
  for (let size = 1; size <= text.length; size++) {
    const bytes = new TextEncoder().encode(text);
    const input = new EventInput("-", format, { input: (async function* () { for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size); })() });
    const error = await (async () => { for await (const _ of input.events()); })().catch((thrown: unknown) => thrown);
    const said = failure(error, { debug: false });
    expect(said.text).toMatch(message);
    expect(said.code).toBe(2);
  }
});

test("replay shows the events of a time, with --to-namespace it publishes them there under their ids", async () => {
  const [from, to] = [fresh(), fresh()];
  await using client = connect(from);
  const [first] = await client.publishEvents(events);
  expect((await cli(["replay", "--to", "2", "--speed", "1000", "--utc", ...at(from)])).out.split("\n")).toEqual([
    expect.stringMatching(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] user\.created \{"name"/), expect.stringMatching(/\] order\.placed null$/), "",
  ]);
  expect(await cli(["replay", "--to-namespace", to, "--to-url", server.url, "--json", ...at(from)])).toMatchObject({ code: 0, out: '{"published":3,"duplicates":0}\n', err: `event-router: replayed 3 events to ${server.url}\n` });
  expect(await contents(to)).toEqual(await contents(from));
  expect((await cli(["replay", "--to-namespace", to, ...at(from)])).err).toBe(`event-router: replayed 0 events to ${server.url}, 3 more were there already\n`);
  await cli(["replay", "user.*", "--to-namespace", to, "--new-ids", ...at(from)]);
  const last = (await contents(to)).at(-1) as { id: string; type: string };
  expect(last).toMatchObject({ type: "user.created", source: "=SUM(1,2)" });
  expect(last.id).not.toBe(first!.id);
});

test("replay takes no credential of one router to another", async () => {
  const seen: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers["x-api-key"] as string | undefined, request.headers.authorization);
    response.writeHead(500).end();
  });
  other.on("upgrade", (request, socket) => {
    seen.push(request.url);
    socket.destroy();
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { code } = await cli(["replay", "--to-url", `http://127.0.0.1:${(other.address() as AddressInfo).port}`, "--api-key", "secret-of-the-first", ...at(fresh())]);
  expect(code).toBe(1);
  expect(seen.join()).not.toContain("secret");
});

// `script` gives a command a terminal, and passes on what it writes there.
test.skipIf(!existsSync("/usr/bin/script"))("on a terminal an export has a progress bar", async () => {
  const space = fresh();
  await using client = connect(space);
  await client.publishEvents(events);
  const line = `${process.execPath} src/cli/main.ts export -o ${join(folder, "bar.csv")} ${at(space).join(" ")}`;
  const { stdout } = await promisify(execFile)("/usr/bin/script", ["-qec", line, "/dev/null"], { env: { PATH: process.env.PATH, TERM: "xterm-256color" } });
  expect(stdout).toContain("[########################] 100 %  3 events");
  expect(stdout).toContain("\r\u001b[2Kevent-router: exported 3 events");
});

test.skipIf(!existsSync("/usr/bin/script"))("on a terminal monitor pauses with space, loses nothing meanwhile, and ends with q", async () => {
  const space = fresh();
  await using client = connect(space);
  const terminal = spawn("/usr/bin/script", ["-qec", `${process.execPath} src/cli/main.ts monitor ${at(space).join(" ")}`, "/dev/null"], { env: { PATH: process.env.PATH, TERM: "xterm" } });
  onTestFinished(() => void terminal.kill("SIGKILL"));
  let shown = "";
  terminal.stdout.on("data", (chunk: Buffer) => { shown += chunk.toString(); });
  const says = async (text: string): Promise<void> => {
    while (!shown.includes(text)) await once(terminal.stdout, "data");
  };
  await says("space pauses it");
  await client.publish("a.first", 1);
  await says("a.first");
  terminal.stdin.write(" ");
  await says("paused; space goes on, q ends it");
  await client.publish("a.second", 2);
  terminal.stdin.write(" ");
  await says("a.second");
  expect(shown).toMatch(/a\.first.*paused;.*going on.*a\.second/s);
  const ended = once(terminal, "close");
  terminal.stdin.write("q");
  expect((await ended)[0]).toBe(0);
});

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Flag } from "../../src/cli/command.ts";
import { startFlags } from "../../src/cli/commands/start.ts";
import { configJsonSchema, configSchema, readSettings } from "../../src/cli/config.ts";
import { failure } from "../../src/cli/failure.ts";
import { readServeOptions } from "../../src/cli/serve-options.ts";
import { waitFor } from "../../src/cli/pace.ts";
import { latencies } from "../../src/cli/latencies.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { cli, startRouter } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

let server: RunningServer;
let folder: string;

beforeAll(async () => {
  server = await serve({ port: 0 });
  folder = await mkdtemp(join(tmpdir(), "event-router-tools-"));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function config(value: unknown): Promise<string> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.json`);
  await writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
  await chmod(file, 0o600);
  return file;
}

test("start takes options from what is typed, then the environment, then a file", async () => {
  const file = await config({ $schema: "x", port: 1, store: `sqlite:${join(folder, "from-file.db")}`, apiKeys: ["key-of-the-file-that-loses"], retainEvents: 10, origins: ["https://app.example.com"], playground: false });
  const { router, url } = await startRouter(["--config", file], { EVENT_ROUTER_API_KEYS: "key-of-the-environment, another-key-of-the-environment" });
  await using _ = router;
  expect(JSON.parse(router.out)).toMatchObject({ store: `sqlite:${join(folder, "from-file.db")}`, auth: "api_key" });
  const statusWith = async (key: string): Promise<number> => (await fetch(`${url}/api/v1/stats`, { headers: { "x-api-key": key, origin: "https://app.example.com" } })).status;
  expect(await Promise.all([statusWith("key-of-the-file-that-loses"), statusWith("key-of-the-environment"), statusWith("another-key-of-the-environment")])).toEqual([401, 200, 200]);
});

test.each([
  [{ prot: 80 }, /: prot is no option; did you mean port\? \(ERR_CONFIG\)$/],
  [{ port: "80" }, /: port: .*number.* \(ERR_CONFIG\)$/],
  [{ store: "redis:x" }, /: store: must be "memory", "sqlite:FILE" or "redis:\/\/HOST" \(ERR_CONFIG\)$/],
  ['{"port": 80,}', /\.json is not JSON at character 13, before \}; a configuration is as/],
  [{ retainAge: "soon" }, /--retain-age is a time with its unit/],
])("a configuration of %j says what is wrong with it", async (value, message) => {
  const file = await config(value);
  let thrown: unknown;
  try {
    readServeOptions(readSettings({ config: file }, startFlags, {}));
  } catch (error) {
    thrown = error;
  }
  const { text, code } = failure(thrown, { debug: false });
  expect(text.split("\n")[0]).toMatch(message);
  expect(code).toBe(2);
});

test("an environment that is wrong says so", async () => {
  expect(await cli(["start"], { env: { EVENT_ROUTER_ALLOW_ANONYMOUS: "perhaps" } })).toMatchObject({ code: 2, err: expect.stringMatching(/^event-router: EVENT_ROUTER_ALLOW_ANONYMOUS is true or false; got "perhaps" \(ERR_USAGE\)/) });
});

test("each option of start may stand in a configuration, and its schema is in the documentation", async () => {
  const keys = Object.keys(configSchema.shape);
  const camel = (flag: string): string => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const missing = Object.entries<Flag>(startFlags).filter(([flag, { multiple }]) => !["config", "json", "no-playground"].includes(flag) && !keys.includes(multiple ? `${camel(flag)}s` : camel(flag))).map(([flag]) => flag);
  expect(missing).toEqual([]);
  await expect(`${JSON.stringify(configJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../../docs/config.schema.json");
});

test("doctor finds a router well, by each way to it", async () => {
  const { code, out } = await cli(["doctor", "--url", server.url]);
  expect(out.split("\n").map((line) => line.slice(0, 23).trim().replace(/ +/, " ")).filter((line) => line !== "")).toEqual([
    "ok reach", "ok secrecy", "ok clock", "ok rights", "ok event stream", "ok WebSocket", "warning durability", "ok round trip",
  ]);
  expect(code).toBe(0);
});

test("doctor says what a proxy does that holds back streams and knows no WebSockets, and whose clock is an hour off", async () => {
  const proxy = createServer(({ url }, response) => {
    // What a proxy has gathered it would pass on at the end, which does not come.
    if (url!.includes("/stream")) return;
    void fetch(`${server.url}${url}`).then(async (answer) =>
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type")!, date: new Date(Date.now() + 3_600_000).toUTCString() }).end(await answer.text()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => proxy.close().closeAllConnections());
  const { code, out } = await cli(["doctor", "--json", "--url", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`]);
  const findings = JSON.parse(out) as { name: string; state: string; message: string }[];
  expect(Object.fromEntries(findings.map(({ name, state }) => [name, state]))).toEqual({ reach: "ok", secrecy: "ok", clock: "warning", rights: "ok", "event stream": "failed", WebSocket: "failed" });
  expect(findings.find(({ name }) => name === "clock")!.message).toMatch(/^the router's is 3[56]\d\d s ahead/);
  expect(code).toBe(1);
});

test("doctor of what is not there, and of a configuration that cannot work, ends with 1", async () => {
  const gone = { url: `http://127.0.0.1:${await fixedPort()}` };
  expect(await cli(["doctor", "--url", gone.url])).toMatchObject({ code: 1, out: expect.stringMatching(/^failed {3}reach .*does not answer; is the router running there\?\n$/) });
  const file = await config({ port: server.port, store: `sqlite:${await config({})}/router.db` });
  const { code, out } = await cli(["doctor", "--config", file]);
  expect(out).toMatch(/^ok +configuration .*\nok +access .*\nfailed +port .* is in use.*\nfailed +store +\S+ is no folder.*\n$/s);
  expect(code).toBe(1);
  expect(await cli(["doctor", "--config", await config({ prot: 1 })])).toMatchObject({ code: 1, out: expect.stringContaining("prot is no option") });
});

test("bench counts what was published and delivered", async () => {
  const { code, out } = await cli(["bench", "--events", "500", "--subscribers", "2", "--publishers", "2", "--size", "1kb", "--json", "--url", server.url]);
  expect(code).toBe(0);
  const latency = { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) };
  expect(JSON.parse(out)).toMatchObject({ published: 500, delivered: 1_000, publish_latency_ms: latency, delivery_latency_ms: latency });
  expect(latencies([5, 1, 3, 2, 4])).toEqual({ p50: 3, p95: 5, p99: 5, max: 5 });
  expect(latencies([])).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
});

test("a replay keeps its pace by the first event, so that what is late does not add up", () => {
  expect(waitFor(1_000, 0, 1)).toBe(1_000);
  expect(waitFor(1_000, 300, 1)).toBe(700);
  expect(waitFor(1_000, 0, 10)).toBe(100);
  expect(waitFor(1_000, 1_200, 1)).toBe(0);
  expect(waitFor(1_000, 0, Infinity)).toBe(0);
});

test.each([["bash", "bash", "-n"], ["zsh", "zsh", "-n"], ["fish", "fish", "-n"]].filter(([, program]) => existsSync(`/usr/bin/${program}`) || existsSync(`/bin/${program}`)))("the completion for %s is a sound script", async (name, program, check) => {
  const { code, out } = await cli(["completion", name!]);
  expect(code).toBe(0);
  const file = join(folder, `completion.${name}`);
  await writeFile(file, out);
  execFileSync(program!, [check!, file]);
});

test("bash completes commands, options and files", async () => {
  const file = join(folder, "names.sh");
  await writeFile(file, (await cli(["completion", "bash"])).out);
  const complete = (...words: string[]): string[] => execFileSync("bash", ["-c", `source ${file}; COMP_WORDS=(event-router "$@"); COMP_CWORD=$#; _event_router; printf '%s\\n' "\${COMPREPLY[@]}"`, "-", ...words], { cwd: folder, encoding: "utf8" }).split("\n").filter((line) => line !== "");
  expect(complete("ex")).toEqual(["export"]);
  expect(complete("export", "--form")).toEqual(["--format"]);
  expect(complete("start", "--config", "name")).toEqual(["names.sh"]);
  expect(complete("start", "--port", "")).toEqual([]);
  expect(complete("dlq", "")).toEqual(["list", "show", "retry", "discard"]);
  expect(complete("dlq", "--url", "http://127.0.0.1:9000", "--json", "re")).toEqual(["retry"]);
  // Ids are known to nobody here, and are no files.
  expect(complete("dlq", "show", "")).toEqual([]);
  expect(complete("export", "--format", "n")).toEqual(["ndjson"]);
  expect(complete("export", "-o", "name")).toEqual(["names.sh"]);
  expect(complete("import", "name")).toEqual(["names.sh"]);
  expect(complete("help", "compl")).toEqual(["completion"]);
  expect((await readFile(file, "utf8")).split("\n")[0]).toMatch(/^# event-router completion bash/);
});

/** What is typed before the key, and what stands there after it. */
const typed: readonly (readonly [line: string, becomes: string])[] = [
  ["comp", "completion"], ["help dl", "dlq"], ["dlq re", "retry"], ["dlq --url http://127.0.0.1:9000 --json re", "retry"], ["completion fi", "fish"],
  ["export --format nd", "ndjson"], ["export --outp", "--output"], ["import nam", "names.ndjson"], ["export -o nam", "names.ndjson"],
];

if (existsSync("/usr/bin/fish")) test("fish completes commands, actions, values and files", async () => {
  const file = join(folder, "names.fish");
  await writeFile(file, (await cli(["completion", "fish"])).out);
  await writeFile(join(folder, "names.ndjson"), "");
  const complete = (line: string): string[] => execFileSync("fish", ["--no-config", "-c", 'source $argv[1]; complete -C "event-router $argv[2]"', file, line], { cwd: folder, encoding: "utf8" }).split("\n").map((one) => one.split("\t")[0]!);
  for (const [line, becomes] of typed) expect(complete(line)).toContain(becomes);
  expect(complete("dlq ")).toEqual(["discard", "list", "retry", "show", ""]);
  expect([complete("dlq show "), complete("publish nam")]).toEqual([[""], [""]]);
});

if (existsSync("/usr/bin/zsh")) test("zsh is told commands, actions, values and which arguments are files", async () => {
  const file = join(folder, "completion-of.zsh");
  await writeFile(file, (await cli(["completion", "zsh"])).out);
  // In place of zsh's own functions, ones that tell what they were given: a terminal would answer when it likes.
  const program = `compdef() { }; _describe() { print -rl -- $commands }; _arguments() { print -rl -- "$@" }; source $1; shift; words=(event-router "$@"); CURRENT=$#words; _event_router`;
  const told = (...words: string[]): string[] => execFileSync("zsh", ["-f", "-c", program, "-", file, ...words], { encoding: "utf8" }).split("\n");
  expect(told("")).toContainEqual(expect.stringMatching(/^dlq:list, show, retry or discard/));
  expect(told("help", "")).toContainEqual(expect.stringMatching(/^dlq:/));
  expect(told("dlq", "re")).toContain("1:ACTION:(list show retry discard)");
  expect(told("completion", "")).toContain("1:SHELL:(bash zsh fish)");
  expect(told("import", "")).toContain("1:FILE:_files");
  expect(told("export", "")).toEqual(expect.arrayContaining([expect.stringMatching(/^--format\[.*\]:FORMAT:\(json ndjson csv\)$/), expect.stringMatching(/^\(-o --output\)-o\[.*\]:FILE:_files$/)]));
});

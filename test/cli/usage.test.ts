import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { messageOf } from "../../src/cli/failure.ts";
import { serve } from "../../src/hosts/server.ts";
import { cli } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

/** Wrong calls: what is typed, and what is said about it. All of them end with 2, and nothing on standard output. */
const wrong: readonly (readonly [line: readonly string[], message: string])[] = [
  [["strat"], 'there is no command "strat"; did you mean start? (ERR_USAGE)'],
  [["frobnicate"], 'there is no command "frobnicate"; there are start, status, monitor, publish, request, replay, export, import, purge, dlq, subscriptions, keys, token, bench, doctor, completion (ERR_USAGE)'],
  [["--port", "80"], "unknown option --port; options of a command follow its name (ERR_USAGE)"],
  [["start", "--prot", "80"], "unknown option --prot; did you mean --port? (ERR_USAGE)"],
  [["start", "-x"], "unknown option -x (ERR_USAGE)"],
  [["start", "now"], 'start takes no arguments, and "now" is one more (ERR_USAGE)'],
  [["start", "--port"], "--port needs a value: --port PORT (ERR_USAGE)"],
  [["start", "--store", "--json"], "--store needs a value, and --json looks like an option; write --store=--json if it is meant (ERR_USAGE)"],
  [["start", "--json=yes"], '--json takes no value; leave out "=yes" (ERR_USAGE)'],
  [["start", "--port", "80", "--port", "81"], "--port is given twice; give it once (ERR_USAGE)"],
  [["start", "--port", "http"], '--port is a whole number from 0 to 65535; got "http" (ERR_USAGE)'],
  [["start", "--port", "65536"], '--port is a whole number from 0 to 65535; got "65536" (ERR_USAGE)'],
  [["start", "--transport", "carrier-pigeon"], "--transport carrier-pigeon is not to be had; a server speaks websocket (ERR_USAGE)"],
  [["start", "--store", "redis:x"], '--store is memory, sqlite:FILE, as sqlite:data/router.db, or redis://HOST, as redis://localhost:6379; got "redis:x" (ERR_USAGE)'],
  [["start", "--retain-age", "30"], '--retain-age is a time with its unit, as 500ms, 5s, 10m, 12h or 30d; got "30" (ERR_USAGE)'],
  [["start", "--retain-events", "0"], '--retain-events is a whole number from 1; got "0" (ERR_USAGE)'],
  [["start", "--retain-bytes", "much"], '--retain-bytes is a size, as 64mb or 1gb; got "much" (ERR_USAGE)'],
  [["start", "--playground", "/nowhere"], "--playground /nowhere is no folder with an index.html (ERR_USAGE)"],
  [["start", "--playground", ".", "--no-playground"], "--playground and --no-playground exclude each other; give one (ERR_USAGE)"],
  [["start", "--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in, and nothing says whom: give --api-key KEY (or EVENT_ROUTER_API_KEYS), or --allow-anonymous if everybody who reaches it may do everything (ERR_USAGE)"],
  [["start", "--allow-anonymous", "--api-key", "0123456789abcdef0123456789abcdef"], "--allow-anonymous and API keys exclude each other; leave out the flag, or --api-key and EVENT_ROUTER_API_KEYS (ERR_USAGE)"],
  [["status", "--url", "router.example.com"], '"router.example.com" is not the URL of a router; write it as http://127.0.0.1:8080 (ERR_USAGE)'],
  [["status", "--url", "ftp://router.example.com"], '"ftp://router.example.com" is not the URL of a router; write it as http://127.0.0.1:8080 (ERR_USAGE)'],
  [["status", "--token", "a", "--api-key", "b"], "--token and --api-key exclude each other; give one (ERR_USAGE)"],
  [["status", "--timeout", "soon"], '--timeout is a time with its unit, as 500ms, 5s, 10m, 12h or 30d; got "soon" (ERR_USAGE)'],
  [["monitor", "--from", "yesterday"], '--from is now, start, a seq as 1042, or a time as 2024-01-01T12:00:00 (local) or 2024-01-01T12:00:00Z; got "yesterday" (ERR_USAGE)'],
  [["monitor", "--limit", "-1"], '--limit is a whole number from 1; got "-1" (ERR_USAGE)'],
  [["monitor", "a.*", "--filter", "type:b.*"], "types are named twice, as PATTERN and in --filter type:…; name them once (ERR_USAGE)"],
  [["monitor", "--filter", '{"priority": {$gt: 5}}'], `--filter is not JSON at character 15, before $gt: 5}}; as JSON it is written '{"payload.total": {"$gt": 100}}', in short payload.total:gt:100 (ERR_JSON)`],
  [["publish"], "publish needs TYPE: the event's type, as user.created (ERR_USAGE)"],
  [["publish", "user.created", "{id:123}"], `PAYLOAD is not JSON at character 2, before id:123}; single quotes keep the shell from taking its double quotes away, as '{"id": 123}' or '"text"' (ERR_JSON)`],
  [["publish", "user.created", '{"id":'], `PAYLOAD ends too early; single quotes keep the shell from taking its double quotes away, as '{"id": 123}' or '"text"' (ERR_JSON)`],
  [["publish", "user.created", '{"id":', "123}"], `publish takes TYPE and PAYLOAD, and "123}" is one more; quote JSON for the shell, as '{"id": 123}' (ERR_USAGE)`],
  [["publish", "a", "-5"], 'unknown option -5; write "--" before values that begin with "-" (ERR_USAGE)'],
  [["publish", "a", "1", "--payload-file", "x"], "the payload is given twice; give PAYLOAD or --payload-file (ERR_USAGE)"],
  [["publish", "a", "--priority", "10"], '--priority is a whole number from 0 to 9; got "10" (ERR_USAGE)'],
  [["publish", "a", "--header", "region"], '--header is NAME=VALUE; got "region" (ERR_USAGE)'],
  [["request"], "request needs TYPE: what is asked, as calculator.add (ERR_USAGE)"],
  [["replay", "--speed", "fast"], '--speed is how many times as fast, as 1, 0.5 or 10; got "fast" (ERR_USAGE)'],
  [["replay", "--to-api-key", "k"], "--to-api-key is for a replay into another log; name it with --to-url or --to-namespace (ERR_USAGE)"],
  [["replay", "--to-namespace", "default"], "this is the log that the events come from, and each is stored once; give --new-ids to publish them as new ones, or name another with --to-url or --to-namespace (ERR_USAGE)"],
  [["replay", "--to-namespace", "default", "--new-ids"], "published to the log that is read, they would be replayed again without end; say where to stop with --to (ERR_USAGE)"],
  [["export", "--format", "xml"], '--format is json, ndjson or csv; got "xml" (ERR_USAGE)'],
  [["export", "--to", "tomorrow"], '--to is a seq as 1042, or a time as 2024-01-01T12:00:00 (local) or 2024-01-01T12:00:00Z; got "tomorrow" (ERR_USAGE)'],
  [["export", "--from", "5", "--to", "2"], "--from 5 comes after --to 2; exchange them (ERR_USAGE)"],
  [["replay", "--from", "2024-02-01", "--to", "2024-01-01"], "--from 2024-02-01 comes after --to 2024-01-01; exchange them (ERR_USAGE)"],
  [["import"], "import needs FILE: what to read, - is standard input (ERR_USAGE)"],
  [["purge"], "purge needs one of --older-than, --before and --up-to (ERR_USAGE)"],
  [["purge", "--older-than", "30"], '--older-than is a time with its unit, as 500ms, 5s, 10m, 12h or 30d; got "30" (ERR_USAGE)'],
  [["purge", "--before", "1042"], "--before is a time as 2024-01-01T12:00:00; a seq is given with --up-to (ERR_USAGE)"],
  [["dlq"], "dlq needs ACTION: list, show, retry or discard (ERR_USAGE)"],
  [["dlq", "delete"], 'ACTION is list, show, retry or discard; got "delete" (ERR_USAGE)'],
  [["dlq", "retry"], "dlq retry needs an ID, or --all (ERR_USAGE)"],
  [["dlq", "retry", "--all", "x"], "--all and ids exclude each other; give one (ERR_USAGE)"],
  [["dlq", "discard", "x"], "what is discarded is gone: look at it with dlq show, then give --confirm (ERR_USAGE)"],
  [["bench", "--events", "0"], '--events is a whole number from 1 to 10000000; got "0" (ERR_USAGE)'],
  [["completion", "tcsh"], 'SHELL is bash, zsh, fish; got "tcsh" (ERR_USAGE)'],
  [["help", "stat"], 'there is no command "stat"; did you mean status? (ERR_USAGE)'],
];

test.concurrent.for(wrong)("event-router %j", async ([line, message], { expect: check }) => {
  const { code, out, err } = await cli(line);
  const [first, ...others] = err.trimEnd().split("\n");
  check(first).toBe(`event-router: ${message}`);
  check(others).toEqual(message.endsWith("(ERR_USAGE)") ? [check.stringMatching(/^Type `event-router( [a-z]+)? --help` for help\.$/)] : []);
  check({ code, out }).toEqual({ code: 2, out: "" });
});

test("a filter in the short form that is none says how it is written", async () => {
  const { code, err } = await cli(["monitor", "--filter", "priority:above:5"]);
  expect(code).toBe(2);
  expect(err).toMatch(/^event-router: filter "priority:above:5" has no operator "above"; there are eq, .*\(ERR_FILTER\)\n$/);
});

test("without a command the overview is on standard error, with --help on standard output", async () => {
  const [none, asked, word] = await Promise.all([cli([]), cli(["--help"]), cli(["help"])]);
  expect(none).toMatchObject({ code: 2, out: "" });
  expect(asked).toMatchObject({ code: 0, err: "", out: none.err });
  expect(word).toEqual(asked);
  expect(asked.out).toMatch(/^Usage: event-router COMMAND/);
});

test.each(["start", "status", "monitor", "publish", "request", "replay", "export", "import", "purge", "dlq", "subscriptions", "keys", "token", "bench", "doctor", "completion"])("%s --help shows usage, each option and an example, whatever else is typed", async (command) => {
  const [asked, word] = await Promise.all([cli([command, "--nonsense", "-h"]), cli(["help", command])]);
  expect(asked).toMatchObject({ code: 0, err: "" });
  expect(asked.out).toBe(word.out);
  expect(asked.out).toMatch(new RegExp(`^Usage: event-router ${command} `));
  expect(asked.out).toContain(`\nExamples:\n  # `);
  expect(Math.max(...asked.out.split("\n").map((line) => line.length))).toBeLessThan(140);
});

test("--version is the package's", async () => {
  const { code, out } = await cli(["--version"]);
  expect({ code, out: out.trim() }).toEqual({ code: 0, out: (await import("../../package.json", { with: { type: "json" } })).default.version });
});

test("a stack is shown to whoever asks for it with DEBUG, and to nobody else", async () => {
  const line = ["publish", "a", "{"];
  expect((await cli(line)).err).not.toMatch(/^\s+at /m);
  expect((await cli(line, { env: { DEBUG: "1" } })).err).toMatch(/^\s+at /m);
});

test("a file that cannot be used is told by name, with what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "event-router-files-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const nowhere = join(folder, "none", "x.json");
  const router = await serve({ port: 0 });
  onTestFinished(() => router.close());
  const told = async (...line: string[]): Promise<string> => (await cli(line, { env: { EVENT_ROUTER_URL: router.url } })).err.split("\n").at(-2)!;
  expect(await Promise.all([
    told("import", nowhere), told("import", folder), told("start", "--config", nowhere), told("export", "--output", nowhere), told("import", join(process.execPath, "x.json")),
  ])).toEqual([
    `event-router: there is no ${nowhere}; see that the path is right (ENOENT)`,
    "event-router: that is a folder, and a file is needed; name one in it (EISDIR)",
    `event-router: there is no ${nowhere}; see that the path is right (ENOENT)`,
    `event-router: the folder of ${nowhere} is not there; make it, or name another (ENOENT)`,
    `event-router: a part of the path ${process.execPath}/x.json is no folder; see that it is right (ENOTDIR)`,
  ]);
  expect(messageOf(Object.assign(new Error("no"), { code: "ENOSPC", syscall: "write" }))).toBe("there is no room left for the file; make some and try again");
  expect(messageOf(Object.assign(new Error("no"), { code: "EACCES", syscall: "open", path: "/a/b" }))).toMatch(/^\/a\/b may not be opened by this user \(EACCES\)/);
});

test("where no router answers, every command says so, and nothing that only a program could do", async () => {
  const errors = await Promise.all([["publish", "a"], ["request", "a"], ["monitor"], ["bench"], ["export"], ["purge", "--up-to", "1"]].map(async (line) => (await cli([...line, "--url", "http://127.0.0.1:1"])).err));
  for (const error of errors) expect(error).toMatch(/127\.0\.0\.1:1.*(see that a router runs there, and that --url is right \(ERR_CONNECTION_FAILED\)|is the router running there\? \(ERR_UNREACHABLE\))\n$/);
});

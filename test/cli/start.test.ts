import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { EventRouterClient, type Receipt } from "../../src/index.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { Cli, cli, startRouter } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "event-router-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const websocket = (url: string): string => url.replace(/^http/, "ws");

test("start says where it listens, and SIGTERM stops it with 0", async () => {
  await using router = new Cli(["start", "--port", "0", "--no-playground"]);
  const [, port] = await router.says(/^ {2}WebSocket {3}ws:\/\/127\.0\.0\.1:(\d+)$/m);
  await router.says(/Ctrl-C stops it\.\n/);
  expect(router.out).toMatch(new RegExp(`^Event Router \\d+\\.\\d+\\.\\d+ is listening
  Playground  off
  WebSocket   ws://127.0.0.1:${port}
  HTTP        http://127.0.0.1:${port}/api/v1
  Store       memory
  Auth        none: whoever is on this machine
Ctrl-C stops it\\.\n$`));
  expect(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).toMatchObject({ status: "healthy" });
  router.child.kill("SIGTERM");
  expect(await router.ended).toMatchObject({ code: 0, signal: null, err: "event-router: stopped\n" });
});

test("start --json says the same to a machine, in one line, and SIGINT stops it with 0", async () => {
  const key = "0123456789abcdef0123456789abcdef";
  const { router, url } = await startRouter(["--api-key", key, "--system-metrics"]);
  await using _ = router;
  expect(JSON.parse(router.out)).toEqual({
    status: "listening", version: expect.stringMatching(/^\d+\.\d+\.\d+$/), host: "127.0.0.1", port: Number(new URL(url).port), url, websocket_url: websocket(url),
    store: "memory", auth: "api_key", playground: null, system_metrics: true, pid: router.child.pid,
  });
  router.child.kill("SIGINT");
  expect(await router.ended).toMatchObject({ code: 0, out: expect.stringMatching(/^\{.*\}\n$/) });
});

test("a page is served at / from the folder that is named", async () => {
  await using router = new Cli(["start", "--port", "0", "--playground", join(import.meta.dirname, "page")]);
  const [, page] = await router.says(/^ {2}Page {8}(http\S+)$/m);
  expect(await (await fetch(page!)).text()).toContain("a page of the tests");
});

test("a port in use is told, with 1", async () => {
  const { router, url } = await startRouter();
  await using _ = router;
  const { port } = new URL(url);
  expect(await cli(["start", "--port", port])).toEqual({
    code: 1, signal: null, out: "", err: `event-router: port ${port} of 127.0.0.1 is in use by another program; stop it, or choose another port (0 takes any that is free) (ERR_ADDRESS_IN_USE)\n`,
  });
});

test("a log that another router has open is told, with 1; a file that is no log too", async () => {
  const folder = await temporaryFolder();
  const store = `sqlite:${join(folder, "deep", "er", "events.db")}`;
  const { router } = await startRouter(["--store", store]);
  await using _ = router;
  expect(await cli(["start", "--port", "0", "--store", store])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/another process has the event log .* \(ERR_STORE_LOCKED\)\n$/) });
  expect(await cli(["start", "--port", "0", "--store", `sqlite:${import.meta.filename}`])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/\(ERR_STORE_OPEN\)\n$/) });
});

test("where no folder can be made for the log, that is told, with 1, and nothing runs on", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  expect(await cli(["start", "--port", "0", "--store", `sqlite:${file}/er/events.db`])).toMatchObject({ code: 1, out: "", err: `event-router: the folder ${file} cannot be made, there is a file of that name; name another (EEXIST)\n` });
  // Linux says of /proc that the folder above is missing, which it is not.
  if (process.platform === "linux") expect(await cli(["start", "--port", "0", "--store", "sqlite:/proc/x/er/events.db"])).toMatchObject({ code: 1, out: "", err: "event-router: the folder /proc/x cannot be made there; name another (ENOENT)\n" });
});

test("a key that can be guessed is refused with 2", async () => {
  expect(await cli(["start", "--port", "0"], { env: { EVENT_ROUTER_API_KEYS: "secret" } })).toMatchObject({ code: 2, err: expect.stringMatching(/22 random characters or more.*\(ERR_API_KEY\)/) });
});

test("with keys, who has none is not let in; who has one is", async () => {
  const keys = ["tests.a-key-of-the-tests-alone", "another-key-of-the-tests"];
  const { router, url } = await startRouter([], { EVENT_ROUTER_API_KEYS: keys.join(", ") });
  await using _ = router;
  for (const [line, env] of [[["--api-key", keys[0]!], {}], [[], { EVENT_ROUTER_API_KEY: keys[1]! }]] as const) {
    expect(await cli(["publish", "a.b", ...line, "--url", url], { env })).toMatchObject({ code: 0 });
    expect(await cli(["status", ...line, "--url", url], { env })).toMatchObject({ code: 0 });
  }
  for (const command of [["publish", "a.b"], ["status"], ["monitor"], ["request", "a.b"]]) {
    expect(await cli([...command, "--url", url])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/\(ERR_UNAUTHENTICATED\)\n$/) });
  }
});

test("[P1] what was acknowledged before SIGTERM is in the log after it, each once and in order", async () => {
  const store = `sqlite:${join(await temporaryFolder(), "events.db")}`;
  const { router, url } = await startRouter(["--store", store]);
  await using _ = router;
  const acked: Receipt[] = [];
  await using client = new EventRouterClient({ url: websocket(url), reconnect: { enabled: false }, logger: { error() {} } });
  const publishing = Promise.all(Array.from({ length: 50 }, async (_lane, lane) => {
    for (let number = 0; ; number++) {
      try {
        acked.push(await client.publish("lane.event", { lane, number }));
      } catch {
        return;
      }
      if (acked.length === 500) router.child.kill("SIGTERM");
    }
  }));
  expect(await router.ended).toMatchObject({ code: 0, err: "event-router: stopped\n" });
  await publishing;
  expect(acked.length).toBeGreaterThanOrEqual(500);
  const opened = await sqliteStore(store.slice("sqlite:".length));
  const log = await opened.open("default");
  const events = await log.read(0, { events: 1_000_000, size: Infinity });
  await opened.close();
  const seqs = new Map(events.map(({ id, seq }) => [id, seq]));
  expect(seqs.size).toBe(events.length);
  expect(acked.filter(({ id, seq }) => seqs.get(id) !== seq)).toEqual([]);
  const last = new Map<number, number>();
  for (const { line } of events) {
    const { lane, number } = (JSON.parse(line) as [number, number, unknown, string, string, { lane: number; number: number }])[5];
    expect(number).toBe((last.get(lane) ?? -1) + 1);
    last.set(lane, number);
  }
});

test("the Ctrl-C that npm passes on besides the terminal is the same one", async () => {
  const { router } = await startRouter();
  await using _ = router;
  router.child.kill("SIGINT");
  router.child.kill("SIGINT");
  expect(await router.ended).toMatchObject({ code: 0, err: "event-router: stopped\n" });
});

test("a second signal ends it at once", async () => {
  const { router, url } = await startRouter();
  await using _ = router;
  // A client that never takes its leave: the stop would wait for it.
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write("GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  router.child.kill("SIGTERM");
  // It has begun to stop when it tells its clients.
  await new Promise((resolve) => socket.once("data", resolve));
  router.child.kill("SIGINT");
  expect(await router.ended).toMatchObject({ code: 1, err: "" });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compactDecrypt } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { EventRouterClient, ManagementAgent, type EventRouterOptions, type RouterEvent } from "../../../src/index.ts";
import { cli, startRouter } from "../../cli/cli.ts";
import { bytesOf, KEY, OTHER_KEY } from "./kit.ts";

const CANARY = "canary-7c0ffee-plaintext";

/** Every form in which the canary could lie about: as it is, as base64 at each offset, as hexadecimal digits, as UTF-16. */
function formsOf(text: string): Buffer[] {
  const base64 = [0, 1, 2].map((offset) => Buffer.from(`${"\0".repeat(offset)}${text}`).toString("base64url").slice(offset + 1, -4));
  return [text, ...base64, Buffer.from(text).toString("hex"), encodeURIComponent(text)].flatMap((form) => [Buffer.from(form), Buffer.from(form, "utf16le")]);
}

/** WebSockets that keep all that passes through them. */
function recording(frames: string[]) {
  return class extends WebSocket {
    constructor(url: string) {
      super(url);
      this.on("message", (data: Buffer) => frames.push(data.toString()));
    }
    override send(data: string): void {
      frames.push(data);
      super.send(data);
    }
  } as unknown as NonNullable<EventRouterOptions["WebSocket"]>;
}

test("[I17] a canary is found in no store file, log, metric, export, dead letter or frame; jose opens the store's payloads with the key alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "event-router-canary-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { router, url } = await startRouter(["--store", `sqlite:${join(folder, "log.db")}`]);
  await using _ = router;
  const frames: string[] = [];
  const connect = (options: EventRouterOptions = {}) => new EventRouterClient({ url, WebSocket: recording(frames), encryption: { enabled: true, algorithm: "AES-256-GCM", key: KEY }, ...options });
  await using alice = connect();
  await using bob = connect();
  await using other = connect({ encryption: { keys: { other: OTHER_KEY } }, logger: { error: () => {} } });
  await using eve = connect({ encryption: undefined as never });
  const secret = { ssn: CANARY, [CANARY]: [CANARY] };

  const got: RouterEvent[] = [];
  await bob.subscribe("**", { filter: { $or: [{ "payload.ssn": CANARY }, { payload: CANARY }, { type: "end" }] } }, (event) => void got.push(event));
  const seen: RouterEvent[] = [];
  await eve.subscribe("**", (event) => void seen.push(event));
  // Who has the wrong key makes dead letters of all.
  const refused: unknown[] = [];
  other.onError((error) => refused.push((error as Error).name));
  await other.subscribe("**", () => {});
  bob.onError(() => {});
  await bob.subscribe("batch.*", bob.errorHandler({ maxRetries: 0, deadLetterQueue: true })(({ payload }) => { throw new TypeError(`cannot work on ${JSON.stringify(payload)}`); }));
  await bob.subscribe("tx", { group: "workers", retry: { maxRetries: 0 } }, async ({ payload }) => { throw new RangeError(`nor on ${JSON.stringify(payload)}`); });
  await alice.publish("one", secret, { id: "own-id" });
  expect((await alice.publish("one", secret, { id: "own-id" })).status).toBe("duplicate");
  await expect(alice.publish("one", { ...secret, more: CANARY }, { id: "own-id" })).rejects.toMatchObject({ code: "ERR_ID_CONFLICT" });
  await alice.publishBatch([["batch.a", secret], ["batch.b", CANARY]]);
  await alice.transaction((tx) => tx.publish("tx", secret));
  alice.publishNowait("nowait", secret);
  await alice.publish("ephemeral", secret, { ephemeral: true });
  await alice.publishEvents([{ type: "streamed", payload: secret, stream: "order-1" }]);
  await expect(alice.publish("", secret)).rejects.toMatchObject({ name: "ValidationError" });
  await expect(alice.publish("too.large", { secret, more: "x".repeat(300_000) })).rejects.toMatchObject({ code: "ERR_PAYLOAD_TOO_LARGE" });
  await expect(alice.request("nobody", secret)).rejects.toMatchObject({ name: "NoRespondersError" });
  await bob.respond("echo", ({ payload }) => ({ echo: payload })).ready;
  await bob.respond("fail", ({ payload }) => { throw new Error(`no: ${JSON.stringify(payload)}`); }).ready;
  expect((await alice.request("echo", secret)).payload).toEqual({ echo: secret });
  await expect(alice.request("fail", secret)).rejects.toThrow(CANARY);
  await alice.publish("end", secret);
  await expect.poll(() => got.map(({ type }) => type)).toContain("end");
  expect(got.filter(({ type }) => type !== "batch.b").every(({ payload }) => (payload as typeof secret).ssn === CANARY)).toBe(true);
  await expect.poll(() => refused.length).toBe(seen.length);
  expect(new Set(refused)).toEqual(new Set(["EncryptionError"]));

  // What became of the two failures is readable for who has the key, and for nobody else.
  const failures = async (client: EventRouterClient) => (await new ManagementAgent(client).getDeadLetterQueue({ limit: 1_000 })).filter(({ lastErrorName }) => lastErrorName !== "EncryptionError");
  await expect.poll(() => failures(bob)).toHaveLength(3);
  const letters = await failures(bob);
  expect(letters.map(({ type, lastErrorName }) => `${type} ${lastErrorName}`).sort()).toEqual(["batch.a TypeError", "batch.b TypeError", "tx RangeError"]);
  expect(letters.every(({ lastError, payload }) => lastError.includes(CANARY) && JSON.stringify(payload).includes(CANARY))).toBe(true);
  expect(JSON.stringify(await failures(eve))).not.toContain(CANARY);

  const get = async (path: string): Promise<string> => (await fetch(`${url}${path}`)).text();
  const exported = await cli(["export", "--url", url, "--format", "json"]);
  expect(JSON.parse(exported.out)).toHaveLength(seen.filter(({ seq }) => seq > 0).length);
  const monitored = await cli(["monitor", "--url", url, "--from", "start", "--limit", "5", "--json"]);
  const pages = { frames: frames.join("\n"), exported: exported.out, monitored: monitored.out, metrics: await get("/metrics"), dead_letters: await get("/api/v1/dead-letters"), stats: await get("/api/v1/stats"), history: await get("/api/v1/events"), health: await get("/health") };
  expect(pages.metrics).toContain("event_router_events_published_total");
  expect(pages.history).toContain("eyJ0eXAiOiJldmVudC1yb3V0ZXIrandlIiwi");

  const files = (when: string) => Object.fromEntries(readdirSync(folder).map((name) => [`${name} ${when}`, readFileSync(join(folder, name))]));
  // While it runs a database's newest pages are in its write-ahead log.
  const running = files("while it runs");
  router.child.kill("SIGTERM");
  const { out: stdout, err: stderr } = await router.ended;
  const everything: Record<string, Buffer> = { ...running, ...files("after its end"), ...Object.fromEntries(Object.entries(pages).map(([name, text]) => [name, Buffer.from(text)])), stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
  const found = Object.entries(everything).flatMap(([name, bytes]) => formsOf(CANARY).flatMap((form) => (bytes.includes(form) ? [`${name}: ${form.toString("latin1")} in ${bytes.subarray(Math.max(0, bytes.indexOf(form) - 100), bytes.indexOf(form) + 60).toString("latin1")}`] : [])));
  expect(found).toEqual([]);
  // The search finds what is there.
  expect(formsOf("order-1").some((form) => everything["log.db-wal while it runs"]!.includes(form))).toBe(true);

  const database = new DatabaseSync(join(folder, "log.db"), { readOnly: true });
  const rows = database.prepare("SELECT lines FROM er_log_1 ORDER BY offset").all() as { lines: string }[];
  database.close();
  const lines = rows.flatMap((row) => row.lines.split("\n")).map((text) => JSON.parse(text) as [number, number, unknown, string, string, string]);
  const stored = lines.filter(([, , , , type]) => !type.startsWith("$"));
  expect(stored.length).toBeGreaterThan(6);
  for (const [, , , id, type, payload] of stored) {
    const { plaintext, protectedHeader } = await compactDecrypt(payload, bytesOf(KEY));
    expect(new TextDecoder().decode(plaintext)).toContain(CANARY);
    expect(protectedHeader).toMatchObject({ id, type, ns: "default", kid: "default" });
  }
});

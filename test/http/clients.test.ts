import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { EventSource as PackagedEventSource } from "eventsource";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { fixedPort } from "../support/fixed-port.ts";

// A browser on a busy machine takes its time.

let server: RunningServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "event-router-clients-"));
  server = await serve({ port: await fixedPort(), store: `sqlite:${join(folder, "events.db")}` });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Clients that are told to come back do so after this, and find the same log. */
async function restart(): Promise<void> {
  const { port } = server;
  await server.close({ retryAfter: 1, timeout: 1 });
  server = await serve({ port, store: `sqlite:${join(folder, "events.db")}` });
}

async function publish(type: string, payload: unknown): Promise<void> {
  const { status } = await fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ type, payload }) });
  expect(status).toBe(201);
}

test("[P2] the eventsource package follows the log, and misses nothing when the server restarts", async () => {
  const source = new PackagedEventSource(`${server.url}/api/v1/events/stream?topics=package.*`);
  onTestFinished(() => source.close());
  const seen: unknown[] = [];
  source.addEventListener("message", ({ data }) => seen.push((JSON.parse(data as string) as { payload: unknown }).payload));
  await new Promise((resolve) => source.addEventListener("open", resolve));
  await publish("package.a", 1);
  await expect.poll(() => seen).toEqual([1]);
  await restart();
  await publish("package.a", 2);
  await publish("other.a", 3);
  await publish("package.b", 4);
  await expect.poll(() => seen).toEqual([1, 2, 4]);
});

test("[P2] so does the EventSource of a browser", async () => {
  const browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${server.url}/health`);
  await page.evaluate(() => new Promise((resolve) => {
    const source = new EventSource("/api/v1/events/stream?topics=browser.*&filter=priority:gte:5");
    const seen: unknown[] = ((globalThis as { seen?: unknown[] }).seen = []);
    source.onmessage = ({ data }: { data: string }) => seen.push((JSON.parse(data) as { payload: unknown }).payload);
    source.onopen = resolve;
  }));
  const seen = (): Promise<unknown> => page.evaluate(() => (globalThis as { seen?: unknown[] }).seen);
  await publish("browser.a", 1);
  await expect.poll(seen).toEqual([1]);
  await restart();
  await publish("browser.a", 2);
  await expect.poll(seen).toEqual([1, 2]);
});

test("an EventSource that comes back while the router stops is told to come again: an error would keep it away for good", async () => {
  const stopping = await serve({ port: 0 });
  await stopping.router.close();
  const stream = `${stopping.url}/api/v1/events/stream`;
  const [browser, other] = [await fetch(stream, { headers: { accept: "text/event-stream" } }), await fetch(stream)];
  expect([browser.status, browser.headers.get("content-type"), await browser.text()]).toEqual([200, "text/event-stream; charset=utf-8", ": the router is stopping; connect again later\nretry: 1000\n\n"]);
  expect(other.status).toBe(503);
  await stopping.close();
});

test("curl publishes, asks for history, and follows the stream", async () => {
  const curl = async (...args: string[]): Promise<string> => (await promisify(execFile)("curl", ["-sS", "--max-time", "60", ...args])).stdout;
  const url = `${server.url}/api/v1/events`;
  const receipt = JSON.parse(await curl(`${url}?namespace=curl`, "-H", "content-type: application/json", "-d", '{"type":"curl.a","payload":{"n":1}}'));
  expect(receipt).toMatchObject({ status: "published", seq: 1 });
  expect(JSON.parse(await curl(`${url}?namespace=curl&topics=curl.*`))).toMatchObject({ events: [{ id: receipt.event_id, payload: { n: 1 } }], next_cursor: null });
  const binary = ["-H", "ce-specversion: 1.0", "-H", "ce-id: c-1", "-H", "ce-source: /curl", "-H", "ce-type: curl.b", "-H", "content-type: application/json", "-d", "2"];
  expect(JSON.parse(await curl(`${url}?namespace=curl`, ...binary))).toMatchObject({ event_id: "c-1", seq: 2 });
  const follow = spawn("curl", ["-sSN", `${url}/stream?namespace=curl&from=start`]);
  onTestFinished(() => void follow.kill());
  let text = "";
  follow.stdout.on("data", (chunk: Buffer) => { text += chunk.toString(); });
  while ((text.match(/^data:.*\n/gm) ?? []).length < 2) await once(follow.stdout, "data");
  expect([...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => (JSON.parse(data!) as { seq: number }).seq)).toEqual([1, 2]);
});

test("what the page /docs says to type is answered, each line of it", async () => {
  const own = await serve({ port: 0 });
  onTestFinished(() => own.close());
  await using client = own.client();
  await client.respond("calculator.add", ({ payload: { x, y } }: { payload: { x: number; y: number } }) => x + y).ready;
  await client.publish("user.created", { id: 1 }, { stream: "order-123" });
  const page = await (await fetch(`${own.url}/docs`)).text();
  const lines = [...page.matchAll(/<pre tabindex="0">(curl .*?)<\/pre>/gs)].map(([, text]) => text!.replaceAll("&#39;", "'").replaceAll("&#34;", '"').replaceAll("&#38;", "&")).map((line) => line.replace("http://127.0.0.1:8080", own.url));
  expect(lines.length).toBeGreaterThan(15);
  const answers = await Promise.all(lines.filter((line) => !line.includes(" -N ")).map(async (line) => {
    // No log is that long here.
    const { stdout } = await promisify(execFile)("bash", ["-c", `${line.replace("/events/1042", "/events/1")} -sS -o /dev/null -w '%{http_code}'`]);
    return [line, Number(stdout)] as const;
  }));
  expect(answers.filter(([, status]) => status !== 200 && status !== 201)).toEqual([]);
  const follow = spawn("bash", ["-c", `exec ${lines.find((line) => line.includes(" -N "))!} -sS`]);
  onTestFinished(() => void follow.kill());
  const feed = setInterval(() => client.publishNowait("user.created", { id: 2 }), 50);
  onTestFinished(() => clearInterval(feed));
  let said = "";
  for await (const chunk of follow.stdout) if ((said += String(chunk)).includes('"type":"user.created"')) break;
  expect(said).toContain("data: ");
});

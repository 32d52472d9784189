import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { TestEventSource } from "./event-source.ts";
import { httpApp } from "./http-app.ts";

const directory = await mkdtemp(join(tmpdir(), "stream-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

const publish = async (server: RunningServer, events: unknown): Promise<void> => {
  const response = await fetch(`${server.url}/api/v1/events`, { method: "POST", body: JSON.stringify(events), headers: { "content-type": "application/json" } });
  if (response.status !== 201) throw new Error(await response.text());
};
const numbers = (from: number, to: number, type = "n.x") => Array.from({ length: to - from + 1 }, (_, i) => ({ type, payload: from + i }));
const stats = (server: RunningServer) => server.router.stats().get("default")!;
const streamOf = (server: RunningServer, query = "", headers?: Record<string, string>) => new TestEventSource(`${server.url}/api/v1/events/stream${query}`, headers);

test("events come as they are published, chosen by topics and filter", async () => {
  await using server = await serve({ port: 0 });
  const stream = streamOf(server, "?topics=user.*,order.*&filter=priority:gt:5");
  const { headers, statusCode } = await stream.response;
  expect([statusCode, headers["content-type"], headers["cache-control"], headers["x-accel-buffering"]]).toEqual([200, "text/event-stream; charset=utf-8", "no-store, no-transform", "no"]);
  await stream.until(() => stream.lastEventId !== "");
  expect(stream.retry).toBeGreaterThanOrEqual(1_000);
  await publish(server, [{ type: "user.created", payload: { text: "two\nlines ☃" }, priority: 9, correlation_id: "c" }, { type: "user.created" }, { type: "other", priority: 9 }, { type: "order.x", priority: 6 }]);
  await stream.until(() => stream.events.length === 2);
  const epoch = stream.lastEventId.split(":")[0]!;
  expect(stream.messages.map(({ id }) => id)).toEqual([`${epoch}:1`, `${epoch}:4`]);
  expect(stream.events[0]).toEqual({ id: expect.any(String), type: "user.created", payload: { text: "two\nlines ☃" }, seq: 1, epoch, timestamp: expect.any(String), priority: 9, correlation_id: "c" });
});

test("[P2] [P9] a stream that was cut resumes exactly, also when the server was started anew meanwhile", async () => {
  const file = join(directory, "resume.db");
  const seen: number[] = [];
  let lastEventId = "";
  for (let round = 0; round < 4; round++) {
    await using server = await serve({ port: 0, store: `sqlite:${file}` });
    if (round === 0) await publish(server, numbers(1, 20));
    const stream = round === 0 ? streamOf(server, "?from=start") : streamOf(server, "", { "last-event-id": lastEventId });
    await stream.until(() => stream.events.length >= 7);
    stream.cut();
    // What a browser had: all that it dispatched before the cut.
    seen.push(...stream.events.slice(0, 7).map(({ payload }) => payload as number));
    lastEventId = stream.messages[6]!.id;
    if (round < 3) await publish(server, numbers(20 * (round + 1) + 1, 20 * (round + 2)));
  }
  expect(seen).toEqual(Array.from({ length: 28 }, (_, i) => i + 1));
});

test("[P2] what comes between the start of a stream and its first event is not missed", async () => {
  await using server = await serve({ port: 0 });
  const first = streamOf(server, "?topics=rare.*");
  await first.until(() => first.lastEventId !== "");
  first.cut();
  await publish(server, [{ type: "rare.one" }, { type: "common" }]);
  const second = streamOf(server, `?topics=rare.*&last_event_id=${first.lastEventId}`);
  await second.until(() => second.events.length === 1);
});

test("[P2] a stream that cannot resume says so in a gap event, and goes on behind it", async () => {
  await using server = await serve({ port: 0 });
  await publish(server, numbers(1, 3));
  const stream = streamOf(server, "", { "last-event-id": "otherlife:41" });
  await stream.until(() => stream.events.length === 3);
  const [gap, first] = stream.messages;
  expect(gap!.event).toBe("gap");
  expect(JSON.parse(gap!.data)).toEqual({ from: 42, to: null, epoch: "otherlife", reason: "epoch" });
  expect([gap!.id, first!.id].map((id) => id.split(":")[1])).toEqual(["0", "1"]);
});

test("[P2] a reader that is cut before it has heard of a gap stands before it still: the gap and the place behind it are one block", async () => {
  const { app } = httpApp();
  const response = await app.request("/api/v1/events/stream", { headers: { "last-event-id": "otherlife:41" } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toMatch(/^retry: \d+\n\n$/);
  expect((await reader.read()).value).toMatch(/^event: gap\nid: \w+:0\ndata: \{"from":42.*\}\n\n/);
  await reader.cancel();
});

test("[P2] [P11] a stalled reader holds a window of events in memory and has the rest from the log when it goes on", async () => {
  await using server = await serve({ port: 0, limits: { windowEvents: 32, windowSize: 64 * 1024 } });
  const stalled = streamOf(server);
  const response = await stalled.response;
  await stalled.until(() => stalled.lastEventId !== "");
  response.pause();
  const payload = "x".repeat(10_000);
  for (let i = 0; i < 40; i++) await publish(server, Array.from({ length: 50 }, (_, j) => ({ type: "bulk", payload: { n: i * 50 + j, payload } })));
  const look = async () => (await (await fetch(`${server.url}/api/v1/subscriptions`)).json() as [{ lag: number; in_flight: number }])[0];
  // Until nothing moves any more, as the buffers between server and reader are full.
  let { lag, in_flight: inFlight } = await look();
  for (let still = 0; still < 20; still++) {
    const before = lag;
    ({ lag, in_flight: inFlight } = await look());
    if (lag !== before) still = 0;
  }
  expect(inFlight).toBeLessThanOrEqual(32);
  expect(lag).toBeGreaterThan(1_000);
  response.resume();
  await stalled.until(() => stalled.events.length === 2_000);
  expect(stalled.events.map((event) => event.payload.n)).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
  expect(stats(server).connections).toBeLessThanOrEqual(2);
});

test("an ephemeral event has no id, and does not change where the stream resumes", async () => {
  await using server = await serve({ port: 0 });
  const stream = streamOf(server);
  await stream.until(() => stream.lastEventId !== "");
  await publish(server, { type: "stored" });
  await stream.until(() => stream.events.length === 1);
  const before = stream.lastEventId;
  await publish(server, { type: "cursor.moved", ephemeral: true });
  await stream.until(() => stream.events.length === 2);
  expect([stream.lastEventId, stream.events[1].seq]).toEqual([before, 0]);
});

test("a reader that leaves takes its session along", async () => {
  await using server = await serve({ port: 0 });
  const streams = Array.from({ length: 10 }, () => streamOf(server));
  for (const stream of streams) await stream.until(() => stream.lastEventId !== "");
  expect(stats(server)).toMatchObject({ connections: 10, activeSubscriptions: 10 });
  for (const stream of streams) stream.cut();
  await expect.poll(() => stats(server)).toMatchObject({ connections: 0, activeSubscriptions: 0 });
  expect((await fetch(`${server.url}/api/v1/events/stream`, { method: "HEAD" })).headers.get("content-type")).toContain("text/event-stream");
  await expect.poll(() => stats(server).connections).toBe(0);
});

test("when the server stops, streams end and their readers are told when to come back", async () => {
  const server = await serve({ port: 0 });
  const stream = streamOf(server);
  await stream.until(() => stream.lastEventId !== "");
  const closing = server.close({ retryAfter: 3_500 });
  await stream.until(() => stream.ended);
  expect(stream.retry).toBe(3_500);
  await closing;
});

test("silence is broken by comments", async () => {
  const timers = new Set<() => void>();
  const { app } = httpApp({ clock: { now: () => Date.now(), after(ms, callback) {
    if (ms !== 15_000) return () => {};
    timers.add(callback);
    return () => timers.delete(callback);
  } } });
  const response = await app.request("/api/v1/events/stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toMatch(/^retry: \d+\n\n$/);
  expect((await reader.read()).value).toMatch(/^id: \w+:0\n\n$/);
  const next = reader.read();
  await expect.poll(() => timers.size).toBe(1);
  for (const callback of timers) callback();
  expect((await next).value).toBe(":\n\n");
  await reader.cancel();
});

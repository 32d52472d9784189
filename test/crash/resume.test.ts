import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { violations } from "../support/history.ts";
import { logOf } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";
import { ServerChild } from "../support/server-child.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";

const MISSED = 100_000;
/** MiB */
const MOST_GROWTH = 64;

const folder = mkdtempSync(join(tmpdir(), "event-router-resume-"));
afterAll(() => rmSync(folder, { recursive: true }));

test(`[P2] [P3] [P11] a subscriber resumes after ${MISSED} missed events: all of them, in order, page by page under credit`, async () => {
  await using server = new ServerChild();
  const url = await server.serve({ port: 0, store: `sqlite:${join(folder, "resume.db")}` });
  let target = Number(new URL(url).port);
  const proxy = await tcpProxy(() => target);
  await using _proxy = { [Symbol.asyncDispose]: () => proxy.close() };
  await using publisher = new EventRouterClient({ url });
  await using subscriber = new EventRouterClient({ url: `http://127.0.0.1:${proxy.port}`, reconnect: { minDelay: 5, maxDelay: 20 } });
  const recorder = new Recorder({ pad: () => 150 });
  const reading = recorder.reading("resumed", ["load.**"]);
  let mostInFlight = 0;
  let looked = Promise.resolve();
  const subscription = await subscriber.subscribe("load.**", { from: "start" }, (event) => {
    reading.handler(event);
    // Now and then, what the router has in flight for it.
    if (event.seq % 10_000 === 0) looked = publisher.call("subscriptions").then((list) => { mostInFlight = Math.max(mostInFlight, ...(list as { inFlight: number }[]).map(({ inFlight }) => inFlight)); });
  });
  subscription.onGap(reading.gap);
  const publish = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 500) await recorder.transaction(publisher, "p", Array.from({ length: 500 }, (_, i) => `load.${i % 10}`), "publishBatch");
  };

  await publish(1_000);
  await recorder.until(() => reading.seen.length === 1_000);
  const gone = new Promise<void>((resolve) => subscriber.onStateChange((state) => { if (state === "offline") resolve(); }));
  const open = target;
  // Nothing listens on the discard port: the subscriber cannot come back.
  target = 9;
  proxy.cut();
  await gone;
  await publish(MISSED);
  expect(reading.seen).toHaveLength(1_000);
  server.forgetPeak();
  const before = server.memory();

  target = open;
  const started = performance.now();
  await recorder.until(() => reading.seen.length >= 1_000 + MISSED);
  const took = performance.now() - started;
  const after = server.memory();
  await looked;

  const log = await logOf(publisher);
  console.log(`resume: ${MISSED} events in ${Math.round(took)} ms, RSS ${before.now.toFixed(0)} MiB before, at most +${(after.peak - before.now).toFixed(1)}; up to ${mostInFlight} in flight`);
  expect(violations(recorder.history(log))).toEqual([]);
  expect(log.events).toHaveLength(1_000 + MISSED);
  expect(after.peak - before.now).toBeLessThan(MOST_GROWTH);
  expect(mostInFlight).toBeGreaterThan(0);
  expect(mostInFlight).toBeLessThanOrEqual(256);
});

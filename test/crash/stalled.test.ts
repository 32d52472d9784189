import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { Crowd, pausable } from "../support/crowd.ts";
import { violations } from "../support/history.ts";
import { logOf } from "../support/recorded-log.ts";
import { Recorder, type RecordedReading } from "../support/recorder.ts";
import { ServerChild } from "../support/server-child.ts";

const SUBSCRIBERS = 50;
/** Rounds of 500 small events, for all, and 200 large ones, for the stallers: 25,000 and 80 MiB, or 5 s at 5,000 small events/s. They come as fast as they are acked. */
const ROUNDS = 50;
const [SMALL, LARGE] = [Array.from({ length: 500 }, (_, i) => `small.${i % 10}`), Array.from({ length: 100 }, () => "large")];
const SMALL_PER_ROUND = SMALL.length;
const PER_ROUND = SMALL.length + 2 * LARGE.length;
/** MiB */
const MOST_GROWTH = 64;

const folder = mkdtempSync(join(tmpdir(), "event-router-stalled-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes a subscriber that can stop: `stall` before events come, `go` when it goes on. */
type Stalling = (url: string, reading: RecordedReading) => { readonly client: EventRouterClient; stall(): void; go(): void };

const byHandler: Stalling = (url, reading) => {
  let gate = Promise.resolve();
  let go = (): void => {};
  const client = new EventRouterClient({ url });
  client.on("**", { from: "start" }, async (event) => {
    await gate;
    reading.handler(event);
  }).onGap(reading.gap);
  return { client, stall: () => { gate = new Promise((resolve) => { go = resolve; }); }, go: () => go() };
};

const bySocket: Stalling = (url, reading) => {
  const { WebSocket, pause, resume } = pausable();
  const client = new EventRouterClient({ url, WebSocket });
  client.on("**", { from: "start" }, reading.handler).onGap(reading.gap);
  return { client, stall: pause, go: resume };
};

test(`[P11] [P2] [P3] one of ${SUBSCRIBERS} subscribers stalls: the router's memory stays, the others get everything, and so does he in the end`, async () => {
  await using server = new ServerChild();
  const url = await server.serve({ port: 0, store: `sqlite:${join(folder, "stalled.db")}` });
  await using others = await Crowd.join(url, SUBSCRIBERS - 2, "small.*");
  const recorder = new Recorder({ pad: (type) => (type === "large" ? 8_000 : 150) });
  const stallers = [["whose handler does not finish", byHandler], ["that does not read its socket", bySocket]] as const;
  const readings = stallers.map(([how]) => recorder.reading(`one ${how}`, ["**"]));
  const makers = stallers.map(([, make], i) => make(url, readings[i]!));
  await using clients = new AsyncDisposableStack();
  for (const { client } of makers) clients.use(client);
  const publisher = clients.use(new EventRouterClient({ url }));
  const idle = server.memory().now;
  let rounds = 0;
  const publish = async (): Promise<void> => {
    for (let i = 0; i < ROUNDS; i++) for (const types of [SMALL, LARGE, LARGE]) await recorder.transaction(publisher, "p", types, "publishBatch");
    rounds += ROUNDS;
    await others.reaches(rounds * SMALL_PER_ROUND);
  };
  const haveAll = () => recorder.until(() => readings.every(({ seen }) => seen.length >= rounds * PER_ROUND));

  // The same load until the heap has its size: what grows from then on is what is kept for the one that stalls.
  await publish();
  await haveAll();
  const warm = server.memory().now;
  for (const [i, { stall, go }] of makers.entries()) {
    server.forgetPeak();
    const before = server.memory().now;
    stall();
    await publish();
    const during = server.memory().peak - before;
    const behind = rounds * PER_ROUND - readings[i]!.seen.length;
    go();
    await haveAll();
    const grown = server.memory().peak - before;
    console.log(`stalled, one ${stallers[i]![0]}: RSS ${idle.toFixed(0)} MiB idle, ${warm.toFixed(0)} warm, ${before.toFixed(0)} before, at most +${during.toFixed(1)} while it stalled, +${grown.toFixed(1)} with its return; it was ${behind} events behind`);
    expect(behind).toBeGreaterThan((ROUNDS * PER_ROUND) / 2);
    // Of its return only the rest is said: serving 80 MiB again makes garbage, which is collected when it pleases. `resume.test.ts` bounds that.
    expect(during).toBeLessThan(MOST_GROWTH);
  }

  const log = await logOf(publisher);
  expect(others.wrong).toEqual([]);
  expect(violations(recorder.history(log))).toEqual([]);
  expect(log.events).toHaveLength(rounds * PER_ROUND);
});

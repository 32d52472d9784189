import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { seeded } from "../support/fake-surroundings.ts";
import { violations } from "../support/history.ts";
import { logInFile } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { ServerChild } from "../support/server-child.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const CYCLES = Number(process.env.CYCLES ?? 50);
const PUBLISHERS = 4;
const IN_FLIGHT = 50;

const folder = mkdtempSync(join(tmpdir(), "event-router-kill-"));
afterAll(() => rmSync(folder, { recursive: true }));

test(`[P1] [P2] [P3] [P4] [P5] [P9] kill -9 of the server, ${CYCLES} times, under ${PUBLISHERS} publishers with ${IN_FLIGHT} in flight`, { timeout: 240_000 + CYCLES * 10_000 }, async () => {
  const random = seeded(SEED);
  const file = join(folder, "killed.db");
  const port = await fixedPort();
  const options = { port, store: `sqlite:${file}`, heartbeat: "5s" } as const;
  await using clients = new AsyncDisposableStack();
  const connect = (): EventRouterClient => clients.use(new EventRouterClient({ url: `http://127.0.0.1:${port}`, timeout: "5m", reconnect: { minDelay: 5, maxDelay: 40 }, logger: { error: () => {} } }));
  const recorder = new Recorder({ pad: () => 100 });

  // Two subscribers: one takes an event at once, the other some at a time, so that kills find handlers at work.
  const all = recorder.reading("all", ["**"]);
  const some = recorder.reading("some", ["kill.a.*", "kill.tx", "end"]);
  const subscriptions = [
    connect().on("**", { from: "start" }, all.handler),
    connect().on(["kill.a.*", "kill.tx", "end"], { from: "start", concurrency: 8 }, async (event) => {
      await new Promise(setImmediate);
      some.handler(event);
    }),
  ];
  subscriptions[0]!.onGap(all.gap);
  subscriptions[1]!.onGap(some.gap);

  let over = false;
  using _over = { [Symbol.dispose]: () => { over = true; } };
  const work = Array.from({ length: PUBLISHERS }, (_, i) => {
    const client = connect();
    const one = async (worker: number): Promise<void> => {
      while (!over) await recorder.publish(client, `p${i}`, `kill.${worker % 2 === 0 ? "a" : "b"}.${worker % 5}`);
    };
    const together = async (): Promise<void> => {
      while (!over) await recorder.transaction(client, `t${i}`, Array.from({ length: 2 + Math.floor(random() * 8) }, () => "kill.tx"));
    };
    return [...Array.from({ length: IN_FLIGHT - 1 }, (_, worker) => one(worker)), together()];
  }).flat();

  await using servers = new AsyncDisposableStack();
  const started = performance.now();
  let server = servers.use(new ServerChild());
  await server.serve(options);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const next = servers.use(new ServerChild());
    const before = recorder.acked;
    await recorder.until(() => recorder.acked > before);
    await passed(30 + random() * 270);
    await server.kill();
    server = next;
    await server.serve(options);
  }
  over = true;
  await Promise.all(work);
  await recorder.publish(connect(), "last", "end");
  for (const reading of [all, some]) await recorder.until(() => reading.seen.some((seen) => "type" in seen && seen.type === "end"));
  const ended = performance.now();
  await clients.disposeAsync();
  await servers.disposeAsync();

  const log = await logInFile(file);
  const transactions = new Set(recorder.attempts.map(({ transaction }) => transaction)).size - 1;
  console.log(`kill: seed ${SEED}, ${CYCLES} kills in ${Math.round(ended - started)} ms, ${log.events.length} events, ${transactions} transactions, ${recorder.acked} acked, ${all.seen.length} + ${some.seen.length} delivered`);
  expect(violations(recorder.history(log)), `seed ${SEED}`).toEqual([]);
  // Clients ask until they know.
  expect(recorder.attempts.filter(({ fate }) => fate.state !== "acked")).toEqual([]);
  expect(log.events).toHaveLength(recorder.acked);
});

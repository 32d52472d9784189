import { setTimeout as passed } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { violations } from "../support/history.ts";
import { logOf } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";
import { WranglerDev } from "./wrangler-dev.ts";

/** `CYCLES=200`, as `npm run test:crash` has it: 50. */
const KILLS = Math.round(Number(process.env.CYCLES ?? 16) / 4);
const PUBLISHERS = 2;
const IN_FLIGHT = 30;

test(`[P1] [P2] [P3] [P4] [P5] [P9] kill -9 of workerd, ${KILLS} times, under ${PUBLISHERS} publishers with ${IN_FLIGHT} in flight`, { timeout: 240_000 + KILLS * 20_000 }, async () => {
  await using edge = await WranglerDev.start();
  await using clients = new AsyncDisposableStack();
  const connect = (): EventRouterClient => clients.use(new EventRouterClient({ url: edge.url, timeout: "120s", reconnect: { minDelay: 20, maxDelay: 200 }, logger: { error: () => {} } }));
  const recorder = new Recorder({ pad: () => 100 });
  const all = recorder.reading("all", ["**"]);
  connect().on("**", { from: "start" }, all.handler).onGap(all.gap);
  let over = false;
  const work = Array.from({ length: PUBLISHERS }, (_, i) => {
    const client = connect();
    const one = async (worker: number): Promise<void> => {
      while (!over) await recorder.publish(client, `p${i}`, `kill.${worker % 5}`);
    };
    const together = async (): Promise<void> => {
      while (!over) await recorder.transaction(client, `t${i}`, Array.from({ length: 3 }, () => "kill.tx"));
    };
    return [...Array.from({ length: IN_FLIGHT - 1 }, (_, worker) => one(worker)), together()];
  }).flat();
  for (let kill = 0; kill < KILLS; kill++) {
    const before = recorder.acked;
    await recorder.until(() => recorder.acked > before);
    await passed(100 + Math.random() * 500);
    await edge.kill();
    await edge.start();
  }
  over = true;
  await Promise.all(work);
  const reader = connect();
  const log = await logOf(reader);
  await recorder.readToTheEnd(log);
  console.log(`edge kill: ${KILLS} kills, ${log.events.length} events, ${recorder.acked} acked, ${all.seen.length} delivered`);
  expect(violations(recorder.history(log))).toEqual([]);
  expect(recorder.attempts.filter(({ fate }) => fate.state !== "acked")).toEqual([]);
  expect(log.events).toHaveLength(recorder.acked);
});

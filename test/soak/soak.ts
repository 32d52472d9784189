// npm run test:soak: a router under steady load for 30 minutes (MINUTES=…), while clients come and go. Memory and handles of its process must not grow, and
// what its clients saw must keep the promises.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { EventRouterClient } from "../../src/index.ts";
import { violations } from "../support/history.ts";
import { logOf } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";
import { ServerChild } from "../support/server-child.ts";

const MINUTES = Number(process.env.MINUTES ?? 30);
/** Events a second, and clients that stay. */
const RATE = 500;
const STAY = 20;
/** What the last quarter may have more than the second, MiB and handles: the heap breathes. */
const MOST_GROWTH = 24;
const MOST_HANDLES = 8;

const folder = mkdtempSync(join(tmpdir(), "event-router-soak-"));
const quiet = { logger: { error: () => {} } };
let failed: string[] = [];
try {
  await using server = new ServerChild();
  const url = await server.serve({ port: 0, store: `sqlite:${join(folder, "soak.db")}`, retention: { maxEvents: 5_000 } });
  const handles = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
  await using clients = new AsyncDisposableStack();
  const recorder = new Recorder({ pad: () => 100 });
  for (let i = 0; i < STAY; i++) await clients.use(new EventRouterClient({ url, ...quiet })).subscribe("soak.*", () => {});
  const publisher = clients.use(new EventRouterClient({ url, ...quiet }));
  const reading = recorder.reading("one that stays", ["soak.*"]);
  const subscription = await clients.use(new EventRouterClient({ url, ...quiet })).subscribe("soak.*", reading.handler);
  subscription.onGap(reading.gap);

  const samples: { readonly rss: number; readonly handles: number }[] = [];
  const end = performance.now() + MINUTES * 60_000;
  let next = performance.now() + 1_000;
  while (performance.now() < end) {
    await recorder.transaction(publisher, "p", Array.from({ length: RATE / 10 }, (_, i) => `soak.${i % 5}`), "publishBatch");
    {
      // One that comes, listens, asks and goes; another that goes without a word.
      await using guest = new EventRouterClient({ url, ...quiet });
      await guest.subscribe("soak.*", { from: "start" }, () => {});
      await guest.request("nobody.there").catch(() => {});
    }
    if (performance.now() >= next) {
      next += 1_000;
      samples.push({ rss: server.memory().now, handles: handles() });
    }
    await passed(100);
  }
  const quarter = (i: number, of: "rss" | "handles"): number => samples.slice((i * samples.length) >> 2, ((i + 1) * samples.length) >> 2).map((one) => one[of]).sort((a, b) => a - b).at(samples.length >> 3)!;
  const [early, late] = [quarter(1, "rss"), quarter(3, "rss")];
  const [before, after] = [quarter(1, "handles"), quarter(3, "handles")];
  const log = await logOf(publisher);
  // The first events are no longer in the log, so only what is there is compared.
  failed = violations({ ...recorder.history(log), attempts: recorder.attempts, readings: [{ ...reading, wants: (event) => reading.wants(event), after: log.first - 1 }] });
  if (late - early > MOST_GROWTH) failed.push(`I14 RSS grew from ${early.toFixed(1)} to ${late.toFixed(1)} MiB`);
  if (after - before > MOST_HANDLES) failed.push(`I14 handles grew from ${before} to ${after}`);
  console.log(`soak: ${MINUTES} min, ${recorder.acked} events acked, ${reading.seen.length} delivered to one that stayed; RSS ${early.toFixed(1)} MiB in the second quarter, ${late.toFixed(1)} in the last; handles ${before} and ${after}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const line of failed.slice(0, 20)) console.log(line);
process.exitCode = failed.length === 0 ? 0 : 1;

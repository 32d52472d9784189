// Ports of a SharedWorker in Chromium: a client with a router in the worker against a bare port with a message for each event.
//   round trips: one tab, what it says is acknowledged (bare: comes back)
//   fan-out: one tab publishes with 64 in flight, ten tabs get everything
import { bench } from "./lib/bench.mjs";

const BARE = "bare port", OURS = "event-router", DISK = "event-router, IndexedDB";
const TABS = 10, WARM = 2_000, EVENTS = 20_000;

async function measure(how, { inFlight, tabs }) {
  const [{ Chromium }, { PageStage }] = await Promise.all([import("../support/engines/chromium.ts"), import("../support/page-stage.ts")]);
  const stage = await PageStage.start("test/bench/lib/tabs-page.mjs", "test/bench/lib/tabs-worker.mjs", "test/bench/lib/bare-worker.mjs", "src/hosts/shared-worker.ts");
  const chromium = await new Chromium().start();
  try {
    const open = async (subscribe) => {
      const tab = await chromium.open(stage.url);
      await tab.call("tabs-page", "join", how, tabs === 1, subscribe);
      return tab;
    };
    if (tabs === 1) return await (await open(false)).call("tabs-page", "roundTrips", inFlight);
    const readers = [];
    for (let i = 0; i < tabs; i++) readers.push(await open(true));
    let total = 0;
    const round = async (events) => {
      total += events;
      const all = readers.map((tab) => tab.call("tabs-page", "received", total));
      const begun = performance.now();
      await Promise.all([readers[0].call("tabs-page", "publish", events, inFlight), ...all]);
      return { deliveries: (events * tabs * 1_000) / (performance.now() - begun) };
    };
    await round(WARM);
    return await round(EVENTS);
  } finally {
    await chromium.close();
    await stage.close();
  }
}

const oneTab = {};
for (const inFlight of [1, 64]) oneTab[`${inFlight} in flight, one tab`] = { inFlight, tabs: 1 };

await bench(import.meta.url, {
  contenders: { [BARE]: "bare", [OURS]: "memory", [DISK]: "disk" },
  setups: { ...oneTab, "64 in flight, to ten tabs": { inFlight: 64, tabs: TABS } },
  measure,
  metrics: { roundTrips: { unit: "round trips/s" }, deliveries: { unit: "deliveries/s" } },
  against: [BARE],
  goals: [
    { setup: /64 in flight, one tab/, contender: OURS, metric: "roundTrips", against: BARE, least: 2 },
    { setup: /to ten tabs/, contender: OURS, metric: "deliveries", against: BARE, least: 1 },
  ],
});

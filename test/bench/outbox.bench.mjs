// The offline outbox in Chromium against bare IndexedDB, all with strict durability; payloads of 200 bytes.
//   written        so many records a transaction, one after another; the outbox: publishes without a connection, 256 in flight, each awaited until it is durable
//   drained        from the moment the router can be reached to an empty outbox: connecting, sending, receipts, trimming
//   online         256 publishes in flight with a connection, each awaited until the router has it: with the outbox (written first) and without
import { bench } from "./lib/bench.mjs";

const OURS = "outbox, 256 in flight", ONE = "bare, 1 a transaction", HUNDRED = "bare, 100 a transaction", THOUSAND = "bare, 1,000 a transaction", WITHOUT = "client without outbox";
const EVENTS = 5_000;

async function measure(what) {
  const [{ Chromium }, { PageStage }, { serve }] = await Promise.all([import("../support/engines/chromium.ts"), import("../support/page-stage.ts"), import("../../src/hosts/server.ts")]);
  const stage = await PageStage.start("test/bench/lib/outbox-page.ts");
  const chromium = await new Chromium().start();
  const reserved = await serve({ port: 0, store: "memory" });
  const { port } = reserved;
  await reserved.close();
  const url = `ws://127.0.0.1:${port}`;
  let server;
  const goOnline = async () => { server = await serve({ port, store: "memory", origins: [stage.origin] }); };
  try {
    const tab = await chromium.open(stage.url);
    const call = (...args) => tab.call("outbox-page", ...args);
    if (typeof what === "number") return { written: await call("bare", what, what === 1 ? 500 : EVENTS) };
    await tab.page.exposeFunction("online", goOnline);
    const { writes, drain } = what === "outbox" ? await call("outbox", 256, EVENTS, url) : {};
    if (server === undefined) await goOnline();
    return { written: writes, drained: drain, online: await call("online", what === "outbox", 256, EVENTS, url) };
  } finally {
    await chromium.close();
    await server?.close();
    await stage.close();
  }
}

await bench(import.meta.url, {
  contenders: { [OURS]: "outbox", [ONE]: 1, [HUNDRED]: 100, [THOUSAND]: 1_000, [WITHOUT]: "plain" },
  setups: { "5,000 events": {} },
  measure,
  metrics: { written: { unit: "written/s" }, drained: { unit: "drained/s" }, online: { unit: "online/s" } },
  against: [ONE, HUNDRED, THOUSAND, WITHOUT],
  goals: [{ setup: /./, contender: OURS, metric: "written", against: HUNDRED, least: 1 }],
});

// Encryption of payloads in Chromium, 64 in flight: a client's own against the same JWE as a page would write it over WebCrypto, and over @noble/ciphers.
import { bench } from "./lib/bench.mjs";

const OURS = "event-router", WEB = "WebCrypto", NOBLE = "@noble/ciphers";

async function measure(name, { size }) {
  const [{ Chromium }, { PageStage }] = await Promise.all([import("../support/engines/chromium.ts"), import("../support/page-stage.ts")]);
  const stage = await PageStage.start("test/bench/lib/encryption-page.mjs");
  const chromium = await new Chromium().start();
  try {
    const tab = await chromium.open(stage.url);
    return await tab.call("encryption-page", "measure", name, size);
  } finally {
    await chromium.close();
    await stage.close();
  }
}

await bench(import.meta.url, {
  contenders: { [OURS]: "ours", [WEB]: "WebCrypto", [NOBLE]: "noble" },
  setups: { "payload of 200 B": { size: 200 }, "payload of 4 KiB": { size: 4_096 } },
  measure,
  metrics: { sealed: { unit: "sealed/s" }, opened: { unit: "opened/s" } },
  against: [WEB, NOBLE],
  goals: ["sealed", "opened"].flatMap((metric) => [WEB, NOBLE].map((against) => ({ setup: /./, contender: OURS, metric, against, least: 1 }))),
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient, type RouterEvent } from "../../src/index.ts";
import { KEY } from "../client/encryption/kit.ts";
import { Chromium } from "../support/engines/chromium.ts";
import { startFirefox } from "../support/engines/firefox.ts";
import { startWebKit } from "../support/engines/webkit.ts";
import { PageStage } from "../support/page-stage.ts";

/** A name that means this machine, and that browsers do not take for it: a page there is as one on plain http from elsewhere, without WebCrypto. */
const PLAIN = "plain.test";
const COUNT = 60;

describe("encryption in browsers", () => {
  let chromium: Chromium;
  let stage: PageStage;
  let server: RunningServer;
  let node: EventRouterClient;
  let plainOrigin: string;

  beforeAll(async () => {
    stage = await PageStage.start("test/browser/page/encryption.ts");
    plainOrigin = stage.origin.replace("127.0.0.1", PLAIN);
    chromium = await new Chromium(`--host-resolver-rules=MAP ${PLAIN} 127.0.0.1`).start();
    server = await serve({ port: 0, origins: [stage.origin, plainOrigin] });
    node = new EventRouterClient({ url: server.url, encryption: { key: KEY, required: ["**"] } });
    await node.respond("add", ({ payload }) => ({ sum: (payload as { numbers: number[] }).numbers.reduce((a, b) => a + b) })).ready;
    await node.publish("from.node", { n: 7 });
  });

  afterAll(async () => {
    await node.close();
    await server.close();
    await chromium.close();
    await stage.close();
  });

  test.each([
    ["over WebCrypto", "web", { secure: true, subtle: true, engine: "WebCrypto" }, true],
    ["with a key that no script can read", "sealed", { secure: true, subtle: true, engine: "WebCrypto" }, false],
    ["on plain http, where there is only JavaScript", "noble", { secure: false, subtle: false, engine: "@noble/ciphers" }, true],
  ] as const)("[P10] [P3] %s: what Node encrypted is opened, and the other way round, in order", async (_, name, surroundings, exportable) => {
    const tab = await chromium.open(surroundings.secure ? stage.url : `${plainOrigin}/`);
    expect(await tab.call("encryption", "surroundings")).toEqual(surroundings);
    const seen: RouterEvent[] = [];
    await using eve = new EventRouterClient({ url: server.url });
    await eve.subscribe(`from.${name}`, (event) => void seen.push(event));
    const here: unknown[] = [];
    await node.subscribe(`from.${name}`, ({ payload }) => void here.push((payload as { n: number }).n));
    const { got, answer, errors } = await tab.call<{ got: { n: number }[]; answer: unknown; errors: string[] }>("encryption", "talk", server.url.replace(/^http/, "ws"), KEY, exportable, name, COUNT);
    const numbers = Array.from({ length: COUNT + 1 }, (_unused, n) => n);
    expect(got.map(({ n }) => n)).toEqual([7, ...numbers]);
    expect([answer, errors]).toEqual([{ sum: 3 }, []]);
    await expect.poll(() => here).toEqual([-3, -2, -1, ...numbers]);
    expect(seen.length).toBeGreaterThanOrEqual(COUNT);
    expect(seen.every(({ payload }) => typeof payload === "string" && payload.startsWith("eyJ"))).toBe(true);
    await tab.close();
  });

  test.each([["Firefox", startFirefox], ["WebKit", startWebKit]] as const)("[P10] %s: the same", async (name, start) => {
    const engine = await start();
    try {
      const tab = await engine.open(stage.url);
      const { got, answer, errors } = await tab.call<{ got: { n: number }[]; answer: unknown; errors: string[] }>("encryption", "talk", server.url.replace(/^http/, "ws"), KEY, false, name, COUNT);
      expect(got.map(({ n }) => n)).toEqual([7, ...Array.from({ length: COUNT + 1 }, (_unused, n) => n)]);
      expect([answer, errors]).toEqual([{ sum: 3 }, []]);
    } finally {
      await engine.close();
    }
  });
});

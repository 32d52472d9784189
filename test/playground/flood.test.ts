import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { expect, test } from "vitest";
import { serve } from "../../src/hosts/server.ts";
import { newStore, Stage } from "./stage.ts";

const stage = new Stage();
const PER_BEAT = 500;
const BEATS = 60;

test("10,000 events/s: all arrive, and the page still does what it is told; a trace is kept", async () => {
  await stage.open();
  const browser = stage.page.context().browser()!;
  await browser.startTracing(stage.page, { path: "test-results/trace-10000.json" });
  for (let beat = 0; beat < BEATS; beat++) {
    const next = performance.now() + 50;
    for (let i = 0; i < PER_BEAT; i++) stage.publisher.publishNowait(`flood.${"abcde"[i % 5]!}`, { n: beat * PER_BEAT + i });
    // Late, so that most of it is drawn. By id: a search by role goes through all rows, in the page's own thread.
    if (beat === BEATS - 10) await stage.page.locator("#pause").click();
    await stage.page.waitForTimeout(Math.max(next - performance.now(), 0));
  }
  await stage.expectText("#pause-text", /^Resume/);
  await stage.page.locator("#pause").click();
  await stage.expectText("#tail-total", /^30,000 events$/);
  const trace = JSON.parse((await browser.stopTracing()).toString("utf8")) as { traceEvents: { name: string; dur?: number; ph: string; pid: number; tid: number }[] };
  const main = new Set(trace.traceEvents.filter(({ name }) => name === "FunctionCall" || name === "FireAnimationFrame").map(({ pid, tid }) => `${pid}:${tid}`));
  const tasks = trace.traceEvents.filter(({ name, pid, tid }) => name.endsWith("RunTask") && main.has(`${pid}:${tid}`)).map(({ dur = 0 }) => dur / 1_000).sort((a, b) => a - b);
  expect(tasks.length).toBeGreaterThan(0);
  console.log(`${tasks.length} tasks; p99 ${tasks[Math.floor(tasks.length * 0.99)]!.toFixed(1)} ms, longest ${tasks.at(-1)!.toFixed(1)} ms`);
});

test("built to stand alone, on a server that is no router's page: the router is in the page", async () => {
  const directory = mkdtempSync(join(tmpdir(), "static-"));
  try {
    await build({ configFile: "vite.config.ts", mode: "static", logLevel: "error", build: { outDir: directory } });
    await using server = await serve({ port: 0, staticFiles: directory, store: newStore() });
    await stage.open();
    await stage.page.goto(server.url);
    await stage.state("Connected");
    expect(await stage.page.getByLabel("In page").isChecked()).toBe(true);
    await stage.publishForm();
    await stage.row("order.placed").waitFor();
    expect((await server.store.open("default")).head).toBe(0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

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

interface TraceEvent { readonly name: string; readonly ph: string; readonly pid: number; readonly tid: number; readonly dur?: number; readonly tdur?: number }

/** The tasks of the threads that run the page's scripts. `wall` counts also what other processes took; `cpu` is the thread's own. All in ms. */
function tasksOf(trace: Buffer): { readonly wall: number; readonly cpu: number }[] {
  const { traceEvents } = JSON.parse(trace.toString("utf8")) as { traceEvents: TraceEvent[] };
  const main = new Set(traceEvents.filter(({ name }) => name === "FunctionCall" || name === "FireAnimationFrame").map(({ pid, tid }) => `${pid}:${tid}`));
  return traceEvents.filter(({ name, pid, tid }) => name.endsWith("RunTask") && main.has(`${pid}:${tid}`)).map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1_000, cpu: tdur / 1_000 }));
}

const figures = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): string => sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)]!.toFixed(1);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`;
};

test("10,000 events/s: all arrive and are kept, few are drawn, what is read stays in place, and the page does what it is told; a trace is kept", async () => {
  await stage.open();
  await stage.page.evaluate(() => {
    const seen = ((window as unknown as { frames: number[] }).frames = []) as number[];
    let before = performance.now();
    const frame = (now: number): void => {
      seen.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const browser = stage.page.context().browser()!;
  await browser.startTracing(stage.page, { path: "test-results/trace-10000.json" });
  const sent: Promise<unknown>[] = [];
  let [read, place] = ["", 0];
  const top = (seq: string) => stage.page.locator(`#rows [data-seq="${seq}"]`).evaluate((row) => Math.round(row.getBoundingClientRect().top));
  for (let beat = 0; beat < BEATS; beat++) {
    const next = performance.now() + 50;
    sent.push(stage.publisher.publishBatch(Array.from({ length: PER_BEAT }, (_, i) => [`flood.${"abcde"[i % 5]!}`, { n: beat * PER_BEAT + i }])));
    // A machine that cannot keep the pace sends later, not more at once than a client lets wait.
    await sent[beat - 8];
    // A third with the newest rushing by; then one is opened and read; at last it is paused. By id: a search by role goes through all elements, in the page's own thread.
    if (beat === BEATS / 3) {
      await stage.page.evaluate(() => document.querySelectorAll<HTMLElement>("#rows .line")[3]!.click());
      read = await stage.page.evaluate(() => document.querySelector("#rows .detail")!.closest("li")!.dataset.seq!);
      place = await top(read);
    }
    if (beat === BEATS - 10) {
      expect(await top(read)).toBe(place);
      await stage.page.locator("#pause").click();
    }
    await stage.page.waitForTimeout(Math.max(next - performance.now(), 0));
  }
  await Promise.all(sent);
  await stage.expectText("#pause-text", /^Resume · [\d,]+ new$/);
  await stage.page.locator("#pause").click();
  await stage.expectText("#tail-total", /^30,000 events$/);
  await stage.expectText("#tail-kept", /^30,000 of at most 50,000 kept/);
  expect(await stage.rows).toBeLessThan(60);
  expect(await top(read)).toBe(place);
  await stage.expectText("#frame-meter", /^longest frame [\d.]+ ms of 16\.7$/);
  const tasks = tasksOf(await browser.stopTracing());
  const frames = await stage.page.evaluate(() => (window as unknown as { frames: number[] }).frames);
  expect([tasks.length, frames.length].map((number) => number > 0)).toEqual([true, true]);
  console.log(`${tasks.length} tasks, wall ${figures(tasks.map(({ wall }) => wall))}, of that its own CPU ${figures(tasks.map(({ cpu }) => cpu))}; ${frames.length} frames, ${figures(frames)}`);
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

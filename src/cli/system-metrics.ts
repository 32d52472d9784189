import { cpus, freemem, loadavg, totalmem } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { EventRouterClient } from "../index.ts";

const INTERVAL = 1_000;

/** How often the loop's delay is sampled, ms. The histogram holds the time between two samples: this and the delay. */
const RESOLUTION = 10;

export interface SystemMetricsOptions {
  readonly client: EventRouterClient;
  /** Ends the publishing. */
  readonly signal: AbortSignal;
  /** Told once when publishing begins to fail, and not again until it has worked in between. */
  onError(error: unknown): void;
}

/** Publishes `system.cpu`, `system.memory` and `system.loop` of this machine and process each second. Resolves when `signal` is aborted. */
export async function publishSystemMetrics({ client, signal, onError }: SystemMetricsOptions): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION });
  loop.enable();
  let times = cpuTimes();
  let failing = false;
  for await (const _ of beats(signal)) {
    const before = times;
    times = cpuTimes();
    const events = [
      { type: "system.cpu", payload: cpu(before, times) },
      { type: "system.memory", payload: memory() },
      { type: "system.loop", payload: { mean: loopDelay(loop.mean), p99: loopDelay(loop.percentile(99)), max: loopDelay(loop.max) } },
    ];
    loop.reset();
    try {
      await client.publishEvents(events.map((event) => ({ ...event, source: "system" })), { signal });
      failing = false;
    } catch (error) {
      if (!failing && !signal.aborted) onError(error);
      failing = true;
    }
  }
  loop.disable();
}

/** One a second, by the clock the first began with: late beats do not delay the next, and missed ones are left out. */
async function* beats(signal: AbortSignal): AsyncGenerator<void> {
  const start = performance.now();
  for (let beat = 1; ; beat = Math.max(beat, Math.floor((performance.now() - start) / INTERVAL)) + 1) {
    await delay(start + beat * INTERVAL - performance.now(), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    yield;
  }
}

interface CpuTimes { readonly busy: number; readonly all: number; readonly cores: number }

/** Milliseconds since the machine's start, over all cores. */
function cpuTimes(): CpuTimes {
  let busy = 0;
  let all = 0;
  const cores = cpus();
  for (const { times: { user, nice, sys, idle, irq } } of cores) {
    busy += user + nice + sys + irq;
    all += user + nice + sys + irq + idle;
  }
  return { busy, all, cores: cores.length };
}

function cpu(before: CpuTimes, now: CpuTimes): { percent: number; cores: number; load1: number } {
  const share = (now.busy - before.busy) / Math.max(1, now.all - before.all);
  return { percent: round(Math.min(Math.max(share * 100, 0), 100), 1), cores: now.cores, load1: round(loadavg()[0]!, 2) };
}

/** Bytes. On Linux, what the system could free counts as free. */
function memory(): { percent: number; used: number; total: number; rss: number } {
  const total = totalmem();
  const used = total - freemem();
  return { percent: round((used / total) * 100, 1), used, total, rss: process.memoryUsage.rss() };
}

/** Milliseconds by which the loop was late. Without a sample the histogram's mean is not a number. */
function loopDelay(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? round(Math.max(nanoseconds / 1e6 - RESOLUTION, 0), 2) : 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

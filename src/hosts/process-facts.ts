import process from "node:process";
import type { Family } from "../http/exposition.ts";
import { single } from "../http/metrics.ts";

/** What the process has used, as Node, Deno and Bun tell it alike, under the names that Prometheus' clients give it. */
export function processMetrics(): readonly Family[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal } = process.memoryUsage();
  return [
    single("process_cpu_seconds_total", "Total user and system CPU time spent in seconds", (user + system) / 1e6, "counter"),
    single("process_start_time_seconds", "Start time of the process since unix epoch in seconds", Date.now() / 1_000 - process.uptime()),
    single("process_resident_memory_bytes", "Resident memory size in bytes", rss),
    single("process_heap_bytes", "Process heap size in bytes", heapTotal),
  ];
}

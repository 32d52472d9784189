import process from "node:process";

/** What the process has used, as Node, Deno and Bun tell it alike. */
export function processFacts(): { cpuSeconds: number; startSeconds: number; residentBytes: number; heapBytes: number } {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal } = process.memoryUsage();
  return { cpuSeconds: (user + system) / 1e6, startSeconds: Date.now() / 1_000 - process.uptime(), residentBytes: rss, heapBytes: heapTotal };
}

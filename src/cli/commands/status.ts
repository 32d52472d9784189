import { ConnectionError } from "../../index.ts";
import { ask } from "../ask.ts";
import { defineCommand } from "../command.ts";
import { exitCode } from "../failure.ts";
import { routerAccess, routerFlags, type RouterAccess } from "../router-access.ts";
import { json } from "../text.ts";

interface Health { readonly status: string; readonly checks: Readonly<Record<string, string>> }
type Stats = Readonly<Record<string, unknown>>;

export const status = defineCommand({
  name: "status",
  about: "tell how a router is doing",
  operands: [],
  flags: routerFlags,
  examples: [
    ["status", "the router on this machine"],
    ["status --url https://events.example.com --json", "another one, for machines"],
  ],
  async run({ flags }, shell) {
    const router = routerAccess("status", flags, shell);
    const signal = AbortSignal.any([shell.stop, AbortSignal.timeout(router.timeout)]);
    const health = await ask<Health>(router, "/health", { signal, accept: [200, 503] }).catch((error: unknown) => {
      if (error instanceof ConnectionError && error.code === "ERR_UNREACHABLE" && !shell.stop.aborted) return undefined;
      throw error;
    });
    if (health === undefined) {
      if (flags.json) await shell.print(json({ status: "not_running", url: router.url }));
      shell.note(`Event Router Status: Not running at ${router.url}`);
      return exitCode.failed;
    }
    const [stats, transport] = await Promise.all([ask<Stats>(router, "/api/v1/stats", { signal }), tryWebSocket(router, signal)]);
    const healthy = health.status === "healthy" && transport === "connected";
    if (flags.json) await shell.print(json({ status: healthy ? "running" : "degraded", url: router.url, transport: "websocket", connection: transport, ...stats, checks: health.checks }));
    else await shell.print(report(health, stats, transport));
    return healthy ? exitCode.done : exitCode.failed;
  },
});

function report({ status: state, checks }: Health, stats: Stats, transport: string): string {
  const number = (name: string): string => Number(stats[name] ?? 0).toLocaleString("en-US");
  const failing = Object.entries(checks).filter(([, check]) => check !== "ok").map(([name, check]) => `${name} ${check}`);
  return [
    `Event Router Status: ${state === "healthy" ? "Running" : `Degraded (${failing.join(", ") || state})`}`,
    `Transport: WebSocket (${transport})`,
    `Events Published: ${number("events_published")}`,
    `Active Subscriptions: ${number("active_subscriptions")}`,
    `Queue Depth: ${number("queue_depth")}`,
  ].join("\n");
}

/** A proxy that lets HTTP through and WebSockets not is a common fault: so it is tried, not taken for granted. */
async function tryWebSocket(router: RouterAccess, signal: AbortSignal): Promise<string> {
  try {
    await router.reach(signal);
    return "connected";
  } catch (error) {
    signal.throwIfAborted();
    return `not connected: ${(error as Error).message}`;
  }
}

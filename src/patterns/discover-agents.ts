import { checkOptions, wholeNumber } from "../client/check-options.ts";
import type { Client } from "../client/client.ts";
import { sleep } from "../client/sleep.ts";
import { milliseconds, type Duration } from "../core/duration.ts";

export interface DiscoverOptions {
  /** Only agents that have it; default: all. */
  readonly capability?: string;
  /** How long to listen for answers, default 500 ms: nobody knows how many there are. */
  readonly timeout?: Duration;
  /** So many are enough. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface DiscoveredAgent {
  readonly id: string;
  readonly capabilities: readonly string[];
}

/**
 * Asks who is there. Only agents that run answer, so one that crashed is never among them; nothing of it is stored, and nobody keeps a list that could be wrong.
 * @example
 * const [reviewer] = await discoverAgents(client, { capability: "review", limit: 1 });
 */
export async function discoverAgents(client: Client, options: DiscoverOptions = {}): Promise<DiscoveredAgent[]> {
  checkOptions(options, "capability timeout limit signal", "discoverAgents");
  const { capability, timeout = 500, signal } = options;
  const limit = wholeNumber(options.limit, "limit", Infinity);
  const wait = milliseconds(timeout, "timeout");
  const { clock, nextId } = client.engine;
  const correlationId = nextId();
  const found = new Map<string, DiscoveredAgent>();
  const enough = new AbortController();
  const answers = await client.subscribe("agent.present", { filter: { correlationId }, ...(signal && { signal }) }, ({ payload }) => {
    const { agent_id: id, capabilities } = payload as { readonly agent_id: string; readonly capabilities: readonly string[] };
    found.set(id, { id, capabilities });
    if (found.size >= limit) enough.abort();
  });
  try {
    await client.publish("agent.discover", capability === undefined ? {} : { capability }, { correlationId, ephemeral: true });
    await sleep(clock, wait, signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]));
  } finally {
    await answers.unsubscribe();
  }
  signal?.throwIfAborted();
  return [...found.values()].slice(0, limit);
}

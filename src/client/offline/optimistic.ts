import type { RouterEvent } from "../../core/event.ts";
import { compileFilter } from "../../core/filter.ts";
import type { SubscribeSpec } from "../../core/frames.ts";
import { matchesPattern } from "../../core/pattern.ts";
import { compileRegex } from "../../core/regex.ts";
import type { Vault } from "../encryption/vault.ts";
import type { Handler } from "../handle-events.ts";
import type { HandlerContext } from "../handler-context.ts";
import type { DurableOutbox } from "./durable-outbox.ts";
import { pendingEvent } from "./pending-event.ts";

export interface OptimisticOptions {
  readonly spec: SubscribeSpec;
  readonly concurrency: number;
  readonly handler: Handler;
  readonly room: DurableOutbox;
  readonly vault: Vault | undefined;
  /** The client's, which only gets what is for it. */
  readonly name: string | undefined;
  readonly context: HandlerContext;
  report(error: unknown, event?: RouterEvent): void;
}

/** Real events remembered, in case what another tab says of them comes later. */
const REMEMBERED = 1_024;

/**
 * A handler that sees what waits in the outbox at once, as `pending` events without a seq, and each event once: the real one of what it has seen pending is
 * passed over, wherever it stands in the log. So the order is that of this device first; where that must be the log's, subscribe without `optimistic`.
 */
export async function optimistic({ handler, spec: { topics, filter }, concurrency, room, vault, name, context, report }: OptimisticOptions): Promise<Handler> {
  const accepts = filter === undefined ? undefined : compileFilter(filter, { maxNodes: Infinity, regex: compileRegex });
  const shown = new Set<string>();
  const real = new Set<string>();
  const queue: (() => void)[] = [];
  let running = 0;

  /** Pending and real events share the places that `concurrency` gives. */
  async function inTurn(run: () => unknown): Promise<unknown> {
    if (running >= concurrency) await new Promise<void>((resolve) => queue.push(resolve));
    else running++;
    try {
      return await run();
    } finally {
      const next = queue.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  async function show(event: RouterEvent): Promise<void> {
    try {
      await vault?.openEvent(event);
      if (accepts !== undefined && !accepts(event)) return;
      if (real.has(event.id) || shown.has(event.id) || context.signal.aborted) return;
      shown.add(event.id);
      await inTurn(() => (context.signal.aborted ? undefined : handler(event, context)));
    } catch (error) {
      report(error, event);
    }
  }

  const stop = await room.pending((events) => {
    for (const one of events) {
      const event = pendingEvent(one) as RouterEvent;
      if (event.target !== undefined && event.target !== name) continue;
      if (topics.some((pattern) => matchesPattern(pattern, event.type))) void show(event);
    }
  });
  context.signal.addEventListener("abort", stop, { once: true });
  if (context.signal.aborted) stop();

  return (event, own) => {
    if (shown.delete(event.id)) return undefined;
    real.add(event.id);
    if (real.size > REMEMBERED) real.delete(real.values().next().value!);
    return inTurn(() => handler(event, own));
  };
}

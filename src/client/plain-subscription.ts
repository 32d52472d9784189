import { isTraced } from "./open-telemetry.ts";
import type { Handler } from "./handle-events.ts";
import type { ParsedSubscription, SubscribeInit } from "./subscribe-options.ts";
import { wholeNumber } from "./check-options.ts";
import { patternsOf } from "./read-arguments.ts";

/**
 * A subscription without options but these. Undefined for one with others, right or wrong: they are for `parseSubscription`.
 * @throws ValidationError naming the option
 */
export function plainSubscription({ topics, handler, concurrency, from = "now", ...others }: SubscribeInit<never>): ParsedSubscription | undefined {
  const places = wholeNumber(concurrency, "concurrency", 1);
  if (Object.entries(others).some(([name, value]) => name !== "signal" && value !== undefined) || (from !== "now" && from !== "start") || !(handler === undefined || (typeof handler === "function" && !isTraced()))) return undefined;
  return { spec: { topics: patternsOf(topics), from }, handler: handler as Handler | undefined, concurrency: places };
}

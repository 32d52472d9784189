import { milliseconds } from "../core/duration.ts";
import { EventRouterError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { checkFunction, checkOptions, invalidOption, wholeNumber } from "./check-options.ts";
import type { Middleware } from "./handle-events.ts";
import type { HandlerContext } from "./handler-context.ts";
import type { ErrorHandlerOptions, Tools } from "./failure-options.ts";
import { sleep } from "./sleep.ts";

interface RetryPolicy {
  readonly maxRetries: number;
  readonly exponential: boolean;
  readonly delay: number;
  readonly maxDelay: number;
  readonly retryIf: (error: unknown) => boolean;
  readonly deadLetterQueue: boolean;
}

/** Between attempts to write a dead letter, ms. */
const BURIAL = { first: 250, most: 30_000 };

/**
 * Runs a handler again when it fails, and gives the event up as a dead letter or with its last error. The handler counts as running all the while, so
 * with a concurrency of 1 the events behind it wait and order is kept.
 * @throws ValidationError naming the option.
 */
export function retry(tools: Tools, options: ErrorHandlerOptions = {}): Middleware {
  const policy = policyOf(options);
  const { maxRetries, retryIf, deadLetterQueue } = policy;
  return (handler) => async (event, context) => {
    for (let tries = 0; ; tries++) {
      const attempt = context.attempt + tries;
      try {
        return await handler(event, { ...context, attempt, redelivered: context.redelivered || tries > 0, retried: true });
      } catch (error) {
        if (tries < maxRetries && retryIf(error) && await sleep(tools.clock, waitBefore(tries, error, policy), context.signal)) continue;
        // A request, and an event that is not in the log, has nothing that a dead letter could point to.
        if (!deadLetterQueue || context.subscription === undefined || event.seq === 0) throw error;
        return await bury(tools, event, context, attempt, error);
      }
    }
  };
}

/** What knows better when to come back, as an open circuit breaker does, is heeded: no try is wasted before. */
function waitBefore(tries: number, error: unknown, { exponential, delay, maxDelay }: RetryPolicy): number {
  const retryAfter = error instanceof EventRouterError ? Number(error.details.retryAfter ?? 0) : 0;
  return Math.max(Math.min(exponential ? delay * 2 ** tries : delay, maxDelay), retryAfter);
}

/**
 * Resolves when the dead letter is durable (P6): only then may the event count as done, so this goes on until it succeeds.
 * @throws the handler's error when the subscription ends first: then the event is not acknowledged, and comes again to whoever goes on with it; and when
 * the event has left the log meanwhile.
 */
async function bury(tools: Tools, event: RouterEvent, { subscription, signal }: HandlerContext, attempts: number, error: unknown): Promise<void> {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  const vault = await tools.vault();
  const letter = { sub: subscription!.id, seq: event.seq, epoch: event.epoch, attempts, error: { name, message: await vault?.sealReason(event, message) ?? message } };
  for (let wait = BURIAL.first, told = false; !signal.aborted; wait = Math.min(wait * 2, BURIAL.most)) {
    try {
      await tools.call("dead", letter, { signal });
      return;
    } catch (cause) {
      // It is in the log no longer: the subscription's gap says so, and nothing is left to point to.
      if ((cause as EventRouterError).code === "ERR_DEAD_LETTER") break;
      // Whoever runs this must learn why a subscription stands still.
      if (!signal.aborted && !told && !(cause as EventRouterError).retryable) {
        told = true;
        tools.report(cause);
      }
      await sleep(tools.clock, wait, signal);
    }
  }
  throw error;
}

function policyOf(options: ErrorHandlerOptions): RetryPolicy {
  checkOptions(options, "maxRetries backoff delay maxDelay retryIf deadLetterQueue", "errorHandler");
  const { maxRetries, backoff = "exponential", delay = 100, maxDelay = 30_000, retryIf = () => true, deadLetterQueue = false } = options;
  if (backoff !== "exponential" && backoff !== "fixed") throw invalidOption("backoff", 'must be "exponential" or "fixed"');
  checkFunction(retryIf, "retryIf");
  if (typeof deadLetterQueue !== "boolean") throw invalidOption("deadLetterQueue", "must be true or false");
  return {
    maxRetries: wholeNumber(maxRetries, "maxRetries", 3, 0), exponential: backoff === "exponential",
    delay: milliseconds(delay, "delay"), maxDelay: milliseconds(maxDelay, "maxDelay"), retryIf, deadLetterQueue,
  };
}

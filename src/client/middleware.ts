import { milliseconds } from "../core/duration.ts";
import { checkFunction, checkOptions, invalidOption, wholeNumber } from "./check-options.ts";
import type { BreakerSettings, CircuitBreakerOptions, ErrorHandlerOptions, RetryPolicy, Tools } from "./failure-options.ts";
import type { Middleware } from "./handle-events.ts";

/**
 * Retry, and dead letters: options are checked at once, the rest is loaded with the first event.
 * @throws ValidationError naming the option.
 */
export function errorHandler(tools: Tools, options: ErrorHandlerOptions = {}): Middleware {
  checkOptions(options, "maxRetries backoff delay maxDelay retryIf deadLetterQueue", "errorHandler");
  const { maxRetries, backoff = "exponential", delay = 100, maxDelay = 30_000, retryIf = () => true, deadLetterQueue = false } = options;
  if (backoff !== "exponential" && backoff !== "fixed") throw invalidOption("backoff", 'must be "exponential" or "fixed"');
  checkFunction(retryIf, "retryIf");
  if (typeof deadLetterQueue !== "boolean") throw invalidOption("deadLetterQueue", "must be true or false");
  const policy: RetryPolicy = {
    maxRetries: wholeNumber(maxRetries, "maxRetries", 3, 0), exponential: backoff === "exponential",
    delay: milliseconds(delay, "delay"), maxDelay: milliseconds(maxDelay, "maxDelay"), retryIf, deadLetterQueue,
  };
  return lazily(async () => (await import("./retry.ts")).retry(tools, policy));
}

/** @throws ValidationError naming the option. */
export function circuitBreaker(tools: Tools, options: CircuitBreakerOptions = {}): Middleware {
  checkOptions(options, "failureThreshold recoveryTimeout expectedException", "circuitBreaker");
  const { failureThreshold, recoveryTimeout = 30_000, expectedException } = options;
  if (expectedException !== undefined) checkFunction(expectedException, "expectedException");
  const settings: BreakerSettings = { failureThreshold: wholeNumber(failureThreshold, "failureThreshold", 5), recoveryTimeout: milliseconds(recoveryTimeout, "recoveryTimeout"), expectedException };
  return lazily(async () => (await import("./circuit-breaker.ts")).circuitBreaker(tools, settings));
}

/** A middleware whose code is loaded when it is first needed: once, so that all handlers in it share what it knows. */
function lazily(load: () => Promise<Middleware>): Middleware {
  let loaded: Promise<Middleware> | undefined;
  return (handler) => {
    checkFunction(handler, "handler");
    let ready: typeof handler | undefined;
    return async (event, context) => (ready ??= (await (loaded ??= load()))(handler))(event, context);
  };
}


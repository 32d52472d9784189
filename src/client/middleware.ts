import type { CircuitBreakerOptions, ErrorHandlerOptions, Tools } from "./failure-options.ts";
import type { Middleware } from "./handle-events.ts";
import type { Check } from "./permission.ts";

/** Retry, and dead letters. */
export function errorHandler(tools: Tools, options?: ErrorHandlerOptions): Middleware {
  return lazily(async () => (await import("./retry.ts")).retry(tools, options), tools);
}

export function circuitBreaker(tools: Tools, options?: CircuitBreakerOptions): Middleware {
  return lazily(async () => (await import("./circuit-breaker.ts")).circuitBreaker(tools, options), tools);
}

export function requirePermission(tools: Tools, permission: string): Middleware {
  return lazily(async () => (await import("./permission.ts")).requirePermission(permission), tools);
}

export function authorize(tools: Tools, check: Check): Middleware {
  return lazily(async () => (await import("./permission.ts")).authorize(check), tools);
}

/**
 * A middleware whose code is loaded while its client connects; all handlers in it share what it knows. What is wrong with its options reaches `onError`
 * at once, and then whoever waits for a handler in it.
 */
function lazily(load: () => Promise<Middleware>, { report }: Tools): Middleware {
  const loaded = load();
  loaded.catch(report);
  return (handler) => {
    const wrapped = loaded.then((middleware) => middleware(handler));
    wrapped.catch(() => {});
    return async (event, context) => (await wrapped)(event, context);
  };
}

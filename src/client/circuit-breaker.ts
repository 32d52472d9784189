import { milliseconds } from "../core/duration.ts";
import { EventRouterError } from "../core/errors.ts";
import { afterwards, type Breaker, type Happening } from "./breaker.ts";
import { checkFunction, checkOptions, wholeNumber } from "./check-options.ts";
import type { Middleware } from "./handle-events.ts";
import type { HandlerContext } from "./handler-context.ts";
import type { CircuitBreakerOptions, Tools } from "./failure-options.ts";
import { sleep } from "./sleep.ts";

/**
 * Spares a service that fails. While it is open, no event is dropped: of a plain subscription it waits until the breaker lets it try (what is behind it
 * waits too); inside an `errorHandler`, and for requests, it fails at once with a retryable error that says when to come back.
 * All handlers in one breaker share it: it stands for one service.
 * @throws ValidationError naming the option.
 */
export function circuitBreaker({ clock }: Tools, options: CircuitBreakerOptions = {}): Middleware {
  checkOptions(options, "failureThreshold recoveryTimeout expectedException", "circuitBreaker");
  const { failureThreshold, recoveryTimeout = 30_000, expectedException } = options;
  const settings = { failureThreshold: wholeNumber(failureThreshold, "failureThreshold", 5), recoveryTimeout: milliseconds(recoveryTimeout, "recoveryTimeout") };
  let breaker: Breaker = { state: "closed", failures: 0 };
  /** While one tries, the others wait for it. */
  let trial: Promise<unknown> = Promise.resolve();
  const counts = counting(expectedException);
  const note = (happening: Happening): void => { breaker = afterwards(breaker, happening, clock.now(), settings); };

  /** Resolves when the event may pass; says whether it is the one that tries. */
  async function pass(context: HandlerContext): Promise<boolean> {
    for (;;) {
      const before = breaker;
      note("asked");
      if (breaker.state === "closed") return false;
      if (breaker !== before) return true;
      if (breaker.state === "half-open") await trial;
      else {
        const wait = breaker.until - clock.now();
        // In a group the router is told how long to wait.
        const open = Object.assign(new EventRouterError("ERR_CIRCUIT_OPEN", `the circuit breaker is open after ${settings.failureThreshold} failures; try again in ${wait} ms`, { retryable: true, details: { retryAfter: wait } }), { nack: { delay: wait } });
        if (context.retried === true || context.subscription === undefined || !(await sleep(clock, wait, context.signal))) throw open;
      }
    }
  }

  return (handler) => async (event, context) => {
    const tries = await pass(context);
    const done = Promise.withResolvers<void>();
    if (tries) trial = done.promise;
    // What began before the breaker opened says nothing about the service of now.
    const tell = (happening: Happening): void => { if (tries || breaker.state === "closed") note(happening); };
    try {
      const result = await handler(event, context);
      tell("succeeded");
      return result;
    } catch (error) {
      tell(counts(error) ? "failed" : "succeeded");
      throw error;
    } finally {
      done.resolve();
    }
  };
}

function counting(expected: CircuitBreakerOptions["expectedException"]): (error: unknown) => boolean {
  if (expected === undefined) return () => true;
  checkFunction(expected, "expectedException");
  const isClass = (value: typeof expected): value is abstract new () => unknown => value === Error || value.prototype instanceof Error;
  return isClass(expected) ? (error) => error instanceof expected : expected as (error: unknown) => boolean;
}

/** A circuit breaker as a fact: what it needs to know in each state, and no timer. */
export type Breaker =
  /** All may pass; so many failed in a row. */
  | { readonly state: "closed"; readonly failures: number }
  /** None may pass before this time (ms since 1970). */
  | { readonly state: "open"; readonly until: number }
  /** One is trying whether the service is back; the others wait for what it finds. */
  | { readonly state: "half-open" };

export type Happening =
  /** Somebody wants to pass. */
  | "asked"
  /** What was let through went well, or failed. */
  | "succeeded" | "failed";

/** The breaker after that. Of what was let through before it opened, nobody may tell it any more. */
export function afterwards(breaker: Breaker, happening: Happening, now: number, { failureThreshold, recoveryTimeout }: { readonly failureThreshold: number; readonly recoveryTimeout: number }): Breaker {
  switch (happening) {
    case "asked": return breaker.state === "open" && now >= breaker.until ? { state: "half-open" } : breaker;
    case "succeeded": return { state: "closed", failures: 0 };
    case "failed": {
      const failures = breaker.state === "closed" ? breaker.failures + 1 : failureThreshold;
      return failures < failureThreshold ? { state: "closed", failures } : { state: "open", until: now + recoveryTimeout };
    }
  }
}

import { expect, test } from "vitest";
import { afterwards, type Breaker, type Happening } from "../../src/client/breaker.ts";

const settings = { failureThreshold: 2, recoveryTimeout: 30 };
const open: Breaker = { state: "open", until: 100 };

test.each<[Breaker, Happening, now: number, Breaker]>([
  [{ state: "closed", failures: 0 }, "asked", 1, { state: "closed", failures: 0 }],
  [{ state: "closed", failures: 0 }, "failed", 1, { state: "closed", failures: 1 }],
  [{ state: "closed", failures: 1 }, "failed", 1, { state: "open", until: 31 }],
  [{ state: "closed", failures: 1 }, "succeeded", 1, { state: "closed", failures: 0 }],
  [open, "asked", 99, open],
  [open, "asked", 100, { state: "half-open" }],
  [{ state: "half-open" }, "asked", 100, { state: "half-open" }],
  [{ state: "half-open" }, "succeeded", 105, { state: "closed", failures: 0 }],
  [{ state: "half-open" }, "failed", 105, { state: "open", until: 135 }],
])("%j, when it is %s at %i: %j", (before, happening, now, after) => {
  expect(afterwards(before, happening, now, settings)).toEqual(after);
});

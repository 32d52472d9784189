import { ValidationError } from "./errors.ts";

/** Milliseconds, or a number with a unit: `"100ms"`, `"30s"`, `"1m"`, `"12h"`, `"30d"`. */
export type Duration = number | string;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A duration in milliseconds.
 * @throws ValidationError `ERR_DURATION` if it is neither a finite number ≥ 0 nor a number with a unit.
 */
export function milliseconds(duration: Duration, name = "duration"): number {
  const [, amount, unit = ""] = typeof duration === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? [] : [];
  const ms = amount === undefined ? duration : Number(amount) * units[unit]!;
  if (typeof ms === "number" && ms >= 0 && ms < Infinity) return ms;
  throw new ValidationError("ERR_DURATION", `${name} must be milliseconds, or as "100ms", "30s", "1m", "12h" or "30d"; got ${typeof duration === "string" ? JSON.stringify(duration.slice(0, 64)) : typeof duration === "number" ? String(duration) : typeof duration}`, { details: { path: name } });
}

import { milliseconds, type Duration } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";

export function invalidOption(path: string, message: string): ValidationError {
  return new ValidationError("ERR_OPTION", `${path} ${message}`, { details: { path } });
}

/** Refuses options that nothing would heed. @param known their names */
export function checkOptions(options: unknown, known: string, of: string): asserts options is object {
  const names = known.split(" ");
  if (typeof options !== "object" || options === null) throw invalidOption("options", `of ${of} must be an object, such as { ${names[0]} }; got ${String(options)}`);
  for (const [name, value] of Object.entries(options)) if (value !== undefined && !names.includes(name)) throw invalidOption(name, `is no option of ${of}; there are ${names.join(", ")}`);
}

/**
 * Options in place of their defaults, which also say what there is, and of what kind: a number is a duration in ms if its name ends so, else a whole number, as
 * small as 1 unless the default is less, or no limit at all. The rest is the caller's to check.
 * @param path of the options, where they are within others
 */
export function readOptions<Defaults extends object>(given: unknown, defaults: Defaults, of: string, path = ""): Defaults {
  checkOptions(given, Object.keys(defaults).join(" "), of);
  const read = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    const fallback = read[name];
    if (value !== undefined) read[name] = /(imeout|Delay|Ttl)$/.test(name) ? milliseconds(value as Duration, path + name) : typeof fallback === "number" ? wholeNumber(value, path + name, 0, fallback > 0 && fallback < Infinity ? 1 : 0) : value;
  }
  return read as Defaults;
}

/** A whole number within bounds, or the default. */
export function wholeNumber(value: unknown, name: string, fallback: number, least = 1): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || (value as number) < least) throw invalidOption(name, `must be a whole number, ${least} or more`);
  return value as number;
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw invalidOption(name, `must be a function; got ${typeof value}`);
}

/** @throws ValidationError if it is no AbortSignal, its reason if it is aborted. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (typeof (signal as Partial<AbortSignal> | null)?.throwIfAborted !== "function") throw invalidOption("signal", "must be an AbortSignal, such as controller.signal");
  signal.throwIfAborted();
}

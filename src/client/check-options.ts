import { ValidationError } from "../core/errors.ts";

export function invalidOption(path: string, message: string): ValidationError {
  return new ValidationError("ERR_OPTION", `${path} ${message}`, { details: { path } });
}

/** Refuses options that nothing would heed. @param known their names */
export function checkOptions(options: unknown, known: string, of: string): asserts options is object {
  if (typeof options !== "object" || options === null) throw invalidOption("options", `of ${of} must be an object, such as { ${known.split(" ")[0]} }; got ${String(options)}`);
  const names = known.split(" ");
  for (const [name, value] of Object.entries(options)) if (value !== undefined && !names.includes(name)) throw invalidOption(name, `is not available in this version of ${of}; leave it out (there are ${names.join(", ")})`);
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
  if (typeof (signal as Partial<AbortSignal> | null)?.throwIfAborted !== "function") throw invalidOption("signal", "must be an AbortSignal; of an AbortController it is the property signal");
  signal.throwIfAborted();
}

import { ValidationError } from "../core/errors.ts";

export function invalidOption(path: string, message: string): ValidationError {
  return new ValidationError("ERR_OPTION", `${path} ${message}`, { details: { path } });
}

/**
 * Refuses options that nothing would heed.
 * @param known names, those of later versions with a `!` behind them.
 */
export function checkOptions(options: object | undefined, known: string, of: string): void {
  if (typeof options !== "object" && options !== undefined) throw invalidOption(of, "takes an object of options");
  const names = known.split(" ");
  for (const name in options) {
    if ((options as Record<string, unknown>)[name] === undefined || names.includes(name)) continue;
    const like = names.find((one) => one.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase());
    throw invalidOption(name, names.includes(`${name}!`) ? `is not available in this version; leave it out of ${of}` : `is no option of ${of}; ${like === undefined ? "there are" : "did you mean"} ${like ?? names.join(", ")}`);
  }
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

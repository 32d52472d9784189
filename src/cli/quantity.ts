import { usageError } from "./failure.ts";

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizes: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** `"500ms"`, `"5s"`, `"30d"` in milliseconds. A number alone is refused: whether it meant seconds nobody knows. */
export function readDuration(text: string, flag: string, command: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined || Number(amount) === 0) throw usageError(`${flag} is a time with its unit, as 500ms, 5s, 10m, 12h or 30d; got ${JSON.stringify(text)}`, command);
  return Number(amount) * durations[unit!]!;
}

/** `"64mb"`, `"1gb"` in bytes. */
export function readSize(text: string, flag: string, command: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(|b|kb|mb|gb)$/i.exec(text) ?? [];
  if (amount === undefined || Number(amount) === 0) throw usageError(`${flag} is a size, as 64mb or 1gb; got ${JSON.stringify(text)}`, command);
  return Math.round(Number(amount) * sizes[unit!.toLowerCase()]!);
}

/** A whole number within bounds. */
export function readCount(text: string, flag: string, command: string, [least, most]: readonly [number, number]): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < least || count > most) throw usageError(`${flag} is a whole number ${most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`}; got ${JSON.stringify(text)}`, command);
  return count;
}

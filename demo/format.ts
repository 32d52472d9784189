const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoDigits = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** `12,345` */
export const count = (value: number): string => whole.format(value);

/** Three figures or so: `0.42`, `4.2`, `42`, `4,200`. */
export function measure(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return whole.format(value);
  return size >= 10 ? oneDigit.format(value) : twoDigits.format(value);
}

export const decimal = (value: number): string => oneDigit.format(value);

/** `3.1 GB`, decimal units. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let rest = value;
  let unit = 0;
  while (rest >= 1_000 && unit < units.length - 1) {
    rest /= 1_000;
    unit++;
  }
  return `${unit === 0 || rest >= 100 ? whole.format(rest) : oneDigit.format(rest)} ${units[unit]!}`;
}

/** Local time with milliseconds: `14:03:07.042`. */
export function clockTime(time: Date): string {
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
}

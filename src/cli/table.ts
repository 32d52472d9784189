import { safe } from "./text.ts";

/** Rows under their titles, columns as wide as they need; what is longer than `widest` is cut, but in the last. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[], widest = 48): string {
  const cut = (text: string, i: number): string => (i < titles.length - 1 && text.length > widest ? `${text.slice(0, widest - 1)}…` : text);
  const cells = [titles, ...rows].map((row) => row.map((text, i) => cut(safe(text), i)));
  const widths = titles.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) => row.map((text, i) => text.padEnd(widths[i]!)).join("  ").trimEnd()).join("\n");
}

/** Rows of texts as columns: the first aligned left, the others right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("  ")).join("\n");
}

/** A number to be read: 1.24M, 318k, 0.0421. */
export function withUnit(value, digits) {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (digits !== undefined) return value.toFixed(digits);
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)}k`;
  return value.toPrecision(3);
}

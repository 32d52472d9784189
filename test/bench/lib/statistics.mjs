export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, smallest and largest of what the rounds brought. */
export function summary(values) {
  return { median: rounded(median(values)), min: rounded(Math.min(...values)), max: rounded(Math.max(...values)) };
}

/** A contender against another: both sides of each ratio come from the same round, so what disturbs a round disturbs both. */
export function ratioByRound(values, references) {
  return rounded(median(values.map((value, round) => value / references[round])));
}

/** p50 and p99. */
export function quantiles(values) {
  const sorted = Float64Array.from(values).sort();
  return { p50: sorted[Math.floor(sorted.length * 0.5)], p99: sorted[Math.floor(sorted.length * 0.99)] };
}

/** Four digits, or all of those before the point. */
export function rounded(value) {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}

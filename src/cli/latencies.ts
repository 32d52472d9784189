/** Milliseconds that half, 95 and 99 of a hundred, and all took at most. */
export interface Latencies { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number }

/** Of measured times; zeros if there are none. */
export function latencies(times: readonly number[]): Latencies {
  const sorted = Float64Array.from(times).sort();
  // The nearest rank: a time that was measured, none between two.
  const at = (share: number): number => Number((sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0).toFixed(2));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

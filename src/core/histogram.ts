/** Upper bounds of the buckets, in milliseconds; what took longer is in one more. */
export const BUCKETS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/** How long things took, counted in buckets: as much memory however many there were. */
export class Histogram {
  /** Of each bucket alone, and last of what was longer than all. */
  readonly counts = new Float64Array(BUCKETS.length + 1);
  /** Milliseconds. */
  sum = 0;
  count = 0;

  /** @param ms A clock that was set back makes nothing shorter than nothing. */
  observe(ms: number): void {
    const time = Math.max(ms, 0);
    let bucket = 0;
    while (bucket < BUCKETS.length && time > BUCKETS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += time;
    this.count++;
  }
}

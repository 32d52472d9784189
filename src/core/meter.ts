/** Events per second over the last ten whole seconds. */
export class Meter {
  readonly #now: () => number;
  readonly #counts = new Float64Array(11);
  #second = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#second = Math.floor(now() / 1_000);
  }

  add(count: number): void {
    this.#turn();
    this.#counts[this.#second % 11]! += count;
  }

  rate(): number {
    this.#turn();
    let sum = 0;
    this.#counts.forEach((count, i) => { if (i !== this.#second % 11) sum += count; });
    return sum / 10;
  }

  /** Empties the seconds that have passed since the last look; a clock that is set back just stays where it was. */
  #turn(): void {
    const second = Math.floor(this.#now() / 1_000);
    for (let steps = Math.min(second - this.#second, 11); steps > 0; steps--) this.#counts[(second - steps + 1) % 11] = 0;
    if (second > this.#second) this.#second = second;
  }
}

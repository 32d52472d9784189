/** A row that is taller than the others: its place from the top, and by how much (px). */
export type Taller = readonly [row: number, extra: number];

/** Where rows stand that are all of one height but for a few: no row is measured that is not on show. */
export class RowLayout {
  readonly #height: number;
  readonly #count: number;
  readonly #taller: readonly Taller[];

  /** @param taller in any order; rows that are not there count for nothing. */
  constructor(height: number, count: number, taller: readonly Taller[] = []) {
    this.#height = height;
    this.#count = count;
    this.#taller = taller.filter(([row]) => row >= 0 && row < count).sort(([a], [b]) => a - b);
  }

  /** Of all rows together (px). */
  get total(): number { return this.top(this.#count); }

  /** Where a row begins (px). */
  top(row: number): number {
    let top = row * this.#height;
    for (const [place, extra] of this.#taller) {
      if (place >= row) break;
      top += extra;
    }
    return top;
  }

  /** The row at this place (px); the first or last if it is outside. */
  at(y: number): number {
    let above = 0;
    for (const [place, extra] of this.#taller) {
      const top = place * this.#height + above;
      if (y < top) break;
      if (y < top + this.#height + extra) return place;
      above += extra;
    }
    return Math.min(Math.max(Math.floor((y - above) / this.#height), 0), Math.max(this.#count - 1, 0));
  }
}

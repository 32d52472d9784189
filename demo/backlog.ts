/** What a list keeps of one item. Keys rise, and are never used again. */
export interface Entry<T> {
  readonly key: number;
  readonly item: T;
  /** About how many characters it holds. */
  readonly size: number;
}

/** What is dropped leaves its place in the array until so many are gone: then it moves, once. */
const SLACK = 4_096;

/** The newest items, no more than a number and a size: when one more comes, the oldest go. */
export class Backlog<T> {
  readonly #most: number;
  readonly #largest: number;
  /** Oldest first; those before `#start` are dropped. */
  #entries: (Entry<T> | undefined)[] = [];
  #start = 0;
  #size = 0;

  constructor(most: number, largest: number) {
    this.#most = most;
    this.#largest = largest;
  }

  get length(): number { return this.#entries.length - this.#start; }

  push(entry: Entry<T>): void {
    this.#entries.push(entry);
    this.#size += entry.size;
    while (this.length > this.#most || (this.#size > this.#largest && this.length > 1)) this.#drop();
  }

  /** Puts some before all others; those that are older than them first. */
  unshift(older: readonly Entry<T>[]): void {
    this.#entries = [...older, ...this.#entries.slice(this.#start)];
    this.#start = 0;
    for (const { size } of older) this.#size += size;
    while (this.length > this.#most) this.#drop();
  }

  /** Row 0 is the newest. */
  at(row: number): Entry<T> | undefined {
    return row >= 0 && row < this.length ? this.#entries[this.#entries.length - 1 - row] : undefined;
  }

  /** The row of what has this key; -1 if it is not here. */
  rowOf(key: number): number {
    let [low, high] = [this.#start, this.#entries.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#entries[middle]!.key;
      if (found === key) return this.#entries.length - 1 - middle;
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #drop(): void {
    this.#size -= this.#entries[this.#start]!.size;
    this.#entries[this.#start++] = undefined;
    if (this.#start < SLACK) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}

import type { SavedWindow } from "./saved-session.ts";

/** What was sent together: the seqs and the running totals of their sizes. One slip serves all sessions that were sent the same. */
export interface Slip {
  readonly seqs: readonly number[];
  /** `sizes[i]`: size of the first i + 1 events. */
  readonly sizes: readonly number[];
}

/**
 * The credit of one reader: it may have so many events, of so much size, that it has not finished. An empty window takes one event of any size, so a
 * large one cannot stop a reader for ever.
 */
export class Window {
  readonly #maxEvents: number;
  readonly #maxSize: number;
  #events = 0;
  #size = 0;
  #slips: Slip[] = [];
  /** How many events of the first slip are done. */
  #done = 0;

  constructor(maxEvents: number, maxSize: number) {
    this.#maxEvents = maxEvents;
    this.#maxSize = maxSize;
  }

  get events(): number { return this.#events; }
  get open(): boolean { return this.#events < this.#maxEvents && this.#size < this.#maxSize; }
  get roomEvents(): number { return this.#maxEvents - this.#events; }
  get roomSize(): number { return this.#maxSize - this.#size; }

  /** Whether so many events of so much size fit now. */
  fits(events: number, size: number): boolean {
    return events <= this.roomEvents && (size <= this.roomSize || (this.#events === 0 && events === 1));
  }

  sent(slip: Slip): void {
    this.#slips.push(slip);
    this.#events += slip.seqs.length;
    this.#size += slip.sizes.at(-1) ?? 0;
  }

  /** All events up to this seq are finished; returns how many of them were not before. */
  finished(seq: number): number {
    const before = this.#events;
    let whole = 0;
    for (; whole < this.#slips.length; whole++) {
      const slip = this.#slips[whole]!;
      if (slip.seqs.at(-1)! > seq) {
        this.#settle(slip, countUpTo(slip.seqs, seq));
        break;
      }
      this.#settle(slip, slip.seqs.length);
      this.#done = 0;
    }
    if (whole > 0) this.#slips.splice(0, whole);
    return before - this.#events;
  }

  /** What is in flight. */
  save(): SavedWindow {
    const saved: number[] = [];
    let last = 0;
    this.#slips.forEach(({ seqs, sizes }, at) => {
      for (let i = at === 0 ? this.#done : 0; i < seqs.length; i++) {
        saved.push(seqs[i]! - last, sizes[i]! - (i === 0 ? 0 : sizes[i - 1]!));
        last = seqs[i]!;
      }
    });
    return saved;
  }

  /** What was in flight when it was saved. */
  restore(saved: SavedWindow): void {
    const seqs: number[] = [];
    const sizes: number[] = [];
    for (let i = 0; i + 1 < saved.length; i += 2) {
      seqs.push((seqs.at(-1) ?? 0) + saved[i]!);
      sizes.push((sizes.at(-1) ?? 0) + saved[i + 1]!);
    }
    if (seqs.length > 0) this.sent({ seqs, sizes });
  }

  #settle(slip: Slip, count: number): void {
    if (count <= this.#done) return;
    this.#events -= count - this.#done;
    this.#size -= slip.sizes[count - 1]! - (this.#done === 0 ? 0 : slip.sizes[this.#done - 1]!);
    this.#done = count;
  }
}

/** How many of the ascending numbers are not above the limit. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

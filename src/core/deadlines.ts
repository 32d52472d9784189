/** Things that are due at a time, soonest first (a binary heap). What is settled early is dropped when its time comes. */
export class Deadlines<T> {
  readonly #heap: { readonly at: number; readonly item: T }[] = [];

  /** When the soonest is due; null if there is none. */
  get next(): number | null { return this.#heap[0]?.at ?? null; }

  add(at: number, item: T): void {
    const heap = this.#heap;
    let child = heap.push({ at, item }) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (heap[parent]!.at <= heap[child]!.at) break;
      [heap[parent], heap[child]] = [heap[child]!, heap[parent]!];
      child = parent;
    }
  }

  /** Takes the soonest that is due at `now`; undefined if none is. */
  take(now: number): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.item;
  }

  /** When the soonest is due that is not settled; those before it are dropped, so that nobody is woken for nothing. */
  due(isOpen: (item: T) => boolean): number | null {
    while (this.#heap.length > 0 && !isOpen(this.#heap[0]!.item)) this.take(Infinity);
    return this.next;
  }

  get size(): number { return this.#heap.length; }

  /** Drops what is settled, so that soon settled things with far deadlines do not pile up. */
  keep(isOpen: (item: T) => boolean): void {
    const kept = this.#heap.filter(({ item }) => isOpen(item));
    this.#heap.length = 0;
    for (const { at, item } of kept) this.add(at, item);
  }

  #sink(): void {
    const heap = this.#heap;
    let parent = 0;
    for (;;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      let least = parent;
      if (left < heap.length && heap[left]!.at < heap[least]!.at) least = left;
      if (right < heap.length && heap[right]!.at < heap[least]!.at) least = right;
      if (least === parent) return;
      [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
      parent = least;
    }
  }
}

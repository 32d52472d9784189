interface Task { readonly at: number; readonly order: number; run: (() => void) | undefined }

/**
 * Virtual time. All that happens in a simulation is a task in this one queue, run in the order of its time and, within a time, of its coming; behind each
 * the promises that can go on have gone on. So nothing depends on how fast the machine is.
 */
export class Timeline {
  /** ms since the simulation began. */
  now = 0;
  /** Tasks that were run. */
  steps = 0;
  readonly #heap: Task[] = [];
  #order = 0;

  /** Runs a task once after `ms`; returns how to call it off. */
  after(ms: number, run: () => void): () => void {
    return this.at(this.now + ms, run);
  }

  /** Runs a task once at a time: what is planned for the same time runs in the order in which it was planned. */
  at(time: number, run: () => void): () => void {
    const task: Task = { at: Math.max(time, this.now), order: ++this.#order, run };
    this.#push(task);
    return () => { task.run = undefined; };
  }

  /** Lets time pass until `end`, or until a condition, looked at behind each task, holds. */
  async run(end: number, over: () => boolean = () => false): Promise<void> {
    for (let task = this.#take(end); task !== undefined; task = this.#take(end)) {
      if (task.run === undefined) continue;
      this.now = task.at;
      this.steps++;
      task.run();
      await promises();
      if (over()) return;
    }
    this.now = Math.max(this.now, end);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let child = heap.push(task) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child]!, heap[parent]!)) break;
      [heap[parent], heap[child]] = [heap[child]!, heap[parent]!];
      child = parent;
    }
  }

  #take(end: number): Task | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > end) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let parent = 0; ;) {
        let least = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2]) if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
        if (least === parent) break;
        [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
        parent = least;
      }
    }
    return first;
  }
}

const isBefore = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Resolves when all promises that can go on have gone on: no timer and no I/O is involved. */
function promises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

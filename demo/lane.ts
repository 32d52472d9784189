/** One direction of a slow wire: what goes in comes out in its order, so long later. A delay that is made shorter overtakes nothing. */
export class Lane {
  #queue: { readonly due: number; readonly deliver: () => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  put(deliver: () => void, delay: number): void {
    const last = this.#queue.at(-1)?.due ?? 0;
    this.#queue.push({ due: Math.max(last, performance.now() + delay), deliver });
    if (this.#timer === undefined) this.#wait();
  }

  /** What is on its way is lost. */
  clear(): void {
    this.#queue = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(): void {
    const next = this.#queue[0];
    this.#timer = next === undefined ? undefined : setTimeout(() => this.#run(), next.due - performance.now());
  }

  #run(): void {
    const now = performance.now();
    while (this.#queue.length > 0 && this.#queue[0]!.due <= now) this.#queue.shift()!.deliver();
    this.#wait();
  }
}

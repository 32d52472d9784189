/** A promise that is made when someone asks for it: a failure that nobody waits for is no unhandled rejection. */
export class Ready<T> {
  #state: { readonly state: "open" } | { readonly state: "done"; readonly value: T } | { readonly state: "failed"; readonly error: unknown } = { state: "open" };
  #promise: Promise<T> | undefined;
  #waiter: { resolve(value: T): void; reject(error: unknown): void } | undefined;

  /** Whether someone has asked for the promise. */
  get asked(): boolean { return this.#promise !== undefined; }
  get settled(): boolean { return this.#state.state === "done"; }

  get promise(): Promise<T> {
    return (this.#promise ??= new Promise<T>((resolve, reject) => {
      if (this.#state.state === "done") resolve(this.#state.value);
      else if (this.#state.state === "failed") reject(this.#state.error);
      else this.#waiter = { resolve, reject };
    }));
  }

  resolve(value: T): void {
    if (this.#state.state !== "open") return;
    this.#state = { state: "done", value };
    this.#waiter?.resolve(value);
  }

  /** After `resolve` it changes nothing. */
  reject(error: unknown): void {
    if (this.#state.state !== "open") return;
    this.#state = { state: "failed", error };
    this.#waiter?.reject(error);
  }
}

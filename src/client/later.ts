import { asError, ConnectionError, type EventRouterError } from "../core/errors.ts";

/** Why code has not come, as one of the family. */
export function notLoaded(thrown: unknown): EventRouterError {
  return asError(thrown, (cause) => new ConnectionError("ERR_CODE", "code of the client could not be loaded; is the network there?", { retryable: true, cause }));
}

/** A part that few need, loaded when it is first asked for. What is asked of it meanwhile is done in its order, at once when it has come. */
export class Later<T> {
  /** Undefined until it has come. */
  part: T | undefined;
  /** Resolves when what was asked is begun, or has failed; undefined while nothing is on its way. */
  loading: Promise<void> | undefined;
  readonly #load: () => Promise<T>;
  #asked: { run(part: T): void; reject(error: unknown): void }[] = [];

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  use<R>(run: (part: T) => R | Promise<R>): Promise<R> {
    // Begins in this call, and what it throws is a rejection.
    const begin = async (part: T): Promise<R> => run(part);
    if (this.part !== undefined) return begin(this.part);
    return new Promise((resolve, reject) => {
      this.#asked.push({ run: (part) => resolve(begin(part)), reject });
      this.loading ??= this.#load().then((part) => {
        this.part = part;
        for (const one of this.#asked.splice(0)) one.run(part);
      }).catch((thrown: unknown) => {
        for (const one of this.#asked.splice(0)) one.reject(notLoaded(thrown));
      }).then(() => { this.loading = undefined; });
    });
  }
}

import { asError, ConnectionError, type EventRouterError } from "../core/errors.ts";

/** Why code has not come, as one of the family. */
export function notLoaded(thrown: unknown): EventRouterError {
  return asError(thrown, (cause) => new ConnectionError("ERR_CODE", "its code could not be loaded; is the network there? If its files were replaced, reload", { retryable: true, cause }));
}

/** A part that is loaded when it is first asked for. What is asked of it meanwhile is done in its order, at once when it has come. */
export class Later<T> {
  /** Undefined until it has come. */
  part: T | undefined;
  /** Resolves when what was asked is begun, or the code has not come; undefined while nothing is on its way. */
  loading: Promise<void> | undefined;
  readonly #load: () => Promise<T>;
  readonly #waits: (error: EventRouterError) => boolean;
  #asked: { run(part: T): void; reject(error: unknown): void }[] = [];

  /** @param waits told why the code has not come; says whether what was asked waits on, for `load` to be called again. Else it is refused, and who asks next makes it try again. */
  constructor(load: () => Promise<T>, waits: (error: EventRouterError) => boolean = () => false) {
    this.#load = load;
    this.#waits = waits;
  }

  use<R>(run: (part: T) => R | Promise<R>): Promise<R> {
    // Begins in this call, and what it throws is a rejection. Not an async function: that would wait three turns for a promise it returns.
    const begin = (part: T): Promise<R> => {
      try {
        return Promise.resolve(run(part));
      } catch (error) {
        return Promise.reject(error as Error);
      }
    };
    if (this.part !== undefined) return begin(this.part);
    return new Promise((resolve, reject) => {
      this.#asked.push({ run: (part) => resolve(begin(part)), reject });
      this.load();
    });
  }

  /** Once: what was planned before it came may ask again behind that. */
  load(): void {
    if (this.part === undefined) this.loading ??= this.#load().then((part) => {
      this.part = part;
      this.loading = undefined;
      for (const one of this.#asked.splice(0)) one.run(part);
    }).catch((thrown: unknown) => {
      // First, so that who is refused may ask again at once.
      this.loading = undefined;
      const error = notLoaded(thrown);
      if (!this.#waits(error)) this.refuse(error);
    });
  }

  /** What was asked is not done. */
  refuse(error: EventRouterError): void {
    for (const one of this.#asked.splice(0)) one.reject(error);
  }
}

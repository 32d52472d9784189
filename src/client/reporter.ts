import type { RouterEvent } from "../core/event.ts";

/** With the event it is about: a handler's, or one that `publishNowait` could not publish (`pending`, it has no seq). */
export type ErrorListener = (error: unknown, event?: RouterEvent) => void;

/** Where messages for people go; `console` is one. */
export interface Logger { error(...what: unknown[]): void }

/** Takes every failure that no one else handles: to all listeners, or if there is none, to the log, once. */
export class Reporter {
  readonly #logger: Logger;
  readonly #listeners = new Set<ErrorListener>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  listen(listener: ErrorListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  readonly report = (error: unknown, event?: RouterEvent): void => {
    if (this.#listeners.size === 0) this.#logger.error(error);
    for (const listener of this.#listeners) {
      try {
        listener(error, event);
      } catch (thrown) {
        this.#logger.error(thrown);
      }
    }
  };
}

import type { Shell } from "./shell.ts";

/** Space holds up what a command shows, and lets it go on; `q` ends it. Nothing is lost meanwhile: the router keeps what is not asked for. */
export class Pause implements Disposable {
  /** Whether there is a keyboard. */
  readonly possible: boolean;
  readonly #shell: Pick<Shell, "note">;
  readonly #release: (() => void) | undefined;
  #held: PromiseWithResolvers<void> | undefined;

  /** @param quit `q` was pressed. */
  constructor(shell: Pick<Shell, "note" | "keys" | "stop">, quit: () => void) {
    this.#shell = shell;
    this.#release = shell.keys((key) => {
      if (key === " ") this.#toggle();
      else if (key === "q") quit();
    });
    this.possible = this.#release !== undefined;
    shell.stop.addEventListener("abort", () => this.#held?.resolve());
  }

  /** Resolves at once, or when it goes on. */
  get over(): Promise<void> | undefined { return this.#held?.promise; }

  [Symbol.dispose](): void {
    this.#release?.();
    this.#held?.resolve();
  }

  #toggle(): void {
    if (this.#held === undefined) {
      this.#held = Promise.withResolvers();
      this.#shell.note("event-router: paused; space goes on, q ends it");
    } else {
      this.#held.resolve();
      this.#held = undefined;
      this.#shell.note("event-router: going on");
    }
  }
}

import type { Clock } from "../../core/clock.ts";

/** What the tabs of an origin have in common. */
export interface Tabs {
  /** As `navigator.locks.request`. */
  lock(name: string, options: { readonly steal?: boolean; readonly signal?: AbortSignal }, run: () => Promise<void>): Promise<unknown>;
  channel(name: string): TabChannel;
}

export interface TabChannel {
  post(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
  close(): void;
}

export interface LeadershipOptions {
  readonly tabs: Tabs | undefined;
  readonly name: string;
  readonly clock: Clock;
  /** Whether something waits for the leader's work. */
  wanted(): boolean;
  ask(): void;
  began(): void;
  ended(): void;
}

/** How often a leader is asked for a sign of life while its work waits, ms; after two questions without an answer it is replaced. */
const ASK = 450;

/**
 * One of the tabs that are connected sends for all: who holds a Web Lock. A tab that is closed, or loses its connection, lets go of it. One that was frozen does
 * not: its lock is taken away. If it wakes, and sends what others have sent, that is stored once all the same.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  #attempt: { readonly stop: AbortController; readonly held: PromiseWithResolvers<void> } | undefined;
  #unanswered = 0;
  #asking = false;
  leading = false;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** From now on this tab can lead. */
  seek(): void {
    if (this.#attempt !== undefined || this.leading) return;
    if (this.#options.tabs === undefined) return this.#begin();
    this.#request(false);
    this.watch();
  }

  resign(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.stop.abort();
    attempt?.held.resolve();
    if (!this.leading) return;
    this.leading = false;
    this.#options.ended();
  }

  /** The leader has answered. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** Something waits: sees to it that there is a leader. */
  watch(): void {
    if (this.#asking || this.leading || this.#attempt === undefined || !this.#options.wanted()) return;
    this.#asking = true;
    this.#options.ask();
    this.#options.clock.after(ASK, () => {
      this.#asking = false;
      if (this.leading || this.#attempt === undefined || !this.#options.wanted()) {
        this.#unanswered = 0;
        return;
      }
      if (++this.#unanswered >= 2) {
        this.#unanswered = 0;
        const stuck = this.#attempt;
        this.#attempt = undefined;
        stuck.stop.abort();
        this.#request(true);
      }
      this.watch();
    });
  }

  #request(steal: boolean): void {
    const attempt = { stop: new AbortController(), held: Promise.withResolvers<void>() };
    this.#attempt = attempt;
    const over = (): void => {
      if (this.#attempt !== attempt) return;
      // Taken away.
      this.#attempt = undefined;
      if (this.leading) {
        this.leading = false;
        this.#options.ended();
      }
      this.seek();
    };
    this.#options.tabs!.lock(this.#options.name, steal ? { steal } : { signal: attempt.stop.signal }, async () => {
      if (this.#attempt !== attempt) return;
      this.#begin();
      await attempt.held.promise;
    }).then(over, over);
  }

  #begin(): void {
    this.leading = true;
    this.#options.began();
  }
}

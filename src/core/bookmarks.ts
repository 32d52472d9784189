import type { Log } from "./store.ts";

/** Milliseconds until a failed write is tried again. */
const RETRY = 1_000;

/**
 * Bookmarks that change often: written together a moment later, so that acks do not cost a transaction each. What a crash takes is the last moment's
 * progress: its events come again (P2). What must be kept before something else is done is written at once, by `write`.
 */
export class Bookmarks {
  readonly #log: Log;
  readonly #delay: number;
  readonly #defer: (callback: () => void) => void;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #failed: (error: unknown) => void;
  /** What changed, and how to tell its value when it is written. */
  readonly #dirty = new Map<string, () => string | undefined>();
  #due: number | null = null;
  #writing: Promise<void> | undefined;

  /** @param options.delay ms from a change to its write; 0: when the turn is over */
  constructor(options: { log: Log; delay: number; defer(callback: () => void): void; now(): number; wakeBy(time: number): void; failed(error: unknown): void }) {
    this.#log = options.log;
    this.#delay = options.delay;
    this.#defer = options.defer;
    this.#now = options.now;
    this.#wakeBy = options.wakeBy;
    this.#failed = options.failed;
  }

  /** As it will be when all that was noted is written. */
  async read(key: string): Promise<string | undefined> {
    const noted = this.#dirty.get(key);
    if (noted !== undefined) return noted();
    await this.#writing;
    return this.#log.readBookmark(key);
  }

  list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]> {
    return this.#log.listBookmarks(prefix);
  }

  /** The value is asked for when it is written. */
  changed(key: string, value: () => string | undefined): void {
    const first = this.#dirty.size === 0;
    this.#dirty.set(key, value);
    if (this.#delay > 0) this.#plan(this.#delay);
    else if (first) this.#defer(() => void this.flush());
  }

  /** Writes one now; what was noted of it before is void. */
  async write(key: string, value: string | undefined): Promise<void> {
    this.#dirty.delete(key);
    await this.#writing;
    await this.#log.writeBookmarks([[key, value]]);
  }

  tick(now: number): number | null {
    if (this.#due !== null && now >= this.#due) {
      this.#due = null;
      void this.flush();
    }
    return this.#due;
  }

  /** Writes what has changed. Failures are told, and tried again by `tick`. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#dirty.size === 0) return;
    const entries = [...this.#dirty];
    this.#dirty.clear();
    this.#writing = this.#write(entries);
    await this.#writing;
  }

  async #write(entries: readonly (readonly [string, () => string | undefined])[]): Promise<void> {
    try {
      await this.#log.writeBookmarks(entries.map(([key, value]) => [key, value()]));
    } catch (error) {
      for (const [key, value] of entries) if (!this.#dirty.has(key)) this.#dirty.set(key, value);
      this.#plan(RETRY);
      this.#failed(error);
    } finally {
      this.#writing = undefined;
    }
  }

  #plan(delay: number): void {
    if (this.#due !== null) return;
    this.#due = this.#now() + delay;
    this.#wakeBy(this.#due);
  }
}

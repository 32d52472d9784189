import type { Log } from "./store.ts";

/** What a log may keep; whichever is reached first. Nothing named: everything is kept. */
export interface RetentionPolicy {
  /** Milliseconds. */
  readonly maxAge?: number;
  readonly maxEvents?: number;
  /** UTF-16 units of the events' text: bytes, for ASCII. */
  readonly maxBytes?: number;
  /** Milliseconds between two looks for events that are too old; default: a twentieth of `maxAge`, at least 1 s and at most a minute. */
  readonly checkEvery?: number;
}

/** How far over its limit a log may grow before it is trimmed between two ticks, as a part of the limit. */
const SLACK = 1 / 16;

/** Trims a log to its policy. Readers who were further behind are told by a gap. */
export class Retention {
  readonly #log: Log;
  readonly #policy: RetentionPolicy;
  readonly #failed: (error: unknown) => void;
  readonly #before: (upTo: number) => Promise<void>;
  #trimming = false;
  #next = 0;

  /** @param before what must be done before the log loses its events up to a seq */
  constructor(log: Log, policy: RetentionPolicy, failed: (error: unknown) => void, before: (upTo: number) => Promise<void> = async () => {}) {
    this.#log = log;
    this.#policy = policy;
    this.#failed = failed;
    this.#before = before;
  }

  /** After each commit: age can wait for the tick, growth cannot. */
  appended(): void {
    const { maxEvents = Infinity, maxBytes = Infinity } = this.#policy;
    const { events, size } = this.#log.extent;
    if (events > maxEvents * (1 + SLACK) || size > maxBytes * (1 + SLACK)) void this.#trim(0);
  }

  /** Returns when to be called again. */
  tick(now: number): number | null {
    const { maxAge, checkEvery } = this.#policy;
    if (maxAge === undefined) return null;
    if (now >= this.#next) {
      void this.#trim(now);
      this.#next = now + (checkEvery ?? Math.min(Math.max(maxAge / 20, 1_000), 60_000));
    }
    return this.#next;
  }

  async #trim(now: number): Promise<void> {
    if (this.#trimming) return;
    this.#trimming = true;
    try {
      const log = this.#log;
      const { maxAge, maxEvents = Infinity, maxBytes = Infinity } = this.#policy;
      let upTo = now > 0 && maxAge !== undefined ? await log.seqBefore(now - maxAge) : 0;
      upTo = Math.max(upTo, log.head - maxEvents);
      if (log.extent.size > maxBytes) upTo = Math.max(upTo, await this.#firstOver(maxBytes));
      // A log that others write too may have more than was reported here: what is not known yet cannot be carried on.
      upTo = Math.min(upTo, log.head);
      if (upTo < log.first) return;
      await this.#before(upTo);
      await log.trim(upTo);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#trimming = false;
    }
  }

  /** The last seq that must go so that the rest is within the size. */
  async #firstOver(maxBytes: number): Promise<number> {
    const log = this.#log;
    let over = log.extent.size - maxBytes;
    let seq = log.first - 1;
    while (over > 0 && seq < log.head) {
      for (const event of await log.read(seq, { events: 1_024, size: 1024 * 1024 })) {
        if (over <= 0) break;
        over -= event.size;
        seq = event.seq;
      }
    }
    return seq;
  }
}

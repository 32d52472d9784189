import type { Reader } from "../reader.ts";

/** ms that the routers have to find a subscription. */
const PATIENCE = 1_000;

/** A subscription of another router's client: the session that is vouched for, and the number. */
export interface Found { readonly reader: Reader; readonly id: number }

/** Looks among the other routers' clients for the subscription that a dead letter is of. */
export class Seeking {
  readonly #say: (word: readonly unknown[]) => void;
  readonly #now: () => number;
  readonly #wakeBy: (time: number) => void;
  readonly #open = new Map<string, { readonly until: number; resolve(found: Found | undefined): void }>();

  constructor(options: { say(word: readonly unknown[]): void; now(): number; wakeBy(time: number): void }) {
    this.#say = options.say;
    this.#now = options.now;
    this.#wakeBy = options.wakeBy;
  }

  seek(subscription: string, letter: string): Promise<Found | undefined> {
    return new Promise((resolve) => {
      const until = this.#now() + PATIENCE;
      this.#open.get(letter)?.resolve(undefined);
      this.#open.set(letter, { until, resolve });
      this.#wakeBy(until);
      this.#say(["seek", subscription, letter]);
    });
  }

  /** A session that is vouched for has it. The first one gets it. */
  found(letter: string, found: Found): void {
    this.#open.get(letter)?.resolve(found);
    this.#open.delete(letter);
  }

  tick(now: number): number | null {
    let next: number | null = null;
    for (const [letter, { until, resolve }] of this.#open) {
      if (now < until) next = Math.min(next ?? Infinity, until);
      else {
        this.#open.delete(letter);
        resolve(undefined);
      }
    }
    return next;
  }
}

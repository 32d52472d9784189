import { seeded } from "../support/fake-surroundings.ts";

/** A stream of seeded randomness. Each concern has its own, so that leaving out a fault does not change what the others draw. */
export class Random {
  readonly next: () => number;

  constructor(seed: number, concern: string) {
    let hash = seed | 0;
    for (let i = 0; i < concern.length; i++) hash = Math.imul(hash ^ concern.charCodeAt(i), 0x01000193);
    this.next = seeded(Math.imul(hash ^ (seed + 0x9e3779b9), 0x85ebca6b));
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number { return from + Math.floor(this.next() * (to - from + 1)); }
  chance(share: number): boolean { return this.next() < share; }
  one<T>(list: readonly T[]): T { return list[Math.floor(this.next() * list.length)]!; }
  /** One of several, each with its weight. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) if ((at -= weight) < 0) return value;
    return choices.at(-1)![1];
  }
  /** Mostly small, seldom large: delays. */
  skewed(from: number, to: number): number { return from + (to - from) * this.next() ** 3; }
  readonly bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => Math.floor(this.next() * 256));
}

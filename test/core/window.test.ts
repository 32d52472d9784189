import fc from "fast-check";
import { expect, test } from "vitest";
import { Window, type Slip } from "../../src/core/window.ts";

/** The window as one would write it without a thought of speed. */
class NaiveWindow {
  readonly #maxEvents: number;
  readonly #maxSize: number;
  #sent: { readonly seq: number; readonly size: number }[] = [];

  constructor(maxEvents: number, maxSize: number) {
    this.#maxEvents = maxEvents;
    this.#maxSize = maxSize;
  }

  get events(): number { return this.#sent.length; }
  get size(): number { return this.#sent.reduce((sum, { size }) => sum + size, 0); }
  get open(): boolean { return this.events < this.#maxEvents && this.size < this.#maxSize; }
  fits(events: number, size: number): boolean {
    return this.events + events <= this.#maxEvents && (this.size + size <= this.#maxSize || (this.events === 0 && events === 1));
  }
  sent(events: readonly { seq: number; size: number }[]): void { this.#sent.push(...events); }
  finished(seq: number): number {
    const before = this.events;
    this.#sent = this.#sent.filter((one) => one.seq > seq);
    return before - this.events;
  }
}

function slipOf(events: readonly { seq: number; size: number }[]): Slip {
  let total = 0;
  return { seqs: events.map(({ seq }) => seq), sizes: events.map(({ size }) => (total += size)) };
}

const command = fc.oneof(
  fc.record({ send: fc.array(fc.record({ hole: fc.integer({ min: 0, max: 3 }), size: fc.integer({ min: 1, max: 60 }) }), { minLength: 1, maxLength: 6 }) }),
  fc.record({ finish: fc.double({ min: -0.2, max: 1.3, noNaN: true }) }),
);

test("[P11] accounts exactly as a plain list of what is un-acked does, whatever is sent and finished", () => {
  fc.assert(fc.property(fc.array(command, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 }), (commands, maxEvents, maxSize) => {
    const window = new Window(maxEvents, maxSize);
    const naive = new NaiveWindow(maxEvents, maxSize);
    let last = 0;
    for (const one of commands) {
      if ("send" in one) {
        const events = one.send.map(({ hole, size }) => ({ seq: (last += hole + 1), size }));
        window.sent(slipOf(events));
        naive.sent(events);
      } else {
        const seq = Math.round(one.finish * last);
        expect(window.finished(seq)).toBe(naive.finished(seq));
      }
      expect(window.events).toBe(naive.events);
      expect(window.roomEvents).toBe(maxEvents - naive.events);
      expect(window.roomSize).toBe(maxSize - naive.size);
      expect(window.open).toBe(naive.open);
      for (const [events, size] of [[1, 1], [1, maxSize], [1, maxSize + 1], [2, maxSize + 1], [maxEvents, 1], [maxEvents - naive.events, maxSize - naive.size]] as const) {
        expect(window.fits(events, size)).toBe(naive.fits(events, size));
      }
    }
    window.finished(last);
    expect([window.events, window.roomSize]).toEqual([0, maxSize]);
  }), { numRuns: 400 });
});

test("a slip that several windows share is not changed by one of them", () => {
  const slip: Slip = Object.freeze({ seqs: Object.freeze([1, 2, 5]), sizes: Object.freeze([10, 30, 60]) });
  const [one, other] = [new Window(10, 100), new Window(10, 100)];
  one.sent(slip);
  other.sent(slip);
  expect(one.finished(2)).toBe(2);
  expect([one.events, one.roomSize]).toEqual([1, 70]);
  expect([other.events, other.roomSize]).toEqual([3, 40]);
});

test("an empty window takes one event of any size, and then nothing until that is done", () => {
  const window = new Window(10, 100);
  expect(window.fits(1, 5_000)).toBe(true);
  expect(window.fits(2, 5_000)).toBe(false);
  window.sent({ seqs: [1], sizes: [5_000] });
  expect(window.open).toBe(false);
  expect(window.fits(1, 1)).toBe(false);
  window.finished(1);
  expect(window.fits(1, 100)).toBe(true);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { countAbove, hasSeen, withNumber, withSingle, type RunMark } from "../../src/stores/run-mark.ts";

const after = (numbers: readonly number[]) => {
  let mark: RunMark | undefined;
  for (const [index, number] of numbers.entries()) if (mark === undefined || !hasSeen(mark, number)) mark = withNumber(mark, number, index + 1);
  return mark;
};

test("[P4] a mark knows exactly the numbers that came, in whatever order", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), (numbers) => {
    const mark = after(numbers)!;
    const came = new Set(numbers);
    for (let number = 1; number <= 45; number++) {
      expect(hasSeen(mark, number)).toBe(came.has(number));
      expect(Math.max(0, countAbove(mark, number))).toBe([...came].filter((one) => one > number).length);
    }
  }), { numRuns: 300 });
});

test("[P11] a run without holes is one number, and holes are bounded: the oldest count as seen", () => {
  expect(after([1, 2, 3, 4])).toEqual({ top: 4, seq: 4, missing: [], singles: false });
  const mark = after(Array.from({ length: 100 }, (_, index) => index * 2 + 1))!;
  expect(mark.missing.length).toBe(32);
  expect([hasSeen(mark, 2), hasSeen(mark, 198), hasSeen(mark, 199)]).toEqual([true, false, true]);
});

test("ids that came one by one leave the run as it is", () => {
  const mark = withSingle(undefined);
  expect([hasSeen(mark, 1), mark.singles]).toEqual([false, true]);
  expect(withNumber(mark, 1, 7)).toEqual({ top: 1, seq: 7, missing: [], singles: true });
});

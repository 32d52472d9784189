/**
 * What is remembered of one publisher instance's running numbers (P4): the highest, and the few below it that never came.
 * The exceptions are what keeps a mark honest: after a failed write, later numbers may be stored before the failed ones are sent again,
 * and these are then new, not repeats.
 */
export interface RunMark {
  /** Highest number; 0 if none came in a run. */
  readonly top: number;
  /** Seq of the event that came last. */
  readonly seq: number;
  /** Numbers below `top` that were passed over, as inclusive ranges, ascending. */
  readonly missing: readonly NumberRange[];
  /** Some of the instance's ids came without a run and are kept one by one. */
  readonly singles: boolean;
}

export type NumberRange = readonly [from: number, to: number];

/** Ranges kept in a mark. The oldest go first: a number passed over so many failures ago counts as seen. */
const MOST_RANGES = 32;

const unmarked: RunMark = { top: 0, seq: 0, missing: [], singles: false };

export function hasSeen({ top, missing }: RunMark, number: number): boolean {
  return number <= top && !missing.some(([from, to]) => from <= number && number <= to);
}

/** How many numbers above this one have come. */
export function countAbove({ top, missing }: RunMark, number: number): number {
  let count = top - number;
  for (const [from, to] of missing) count -= Math.max(0, to - Math.max(from, number + 1) + 1);
  return count;
}

/** The mark after a number that had not been seen. */
export function withNumber(mark: RunMark = unmarked, number: number, seq: number): RunMark {
  const { top, missing, singles } = mark;
  if (number === top + 1) return { top: number, seq, missing, singles };
  const ranges = number > top ? [...missing, [top + 1, number - 1] as const] : missing.flatMap((range) => without(range, number));
  return { top: Math.max(top, number), seq, missing: ranges.slice(-MOST_RANGES), singles };
}

/** The mark after an id that came without a run. */
export function withSingle(mark: RunMark = unmarked): RunMark {
  return mark.singles ? mark : { ...mark, singles: true };
}

function without(range: NumberRange, number: number): NumberRange[] {
  const [from, to] = range;
  if (number < from || number > to) return [range];
  return ([[from, number - 1], [number + 1, to]] as const).filter(([a, b]) => a <= b);
}

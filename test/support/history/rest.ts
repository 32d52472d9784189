import type { Figure, History } from "../history.ts";

/** At most one answer reaches the caller, it is that of its own request, and nothing is carried out twice (P7). */
export function* P7({ questions = [] }: History): Iterable<string> {
  for (const { key, answers, carriedOut } of questions) {
    if (answers.length > 1) yield `request ${key} was answered ${answers.length} times`;
    for (const answer of answers) if (answer !== key) yield `request ${key} got the answer to ${answer}`;
    if (carriedOut > 1) yield `request ${key} was carried out ${carriedOut} times`;
    if (answers.length > carriedOut) yield `request ${key} was answered and not carried out`;
  }
}

/** Counters agree with the log. */
export function* I12({ counters = [] }: History): Iterable<string> {
  yield* differing(counters);
}

/** Faults off: the backlog is empty. */
export function* I13({ backlog = [] }: History): Iterable<string> {
  yield* differing(backlog);
}

/** Memory is bounded. */
export function* I14({ peaks = [] }: History): Iterable<string> {
  for (const { name, value, should } of peaks) if ((value as number) > (should as number)) yield `${name} was ${String(value)}, at most ${String(should)} are allowed`;
}

function* differing(figures: readonly Figure[]): Iterable<string> {
  for (const { name, value, should } of figures) if (value !== should) yield `${name} is ${String(value)}, not ${String(should)}`;
}

import type { Figure, History } from "../history.ts";
import { livesOf, placed, trimmedOf } from "./parts.ts";

/** At most one answer reaches the caller, it is that of its own request, and nothing is carried out twice (P7). */
export function* P7({ questions = [] }: History): Iterable<string> {
  for (const { key, answers, carriedOut } of questions) {
    if (answers.length > 1) yield `request ${key} was answered ${answers.length} times`;
    for (const answer of answers) if (answer !== key) yield `request ${key} got the answer to ${answer}`;
    if (carriedOut > 1) yield `request ${key} was carried out ${carriedOut} times`;
    if (answers.length > carriedOut) yield `request ${key} was answered and not carried out`;
  }
}

/** Each event of a group ends: acknowledged, dead, or gone with a reason. What is given was asked for and is in the log. */
export function* I11(history: History): Iterable<string> {
  const { log, crews = [] } = history;
  const lives = new Map(livesOf(history).map(({ epoch, events }) => [epoch, events]));
  for (const { name, wants, after, spares, given, done, gaps, dead } of crews) {
    for (const event of given) {
      if (!wants(event)) yield `${name} was given ${placed(event)}, for which it had not asked`;
      const there = lives.get(event.epoch)?.[event.seq - 1];
      if (there === undefined || placed(there) !== placed(event)) yield `${name} was given ${placed(event)}, which is not in the log`;
    }
    const begin = after(log.epoch);
    if (begin === undefined) continue;
    const handled = new Set(done.filter(({ epoch }) => epoch === log.epoch).map(({ seq }) => seq));
    for (const event of log.events) {
      const { seq } = event;
      if (seq <= begin || seq <= trimmedOf(log) || !wants(event) || handled.has(seq) || dead.has(seq) || spares?.(event) === true) continue;
      if (!gaps.some((gap) => gap.epoch === log.epoch && gap.from <= seq && seq <= (gap.to ?? Infinity))) yield `${name} has not finished ${placed(event)}`;
    }
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

import type { RegexCompiler } from "./filter.ts";

/**
 * Steps of the automaton that the expressions of a filter may take for one event: some milliseconds. Most take none, as a state once met is looked up; only
 * an expression that meets ever new ones pays, and a longer text makes it pay longer.
 */
const STEPS = 120_000;

/** Makes a test of a text, which takes what it costs off a budget. */
export type BudgetedCompiler = (source: string, flags: string, budget: { left: number }) => (text: string) => boolean;

/** What the regular expressions of one filter may still cost, so that no text of one client can hold up the router for all. */
export class RegexBudget {
  left = STEPS;
  /** Whether there is an expression at all. */
  used = false;
  readonly compile: RegexCompiler;

  constructor(compiler: BudgetedCompiler) {
    this.compile = (source, flags) => {
      this.used = true;
      return compiler(source, flags, this);
    };
  }

  /** As much as at first: for the next event. */
  refill(): void {
    this.left = STEPS;
  }
}

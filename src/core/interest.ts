import { ValidationError } from "./errors.ts";
import { compileFilter, type Filter, type Predicate } from "./filter.ts";
import type { LogEvent } from "./log-event.ts";
import { matchesPattern } from "./pattern.ts";
import { type BudgetedCompiler, RegexBudget } from "./regex-budget.ts";
import { isDeeper } from "./validate-event.ts";

/** Levels of JSON that no sound filter reaches: what is deeper is not even looked at. */
const DEEPEST = 128;

/** What is asked for: patterns and a filter. All cursors that ask for the same share one, so an event is matched once for all of them. */
export class Interest {
  readonly key: string;
  readonly id: number;
  /** Each once, in alphabetical order. */
  readonly topics: readonly string[];
  readonly filter: Filter | undefined;
  readonly accepts: Predicate | undefined;
  /** How many cursors share it. */
  cursors = 0;
  /** The last event that could not be tested, as the filter's regular expressions would have taken too long. */
  untestable: object | undefined;

  constructor(key: string, id: number, topics: readonly string[], filter: Filter | undefined, accepts: Predicate | undefined) {
    this.key = key;
    this.id = id;
    this.topics = topics;
    this.filter = filter;
    this.accepts = accepts;
  }

  /** Whether an event from anywhere in the log is asked for. */
  matches(event: LogEvent): boolean {
    return this.topics.some((pattern) => matchesPattern(pattern, event.type)) && (this.accepts === undefined || this.accepts(event));
  }
}

/** The interests of a namespace by what they ask for. */
export class Interests {
  readonly #all = new Map<string, Interest>();
  readonly #regex: BudgetedCompiler;
  readonly #maxNodes: number;
  readonly #added: (interest: Interest) => void;
  readonly #removed: (interest: Interest) => void;
  readonly #costly: (interest: Interest, error: ValidationError) => void;
  #lastId = 0;

  /** @param options.costly an event could not be tested, as the filter's regular expressions would take too long; it counts as not asked for */
  constructor(options: { regex: BudgetedCompiler; maxNodes: number; added(interest: Interest): void; removed(interest: Interest): void; costly(interest: Interest, error: ValidationError): void }) {
    this.#regex = options.regex;
    this.#costly = options.costly;
    this.#maxNodes = options.maxNodes;
    this.#added = options.added;
    this.#removed = options.removed;
  }

  /** @throws ValidationError if the filter is malformed. */
  acquire(topics: readonly string[], filter: Filter | undefined): Interest {
    if (isDeeper(filter, DEEPEST)) throw new ValidationError("ERR_FILTER_TOO_LARGE", "filter: nested too deep; write it flatter", { details: { path: "filter" } });
    const asked = [...new Set(topics)].sort();
    const key = JSON.stringify([asked, filter]);
    let interest = this.#all.get(key);
    if (interest === undefined) {
      const accepts = filter === undefined ? undefined : this.#compile(filter, (event, error) => {
        fresh.untestable = event;
        this.#costly(fresh, error);
      });
      const fresh = new Interest(key, ++this.#lastId, asked, filter, accepts);
      interest = fresh;
      this.#all.set(key, interest);
      this.#added(interest);
    }
    interest.cursors++;
    return interest;
  }

  #compile(filter: Filter, costly: (event: object, error: ValidationError) => void): Predicate {
    const budget = new RegexBudget(this.#regex);
    const accepts = compileFilter(filter, { maxNodes: this.#maxNodes, regex: budget.compile });
    if (!budget.used) return accepts;
    return (event) => {
      budget.refill();
      try {
        return accepts(event);
      } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        costly(event, error);
        return false;
      }
    };
  }

  release(interest: Interest): void {
    if (--interest.cursors > 0) return;
    this.#all.delete(interest.key);
    this.#removed(interest);
  }
}

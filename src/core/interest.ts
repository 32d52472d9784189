import { ValidationError } from "./errors.ts";
import { compileFilter, type Filter, type Predicate, type RegexCompiler } from "./filter.ts";
import type { LogEvent } from "./log-event.ts";
import { matchesPattern } from "./pattern.ts";
import { isDeeper } from "./validate-event.ts";

/** Levels of JSON that no sound filter reaches: what is deeper is not even looked at. */
const DEEPEST = 128;

/** What is asked for: patterns and a filter. All cursors that ask for the same share one, so an event is matched once for all of them. */
export class Interest {
  readonly key: string;
  readonly id: number;
  readonly topics: readonly string[];
  readonly filter: Filter | undefined;
  readonly accepts: Predicate | undefined;
  /** How many cursors share it. */
  cursors = 0;

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
  readonly #regex: RegexCompiler;
  readonly #maxNodes: number;
  readonly #added: (interest: Interest) => void;
  readonly #removed: (interest: Interest) => void;
  #lastId = 0;

  constructor(options: { regex: RegexCompiler; maxNodes: number; added(interest: Interest): void; removed(interest: Interest): void }) {
    this.#regex = options.regex;
    this.#maxNodes = options.maxNodes;
    this.#added = options.added;
    this.#removed = options.removed;
  }

  /** @throws ValidationError if the filter is malformed. */
  acquire(topics: readonly string[], filter: Filter | undefined): Interest {
    if (isDeeper(filter, DEEPEST)) throw new ValidationError("ERR_FILTER_TOO_LARGE", "filter: nested too deep; write it flatter", { details: { path: "filter" } });
    const key = JSON.stringify([[...new Set(topics)].sort(), filter]);
    let interest = this.#all.get(key);
    if (interest === undefined) {
      const accepts = filter === undefined ? undefined : compileFilter(filter, { maxNodes: this.#maxNodes, regex: this.#regex });
      interest = new Interest(key, ++this.#lastId, [...new Set(topics)], filter, accepts);
      this.#all.set(key, interest);
      this.#added(interest);
    }
    interest.cursors++;
    return interest;
  }

  release(interest: Interest): void {
    if (--interest.cursors > 0) return;
    this.#all.delete(interest.key);
    this.#removed(interest);
  }
}

import { ValidationError } from "../errors.ts";

/** Makes a test of a text from a regular expression. Injected, so that who filters without `$regex` does not load an engine. */
export type RegexCompiler = (source: string, flags: string) => (text: string) => boolean;

const MAX_DEPTH = 32;
/** Scalars in `$in` lists cost no node, as they are one look-up; this keeps a list, or a cyclic object, from being endless. */
const MAX_VALUES = 10_000;

/** What one compilation carries along: the regex engine and what is left of the limits. */
export interface Scope {
  readonly regex: RegexCompiler;
  /** Counts an operator or condition. @throws ValidationError `ERR_FILTER_TOO_LARGE` */
  node(at: string, depth: number): void;
  /** Counts a value to compare with. @throws ValidationError `ERR_FILTER_TOO_LARGE` */
  value(at: string, depth: number): void;
}

export function createScope(regex: RegexCompiler, maxNodes: number): Scope {
  let nodes = 0;
  let values = 0;
  return {
    regex,
    node(at, depth) {
      if (++nodes > maxNodes) throw tooLarge(at, `more than ${maxNodes} operators and conditions; use $in for lists of values, or several subscriptions`);
      checkDepth(at, depth);
    },
    value(at, depth) {
      if (++values > MAX_VALUES) throw tooLarge(at, `more than ${MAX_VALUES} values to compare with`);
      checkDepth(at, depth);
    },
  };
}

export const invalid = (at: string, message: string): ValidationError =>
  new ValidationError("ERR_FILTER", `${at}: ${message}`, { details: { path: at } });

export const tooLarge = (at: string, message: string): ValidationError =>
  new ValidationError("ERR_FILTER_TOO_LARGE", `${at}: ${message}`, { details: { path: at } });

function checkDepth(at: string, depth: number): void {
  if (depth > MAX_DEPTH) throw tooLarge(at, `nested more than ${MAX_DEPTH} deep`);
}

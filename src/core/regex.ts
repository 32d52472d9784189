import { ValidationError } from "./errors.ts";
import { contains, containsFolded, LAST_CHARACTER, lineTerminators, wordCharacters } from "./regex/charset.ts";
import { opening } from "./regex/opening.ts";
import { parse, parseFlags, refuse, type Assertion, type Flags } from "./regex/parse.ts";
import { assemble, type Program } from "./regex/program.ts";

/** Counted repetition is spelled out, so this bounds `(a{100}){100}` as well; one character of text costs at most this many steps. */
const MAX_INSTRUCTIONS = 1_000;
/** The cache is emptied beyond either: a text may be made to visit exponentially many states, but never to keep them. */
const MAX_STATES = 256;
const MAX_EDGES = 4_096;

const MAX_NEEDLE = 32;

/** What a look beyond what is known costs besides the instructions it follows, and what a state costs that was never met, in their measure. */
const FIXED = 20;
const FRESH = 150;

const ASCII = 128;
/** The end of a text, looked up like a character: the one past the last. */
const END = LAST_CHARACTER + 1;
const WORD_CHARACTER = 1;
const LINE_TERMINATOR = 2;
const TEXT_START = 4;

/** Where the automaton is between two characters: the instructions reached, not yet followed through assertions, and what the character before was. */
interface State {
  readonly pending: readonly number[];
  readonly before: number;
  /** Where each character leads, as far as that is known; a verdict once nothing that follows can change it. */
  readonly ascii: (State | boolean | undefined)[];
  readonly others: Map<number, State | boolean>;
  /** Whether a text that ends here matches. */
  end: boolean | undefined;
}

/**
 * A regular expression in time linear in the text, whatever the expression: at most `MAX_INSTRUCTIONS` steps a character, usually one.
 *
 * The states of the automaton are followed all at once (Thompson 1968), and each set of them, once met, is kept as one state of a
 * deterministic automaton (Cox, "Regular Expression Matching Can Be Simple And Fast", 2007). Nothing ever backtracks.
 *
 * JavaScript's syntax and meaning of `test()`, with the flags `i`, `m`, `s`, `u`; without lookaround, backreferences, named groups, `\p`.
 * @param budget Steps that tests may take: what they take is taken off. A test that would need more throws ValidationError `ERR_REGEX_COST`.
 * @throws ValidationError `ERR_REGEX` if the expression is malformed, too large or uses what is not supported.
 * @example
 * compileRegex("^order\\.(created|updated)$", "")("order.created"); // true
 */
export function compileRegex(source: string, flags: string, budget?: { left: number }): (text: string) => boolean {
  const options = parseFlags(source, flags);
  const tree = parse(source, options);
  const { anchored, prefix, rest } = opening(tree, options);
  const { instructions, atoms, start } = assemble(anchored ? rest : tree, MAX_INSTRUCTIONS, () =>
    refuse(source, `is too large: more than ${MAX_INSTRUCTIONS} steps once its repetitions {n,m} are spelled out; use * or +, or smaller numbers`));
  const isWord = (character: number) => options.ignoreCase && options.unicode ? containsFolded(wordCharacters, character, true) : contains(wordCharacters, character);
  // Without assertions it does not matter what came before, and the states are fewer.
  const contextual = instructions.some(({ kind }) => kind === "assertion");
  const context = (character: number) => !contextual || character === END ? 0 : isWord(character) ? WORD_CHARACTER : contains(lineTerminators, character) ? LINE_TERMINATOR : 0;

  const matches = ({ set, negated }: Program["atoms"][number], character: number) =>
    character !== END && (options.ignoreCase ? containsFolded(set, character, options.unicode) : contains(set, character)) !== negated;

  const states = new Map<string, State>();
  const initial = createState([start], anchored && prefix !== "" ? context(prefix.charCodeAt(prefix.length - 1)) : TEXT_START);
  let edges = 0;

  // Scratch of `advance`, marked with the number of the step, which spares emptying it.
  const seen = new Float64Array(instructions.length);
  const reached = new Float64Array(instructions.length);
  const verdicts = new Int8Array(atoms.length);
  let step = 0;

  /** The state after one more character; a verdict once the text matches, or cannot any more. */
  function advance(state: State, character: number): State | boolean {
    step++;
    verdicts.fill(0);
    const after = context(character);
    const stack = state.pending.slice();
    const pending: number[] = [];
    let steps = FIXED + atoms.length / 8;
    if (!anchored) {
      // A search may begin anywhere.
      pending.push(start);
      reached[start] = step;
    }
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen[at] === step) continue;
      seen[at] = step;
      steps++;
      const instruction = instructions[at]!;
      switch (instruction.kind) {
        case "match": return remember(state, character, true);
        case "split": stack.push(instruction.other, instruction.next); break;
        case "assertion": if (holds(instruction.assertion, state.before, after, character === END, options)) stack.push(instruction.next); break;
        case "character": {
          const { atom, next } = instruction;
          if (verdicts[atom] === 0) verdicts[atom] = matches(atoms[atom]!, character) ? 1 : -1;
          if (verdicts[atom] === 1 && reached[next] !== step) {
            reached[next] = step;
            pending.push(next);
          }
        }
      }
    }
    if (budget !== undefined && (budget.left -= steps + pending.length) < 0) throw costly(source);
    if (pending.length === 0 || character === END) return remember(state, character, false);
    const key = String.fromCharCode(after, ...pending);
    const known = states.get(key);
    if (known !== undefined) return remember(state, character, known);
    if (budget !== undefined) budget.left -= FRESH;
    const fresh = createState(pending, after);
    states.set(key, fresh);
    return remember(state, character, fresh);
  }

  function remember<S extends State | boolean>(state: State, character: number, next: S): S {
    if (++edges > MAX_EDGES || states.size > MAX_STATES) {
      states.clear();
      initial.ascii.fill(undefined);
      initial.others.clear();
      initial.end = undefined;
      edges = 0;
    }
    if (character === END) state.end = next === true;
    else if (character < ASCII) state.ascii[character] = next;
    else state.others.set(character, next);
    return next;
  }

  const { unicode } = options;
  const { length } = prefix;
  const last = prefix.charCodeAt(length - 1);
  // An engine's search may compare the whole of it at every place.
  const needle = prefix.slice(0, MAX_NEEDLE);
  return (text) => {
    let i = 0;
    if (anchored) {
      // Texts of a kind begin alike, so the last character of the prefix is the one to ask first.
      if (length > 0 && (text.charCodeAt(length - 1) !== last || !text.startsWith(prefix))) return false;
      i = length;
    } else if (length > 0) {
      const at = text.indexOf(needle);
      if (at === -1) return false;
      // Where it matters what came before, it must be read.
      if (!contextual) i = at;
    }
    let state = initial;
    for (; i < text.length; i++) {
      const character = unicode ? text.codePointAt(i)! : text.charCodeAt(i);
      if (character > 0xffff) i++;
      const next = (character < ASCII ? state.ascii[character] : state.others.get(character)) ?? advance(state, character);
      if (typeof next === "boolean") return next;
      state = next;
    }
    return state.end ?? advance(state, END) === true;
  };
}

function costly(source: string): ValidationError {
  const { message } = refuse(source, "takes too many steps for a text as long as this one; begin it with ^, avoid large {n,m} and .* in the middle, or test a shorter field");
  return new ValidationError("ERR_REGEX_COST", message, { details: { path: "regex" } });
}

const createState = (pending: readonly number[], before: number): State => ({ pending, before, ascii: Array.from({ length: ASCII }), others: new Map(), end: undefined });

function holds(assertion: Assertion, before: number, after: number, atEnd: boolean, { multiline }: Flags): boolean {
  switch (assertion) {
    case "start": return before === TEXT_START || (multiline && before === LINE_TERMINATOR);
    case "end": return atEnd || (multiline && after === LINE_TERMINATOR);
    case "boundary": return (before === WORD_CHARACTER) !== (after === WORD_CHARACTER);
    case "no boundary": return (before === WORD_CHARACTER) === (after === WORD_CHARACTER);
  }
}

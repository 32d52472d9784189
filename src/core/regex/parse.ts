import { ValidationError } from "../errors.ts";
import { charset, complement, digits, LAST_CHARACTER, lineTerminators, spaces, wordCharacters, type Charset } from "./charset.ts";

export type Assertion = "start" | "end" | "boundary" | "no boundary";

/** A regular expression as a tree. Groups leave no trace: a test has no captures. `negated` is kept apart, as `i` folds before it negates. */
export type Node =
  | { readonly kind: "character"; readonly set: Charset; readonly negated: boolean }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly min: number; readonly max: number };

export interface Flags { readonly ignoreCase: boolean; readonly dotAll: boolean; readonly multiline: boolean; readonly unicode: boolean }

const MAX_SOURCE = 1_000;
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };
const assertions: Readonly<Record<string, Assertion>> = { "^": "start", $: "end", b: "boundary", B: "no boundary" };

export function refuse(source: string, message: string): ValidationError {
  const shown = source.length > 60 ? `${source.slice(0, 60)}…` : source;
  return new ValidationError("ERR_REGEX", `regular expression /${shown}/: ${message}`, { details: { path: "regex" } });
}

/** `g` and `d` do not bear on a single test and are let pass. */
export function parseFlags(source: string, flags: string): Flags {
  for (const flag of flags) {
    if (!"imsugd".includes(flag)) throw refuse(source, `flag ${flag} is not supported; those that are: i, m, s, u${flag === "y" ? ' (instead of y begin it with "^")' : ""}`);
    if (flags.indexOf(flag) !== flags.lastIndexOf(flag)) throw refuse(source, `flag ${flag} is given twice`);
  }
  return { ignoreCase: flags.includes("i"), dotAll: flags.includes("s"), multiline: flags.includes("m"), unicode: flags.includes("u") };
}

/**
 * Parses the part of JavaScript's syntax that a finite automaton can run.
 * @throws ValidationError `ERR_REGEX` naming the construct and what to write instead.
 */
export function parse(source: string, { ignoreCase, dotAll, unicode }: Flags): Node {
  if (source.length > MAX_SOURCE) throw refuse(source, `is longer than ${MAX_SOURCE} characters; split it into several`);
  // With `u` a character is a code point, without it a code unit, as in JavaScript.
  const characters = unicode ? Array.from(source) : source.split("");
  const word = ignoreCase && unicode ? charset([...wordCharacters, 0x17f, 0x17f, 0x212a, 0x212a]) : wordCharacters;
  let at = 0;

  const fail = (message: string) => refuse(source, `${message} (at character ${at})`);
  const looking = (text: string) => [...text].every((character, i) => characters[at + i] === character);
  const accept = (text: string) => {
    if (!looking(text)) return false;
    at += text.length;
    return true;
  };
  const code = (character: string): number => character.codePointAt(0)!;

  function choice(): Node {
    const options = [sequence()];
    while (accept("|")) options.push(sequence());
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  function sequence(): Node {
    const parts: Node[] = [];
    while (at < characters.length && !looking("|") && !looking(")")) {
      const bare = ["^", "$", "\\b", "\\B"].some(looking);
      const part = atom();
      const counts = quantifier();
      if (counts === undefined) {
        parts.push(part);
        continue;
      }
      if (bare) throw fail("a quantifier after ^, $, \\b or \\B has no meaning; remove it");
      // A lazy quantifier finds another match, but not more or fewer texts.
      accept("?");
      parts.push({ kind: "repeat", part, min: counts[0], max: counts[1] });
      if (quantifier() !== undefined) throw fail("two quantifiers in a row; put the first part in (?:…)");
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  function quantifier(): [min: number, max: number] | undefined {
    if (accept("*")) return [0, Infinity];
    if (accept("+")) return [1, Infinity];
    if (accept("?")) return [0, 1];
    const counted = looking("{") ? /^\{(\d+)(,(\d*))?\}/.exec(characters.slice(at, at + 24).join("")) : null;
    if (counted === null) return undefined;
    at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === "" ? Infinity : Number(counted[3]);
    if (max < min) throw fail(`the numbers of ${counted[0]} are out of order`);
    return [min, max];
  }

  function atom(): Node {
    if (accept("(")) return group();
    if (accept("[")) return characterClass();
    if (accept("\\")) return escape();
    const character = characters[at]!;
    if ("*+?".includes(character) || quantifier() !== undefined) throw fail(`nothing to repeat before the quantifier; a literal ${character} is written \\${character}`);
    if (unicode && "{}]".includes(character)) throw fail(`with the flag u a literal ${character} is written \\${character}`);
    at++;
    if (character === ".") return dotAll ? oneOf([0, LAST_CHARACTER]) : oneOf(lineTerminators, true);
    if (character === "^" || character === "$") return { kind: "assertion", assertion: assertions[character]! };
    return oneOf([code(character), code(character)]);
  }

  function group(): Node {
    for (const look of ["?=", "?!", "?<=", "?<!"]) {
      if (looking(look)) throw fail(`lookahead and lookbehind (${look}…) need backtracking; say it with two conditions, as $regex and $not`);
    }
    if (looking("?<")) throw fail("named groups have no use in a test; write (…) or (?:…)");
    if (accept("?") && !accept(":")) throw fail("groups are (…) and (?:…); give flags for the whole expression");
    const inside = choice();
    if (!accept(")")) throw fail("a group is not closed; a literal ( is written \\(");
    return inside;
  }

  function escape(): Node {
    const character = characters[at];
    if (character === "b" || character === "B") {
      at++;
      return { kind: "assertion", assertion: assertions[character]! };
    }
    if (character !== undefined && /[1-9]/.test(character)) throw fail("backreferences (\\1) need backtracking; spell the alternatives out");
    if (character === "k") throw fail("named backreferences (\\k<…>) need backtracking; spell the alternatives out");
    return oneOf(escaped());
  }

  /** What follows a backslash, in a class or out of it. */
  function escaped(): Charset {
    const character = characters[at++];
    if (character === undefined) throw fail("ends with a backslash; a literal one is written \\\\");
    const shorthand = character === "d" || character === "D" ? digits : character === "w" || character === "W" ? word : character === "s" || character === "S" ? spaces : undefined;
    if (shorthand !== undefined) return character < "a" ? complement(shorthand) : shorthand;
    if (character === "x") return hex(/^[\da-f]{2}/i, "\\xHH");
    if (character === "u") return unicode && looking("{") ? hex(/^\{0*[\da-f]{1,6}\}/i, "\\u{H…}") : surrogates(hex(/^[\da-f]{4}/i, "\\uHHHH"));
    if (character === "p" || character === "P") throw fail(`Unicode properties (\\${character}{…}) are not supported; list the ranges in a class`);
    if (Object.hasOwn(controls, character) && !(character === "0" && /\d/.test(characters[at] ?? ""))) return one(controls[character]!);
    if (/[\da-z]/i.test(character)) throw fail(`unknown escape \\${character}; remove the backslash or write \\xHH`);
    return one(code(character));
  }

  function hex(shape: RegExp, form: string): Charset {
    const found = shape.exec(characters.slice(at, at + 24).join(""))?.[0];
    const value = Number.parseInt(found?.replace("{", "") ?? "", 16);
    if (found === undefined || value > LAST_CHARACTER) throw fail(`an escape ${form} is incomplete`);
    at += found.length;
    return one(value);
  }

  /** With `u`, `\uD83D\uDE00` is one character. */
  function surrogates(high: Charset): Charset {
    const back = at;
    if (!unicode || high[0]! < 0xd800 || high[0]! > 0xdbff || !accept("\\u") || looking("{")) {
      at = back;
      return high;
    }
    const low = hex(/^[\da-f]{4}/i, "\\uHHHH")[0]!;
    if (low >= 0xdc00 && low <= 0xdfff) return one(code(String.fromCharCode(high[0]!, low)));
    at = back;
    return high;
  }

  function characterClass(): Node {
    const negated = accept("^");
    const pairs: number[] = [];
    while (!accept("]")) {
      const first = member();
      if (looking("-") && characters[at + 1] !== "]" && characters[at + 1] !== undefined) {
        at++;
        const last = member();
        if (first.length !== 2 || first[0] !== first[1] || last.length !== 2 || last[0] !== last[1]) throw fail("a range in a class goes from one character to another; a literal - is written \\-");
        if (last[0]! < first[0]!) throw fail("a range in a class is out of order");
        pairs.push(first[0]!, last[0]!);
      } else pairs.push(...first);
    }
    return oneOf(charset(pairs), negated);
  }

  function member(): Charset {
    if (at >= characters.length) throw fail("a class is not closed; a literal [ is written \\[");
    if (!accept("\\")) return one(code(characters[at++]!));
    if (accept("b")) return one(8);
    if (accept("-")) return one(0x2d);
    return escaped();
  }

  const one = (character: number): Charset => [character, character];
  const oneOf = (set: Charset, negated = false): Node => ({ kind: "character", set, negated });

  const whole = choice();
  if (at < characters.length) throw fail("a ) closes nothing; a literal one is written \\)");
  return whole;
}

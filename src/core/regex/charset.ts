/** A set of characters: `[first, last]` pairs, flat, ascending, apart. */
export type Charset = readonly number[];

export const LAST_CHARACTER = 0x10ffff;
export const digits: Charset = [0x30, 0x39];
export const wordCharacters: Charset = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const lineTerminators: Charset = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
export const spaces: Charset = [0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff];

/** Pairs in any order, overlapping or not, as a set. */
export function charset(pairs: readonly number[]): Charset {
  const ranges: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) ranges.push([pairs[i]!, pairs[i + 1]!]);
  ranges.sort((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [first, last] of ranges) {
    if (set.length > 0 && first <= set.at(-1)! + 1) set[set.length - 1] = Math.max(last, set.at(-1)!);
    else set.push(first, last);
  }
  return set;
}

export function complement(set: Charset): Charset {
  const edges = [-1, ...set, LAST_CHARACTER + 1];
  const rest: number[] = [];
  for (let i = 0; i < edges.length; i += 2) if (edges[i]! + 1 < edges[i + 1]!) rest.push(edges[i]! + 1, edges[i + 1]! - 1);
  return rest;
}

export function contains(set: Charset, character: number): boolean {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (character > set[2 * middle + 1]!) low = middle + 1;
    else high = middle;
  }
  return 2 * low < set.length && character >= set[2 * low]!;
}

const single = (text: string, otherwise: number): number => {
  const character = text.codePointAt(0)!;
  return text.length === (character > 0xffff ? 2 : 1) ? character : otherwise;
};
const upper = (character: number): number => single(String.fromCodePoint(character).toUpperCase(), character);
const lower = (character: number): number => single(String.fromCodePoint(character).toLowerCase(), character);

/**
 * What a character is compared as under the flag `i`: ECMAScript's Canonicalize. Without `u` that is the upper case, which never leads
 * from outside ASCII into it; with `u` it is Unicode's simple case folding, here by way of the upper case.
 */
function fold(character: number, unicode: boolean): number {
  const capital = upper(character);
  // The dotless ı has the capital I, but folds to itself.
  if (unicode) return character === 0x131 ? character : lower(capital);
  return character >= 0x80 && capital < 0x80 ? character : capital;
}

/** Whether a set has a character in any case. Of a letter with three forms (σ ς Σ) the rarest is found only by itself: no table is shipped for them. */
export function containsFolded(set: Charset, character: number, unicode: boolean): boolean {
  if (contains(set, character)) return true;
  const folded = fold(character, unicode);
  const capital = upper(character);
  return [folded, capital, lower(character), lower(capital), upper(folded)].some((form) => contains(set, form) && fold(form, unicode) === folded);
}

import { isReserved, segmentEnd } from "./pattern.ts";

type List<T> = readonly T[];

/** What was found for a type, and the generation of wildcard patterns in which that was last known to hold. */
interface Answer<T> {
  generation: number;
  readonly lists: readonly List<T>[];
  readonly union: List<T>;
}

const FEW = 16;
const nothing: readonly never[] = Object.freeze([]);

/** The values under one pattern. A set is made only of many: of few, a list alone is faster, and takes a fraction of the memory. */
class Bag<T> {
  #list: List<T> | undefined = nothing;
  #set: Set<T> | undefined = undefined;

  /** The same list until the values change; it is never written to. */
  get list(): List<T> {
    return (this.#list ??= [...this.#set!]);
  }

  has(value: T): boolean {
    return this.#set?.has(value) ?? this.list.includes(value);
  }

  get empty(): boolean {
    return (this.#set?.size ?? this.list.length) === 0;
  }

  add(value: T): void {
    if (this.#set === undefined && this.list.length >= FEW) this.#set = new Set(this.list);
    this.#list = this.#set?.add(value) ? undefined : [...this.list, value];
  }

  delete(value: T): void {
    this.#list = this.#set?.delete(value) ? undefined : this.list.filter((other) => other !== value);
    if (this.empty) [this.#list, this.#set] = [nothing, undefined];
  }
}

/** The lists that a walk has come to. One object serves all walks: most find a single list, and nothing is made for them. */
class Found<T> {
  #first: List<T> = nothing;
  #others: List<T>[] | undefined = undefined;

  add(list: List<T>): void {
    if (this.#first === nothing) this.#first = list;
    else (this.#others ??= []).push(list);
  }

  /** The only list, or an empty one; undefined if there are several. */
  get only(): List<T> | undefined {
    return this.#others === undefined ? this.#first : undefined;
  }

  get all(): readonly List<T>[] {
    return this.#first === nothing ? nothing : [this.#first, ...(this.#others ?? nothing)];
  }

  clear(): void {
    this.#first = nothing;
    this.#others = undefined;
  }
}

/** A place in the trie of wildcard patterns: what has been read so far, one segment per edge. */
class Node<T> extends Bag<T> {
  /** Whether the edge to here is `**`, so that any number of segments may be read without leaving. */
  readonly #elastic: boolean;
  #words: Map<string, Node<T>> | undefined = undefined;
  #one: Node<T> | undefined = undefined; // `*`
  #any: Node<T> | undefined = undefined; // `**`
  /** The last walk that came here, if elastic. */
  #walk = 0;

  constructor(elastic: boolean) {
    super();
    this.#elastic = elastic;
  }

  /** The node at the end of a pattern. */
  get(segments: readonly string[], depth = 0): Node<T> | undefined {
    const segment = segments[depth];
    return segment === undefined ? this : this.#child(segment)?.get(segments, depth + 1);
  }

  /** The same, made if it is missing. */
  reach(segments: readonly string[], depth = 0): Node<T> {
    const segment = segments[depth];
    if (segment === undefined) return this;
    let child = this.#child(segment);
    if (child === undefined) this.#setChild(segment, child = new Node(segment === "**"));
    return child.reach(segments, depth + 1);
  }

  /** Removes what only led to the end of a pattern that has no values any more; true if nothing is left from here on. */
  prune(segments: readonly string[], depth = 0): boolean {
    const segment = segments[depth];
    if (segment !== undefined && this.#child(segment)?.prune(segments, depth + 1)) this.#setChild(segment, undefined);
    return this.empty && this.#words === undefined && this.#one === undefined && this.#any === undefined;
  }

  /**
   * Collects the lists of all patterns that go on from here and match what is left of `type` from `start`.
   * A walk comes to an elastic node first with the most left to read, and that covers all it could come back with: so the
   * cost is nodes × segments, not combinations.
   */
  find(type: string, start: number, walk: number, found: Found<T>): void {
    const any = this.#any;
    if (any !== undefined && any.#walk !== walk) {
      any.#walk = walk;
      any.find(type, start, walk, found);
    }
    const words = this.#words, one = this.#one;
    if (this.#elastic && words === undefined && one === undefined) start = type.length + 1; // the rest, whatever it is
    do {
      if (start > type.length) {
        if (this.list !== nothing) found.add(this.list);
        return;
      }
      const stop = segmentEnd(type, start);
      if (words !== undefined) words.get(type.slice(start, stop))?.find(type, stop + 1, walk, found);
      if (one !== undefined) one.find(type, stop + 1, walk, found);
      start = stop + 1;
    } while (this.#elastic);
  }

  #child(segment: string): Node<T> | undefined {
    return segment === "*" ? this.#one : segment === "**" ? this.#any : this.#words?.get(segment);
  }

  #setChild(segment: string, child: Node<T> | undefined): void {
    if (segment === "*") this.#one = child;
    else if (segment === "**") this.#any = child;
    else if (child !== undefined) (this.#words ??= new Map()).set(segment, child);
    else if (this.#words?.delete(segment) && this.#words.size === 0) this.#words = undefined;
  }
}

/**
 * Finds the values whose patterns match a type. Patterns and types are taken as valid: `assertPattern` and `assertType`
 * stand at the door.
 *
 * Patterns without wildcards are found by one lookup, the others by a walk in a trie. Answers are kept for the types seen
 * most recently. A change to an exact pattern forgets the answer for that one type; a change to a wildcard pattern makes
 * every answer one to be confirmed before use, and one that is confirmed keeps its identity.
 */
export class TopicIndex<T> {
  readonly #exact = new Map<string, Bag<T>>();
  /** The router's own names have a trie to themselves, so that no leading wildcard reaches them. */
  readonly #public = new Node<T>(false);
  readonly #reserved = new Node<T>(false);
  readonly #half: number;
  // Two halves instead of an order of use: a full `recent` becomes `older`, and what is asked for again moves back.
  readonly #found = new Found<T>();
  #recent = new Map<string, Answer<T>>();
  #older = new Map<string, Answer<T>>();
  #generation = 0;
  #walks = 0;
  #wildcards = 0;
  #size = 0;

  /** @param answers how many types' answers are kept at most */
  constructor(answers = 4_096) {
    this.#half = Math.max(1, answers >> 1);
  }

  /** How many pairs of pattern and value there are. */
  get size(): number {
    return this.#size;
  }

  /** Puts a value under a pattern; a second time has no effect. */
  add(pattern: string, value: T): void {
    let bag: Bag<T> | undefined;
    if (isWildcard(pattern)) bag = this.#trie(pattern).reach(pattern.split("."));
    else if ((bag = this.#exact.get(pattern)) === undefined) this.#exact.set(pattern, bag = new Bag());
    if (bag.has(value)) return;
    bag.add(value);
    this.#changed(pattern, 1);
  }

  /** Takes a value from under a pattern; false if it was not there. */
  delete(pattern: string, value: T): boolean {
    const segments = pattern.split("."), wildcard = isWildcard(pattern);
    const bag = wildcard ? this.#trie(pattern).get(segments) : this.#exact.get(pattern);
    if (!bag?.has(value)) return false;
    bag.delete(value);
    if (bag.empty) {
      if (wildcard) this.#trie(pattern).prune(segments);
      else this.#exact.delete(pattern);
    }
    this.#changed(pattern, -1);
    return true;
  }

  /**
   * The values under all patterns that match, each once. The array is the same one as long as nothing changes for this type,
   * so work can be keyed on it; only if several patterns match may it be made anew after thousands of other types were asked for.
   */
  match(type: string): readonly T[] {
    if (this.#wildcards === 0) return this.#exact.get(type)?.list ?? nothing;
    const answer = this.#recent.get(type);
    return answer !== undefined && answer.generation === this.#generation ? answer.union : this.#answer(type, answer ?? this.#older.get(type));
  }

  /** Confirms or replaces what was known about a type. */
  #answer(type: string, known: Answer<T> | undefined): readonly T[] {
    let answer = known;
    if (answer === undefined || answer.generation !== this.#generation) {
      const found = this.#found;
      const exact = this.#exact.size === 0 ? undefined : this.#exact.get(type);
      if (exact !== undefined) found.add(exact.list);
      this.#trie(type).find(type, 0, ++this.#walks, found);
      const { only } = found;
      // One list keeps its identity by itself, and most types of a large family are asked for once: only every 32nd walk
      // has its answer kept, which soon comes to those asked for often, and spares the others the price.
      const kept = only === undefined || known !== undefined || this.#walks % 32 === 0;
      const lists = kept ? found.all : nothing;
      found.clear();
      if (!kept) return only;
      if (answer !== undefined && answer.lists.length === lists.length && answer.lists.every((list, i) => list === lists[i])) answer.generation = this.#generation;
      else answer = { generation: this.#generation, lists, union: only ?? [...new Set(lists.flat())] };
    }
    if (this.#recent.size >= this.#half && !this.#recent.has(type)) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(type, answer);
    return answer.union;
  }

  #changed(pattern: string, by: 1 | -1): void {
    this.#size += by;
    if (isWildcard(pattern)) {
      this.#generation++;
      this.#wildcards += by;
    }
    if (this.#wildcards === 0) {
      this.#recent.clear();
      this.#older.clear();
    } else if (!isWildcard(pattern)) {
      this.#recent.delete(pattern);
      this.#older.delete(pattern);
    }
  }

  #trie(name: string): Node<T> {
    return isReserved(name) ? this.#reserved : this.#public;
  }
}

function isWildcard(pattern: string): boolean {
  return pattern.includes("*");
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ValidationError } from "../../src/core/errors.ts";
import { assertPattern, assertType, containsPattern, isReserved, matchesPattern } from "../../src/core/pattern.ts";

/** The pattern language, by its definition. */
function oracle([head, ...rest]: readonly string[], type: readonly string[]): boolean {
  if (head === undefined) return type.length === 0;
  const [segment, ...others] = type;
  const byWildcard = segment !== undefined && !segment.startsWith("$");
  if (head === "**") return oracle(rest, type) || (byWildcard && oracle([head, ...rest], others));
  return (head === "*" ? byWildcard : head === segment) && oracle(rest, others);
}
const split = (name: string) => name.split(".");

/** All names of 1 to `most` segments of an alphabet. */
function names(alphabet: readonly string[], most: number): string[] {
  const all = [...alphabet];
  for (let from = 0, length = 1; length < most; length++) {
    const to = all.length;
    for (; from < to; from++) for (const segment of alphabet) all.push(`${all[from]}.${segment}`);
  }
  return all;
}
const reserved = (rest: readonly string[]) => ["$s", "$t", ...rest.map((name) => `$s.${name}`)];

const name = (alphabet: readonly string[], maxLength: number) =>
  fc.tuple(fc.constantFrom("", "", "", "$"), fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength }))
    .map(([mark, segments]) => (mark === "" || segments[0]!.startsWith("*") ? segments.join(".") : mark + segments.join(".")));
const types = name(["a", "b", "ab"], 16);
const patterns = name(["a", "b", "ab", "*", "**", "**"], 9);

describe("matchesPattern", () => {
  it.each([
    ["order.*", "order.created", true], ["order.*", "order.item.added", false], ["order.*", "order", false],
    ["order.**", "order", true], ["order.**", "order.item.added", true], ["**.added", "added", true], ["**.added", "order.item.added", true],
    ["a.**.z", "a.z", true], ["a.**.z", "a.b.c.z", true], ["a.**.z", "a.b.c", false], ["*.*", "a", false], ["**.*.**", "a", true],
    ["**", "a.b", true], ["a", "ab", false], ["ab", "a", false], ["a.b", "a", false], ["a", "a.b", false], ["*.b", "ab", false],
    ["**", "$sys.x", false], ["*.x", "$sys.x", false], ["**.x", "$sys.x", false], ["$sys.x", "$sys.x", true], ["$sys.*", "$sys.x", true], ["$sys.**", "$sys", true],
  ])("%s ~ %s is %s", (pattern, type, expected) => expect(matchesPattern(pattern, type)).toBe(expected));

  it("is the definition, for all short names", () => {
    const someTypes = [...names(["a", "b"], 5), ...reserved(names(["a"], 3))];
    for (const pattern of [...names(["a", "b", "*", "**"], 4), ...reserved(names(["a", "*", "**"], 3))])
      for (const type of someTypes) if (matchesPattern(pattern, type) !== oracle(split(pattern), split(type))) expect.fail(`${pattern} ~ ${type}`);
  });

  it("is the definition, for long names", () => {
    fc.assert(fc.property(patterns, types, (pattern, type) => matchesPattern(pattern, type) === oracle(split(pattern), split(type))), { numRuns: 2_000 });
  });

  it("is not exponential in the number of **", () => {
    const pattern = `${"**.a.".repeat(200)}**.b`, type = Array(2_000).fill("a").join(".");
    // One that tries all ways to split would not end before the sun does.
    expect(matchesPattern(pattern, type)).toBe(false);
  });
});

describe("containsPattern", () => {
  it.each([
    ["order.**", "order.*", true], ["order.*", "order.**", false], ["order.*", "order.created", true], ["order.created", "order.*", false],
    ["**", "**.a.*", true], ["**.*", "*.**", true], ["*.**", "**", true], ["**.*.*", "**.*", false], ["*.**.*.a", "**.b.b.a", true],
    ["a.**.*.c", "a.*.**.c", true], ["**.a.**", "**.a.*.a.**", true], ["*.*", "*.**", false],
    ["**", "$sys.x", false], ["**", "$sys.**", false], ["$sys.**", "**", false], ["$sys.**", "$sys.x.*", true], ["$sys.*", "$dead.a", false],
  ])("%s contains %s is %s", (outer, inner, expected) => expect(containsPattern(outer, inner)).toBe(expected));

  it("is inclusion of the matched types, for all patterns of up to 4 segments", () => {
    // "c" stands for all names that no pattern mentions.
    const some = [...names(["a", "b", "c"], 7), ...reserved(names(["a", "c"], 5))];
    const all = [...names(["a", "b", "*", "**"], 4), ...reserved(names(["a", "*", "**"], 3))];
    const matched = all.map((pattern) => {
      const bits = new Uint32Array(Math.ceil(some.length / 32));
      some.forEach((type, i) => { if (matchesPattern(pattern, type)) bits[i >> 5]! |= 1 << (i & 31); });
      return bits;
    });
    let contained = 0;
    matched.forEach((outer, o) => matched.forEach((inner, i) => {
      const expected = inner.every((bits, word) => (bits & ~outer[word]!) === 0);
      if (expected) contained++;
      if (containsPattern(all[o]!, all[i]!) !== expected) expect.fail(`${all[o]} contains ${all[i]} should be ${expected}`);
    }));
    expect(contained).toBeGreaterThan(all.length);
  });

  it("is inclusion of the matched types, for long patterns", () => {
    /** What `inner` matches when each `**` takes 0, 1, 2 or more segments than `outer` has, of a name unknown to both. */
    const samples = (inner: readonly string[]): string[][] => inner.reduce<string[][]>(
      (found, segment) => found.flatMap((head) => (segment === "**" ? [0, 1, 2, 12] : [-1])
        .map((width) => (width < 0 ? [...head, segment === "*" ? "x" : segment] : [...head, ...Array<string>(width).fill("x")]))), [[]]);
    const gap = fc.constantFrom("**", "**.*", "*.**", "*", "*.*"), word = fc.constantFrom("a", "a", "b", "a.b");
    const long = fc.array(fc.oneof(gap, word), { minLength: 1, maxLength: 6 }).filter((parts) => parts.filter((part) => part.includes("**")).length <= 4).map((parts) => parts.join("."));
    fc.assert(fc.property(long, long, (outer, inner) => {
      const expected = samples(split(inner)).every((type) => type.length === 0 || matchesPattern(outer, type.join(".")));
      return containsPattern(outer, inner) === expected;
    }), { numRuns: 3_000 });
  });

  it("widening a part of a pattern contains it", () => {
    fc.assert(fc.property(patterns, fc.array(fc.constantFrom("keep", "*", "**"), { minLength: 9, maxLength: 9 }), (inner, how) => {
      const outer = split(inner).map((segment, i) => (how[i] === "keep" || isReserved(segment) ? segment : segment === "**" ? "**" : how[i])).join(".");
      return containsPattern(outer, inner);
    }));
  });

  it("for a plain type is matching", () => {
    fc.assert(fc.property(patterns, types, (pattern, type) => containsPattern(pattern, type) === matchesPattern(pattern, type)));
  });

  it("is polynomial", () => {
    // One that tries all ways to split would not end before the sun does.
    expect(containsPattern(`${"**.a.*.".repeat(40)}b`, `${"**.a.".repeat(40)}a`)).toBe(false);
  });
});

/** What is thrown, as `code`, `message` and `path`. */
function refusal(check: () => void): { code: string; message: string; path: unknown } | undefined {
  try {
    check();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ValidationError);
    const { code, message, details } = thrown as ValidationError;
    return { code, message, path: details.path };
  }
  return undefined;
}
const segments = (count: number) => Array(count).fill("a").join(".");
const empty = "a segment is empty; put a name before and after every dot";
const letters = 'names are made of letters A-Z a-z, digits, "_" and "-"';
const spaces = 'names have no spaces; use "_" or "-"';
const slash = 'segments are joined by "."; write "." for "/"';
const whole = '"*" and "**" stand for whole segments; write "user.*" rather than "user*", or use a filter';

describe("assertType", () => {
  it.each(["a", "order.placed", "A-Z_0.9", "__proto__.constructor", "-", "a".repeat(256), segments(16)])("accepts %s", (type) => assertType(type));

  it.each<[unknown, string]>([
    ["order..placed", `"order..placed" is not an event type: ${empty}`],
    ["", `"" is not an event type: ${empty}`],
    [".a", `".a" is not an event type: ${empty}`],
    ["a.", `"a." is not an event type: ${empty}`],
    ["$sys.x", '"$sys.x" is not an event type: names that begin with "$" are the router\'s own; choose another name'],
    ["$", '"$" is not an event type: names that begin with "$" are the router\'s own; choose another name'],
    ["a.$b", `"a.$b" is not an event type: ${letters}`],
    ["order.*", '"order.*" is not an event type: an event has one plain type; wildcards are for subscribing'],
    ["order placed", `"order placed" is not an event type: ${spaces}`],
    ["order\n", `"order\\n" is not an event type: ${spaces}`],
    ["order/placed", `"order/placed" is not an event type: ${slash}`],
    ["größe", `"größe" is not an event type: ${letters}`],
    ["a:b", `"a:b" is not an event type: ${letters}`],
    ["a".repeat(257), "an event type has at most 256 characters; got 257"],
    [segments(17), `"${segments(17)}" is not an event type: it has more than 16 segments; use fewer`],
    [undefined, 'an event type is a string such as "order.placed"; got undefined'],
    [null, 'an event type is a string such as "order.placed"; got null'],
    [42, 'an event type is a string such as "order.placed"; got number'],
    [["a"], 'an event type is a string such as "order.placed"; got an array'],
  ])("refuses %j", (type, message) => {
    expect(refusal(() => assertType(type))).toEqual({ code: "ERR_TYPE", message: `type: ${message}`, path: "type" });
  });

  it("names the place", () => expect(refusal(() => assertType("", "events[3].type"))).toMatchObject({ path: "events[3].type", message: expect.stringMatching(/^events\[3\]\.type: /) }));
});

describe("assertPattern", () => {
  it.each(["a", "*", "**", "order.*", "**.a.**", "*.*.*", "$dead.order", "a".repeat(256), segments(15) + ".**"])("accepts %s", (pattern) => assertPattern(pattern));

  it.each<[unknown, string]>([
    ["order.#", '"order.#" is not a pattern: for any number of segments write "**"'],
    ["order.>", '"order.>" is not a pattern: for any number of segments write "**"'],
    ["order.+", '"order.+" is not a pattern: for exactly one segment write "*"'],
    ["user*", `"user*" is not a pattern: ${whole}`],
    ["*user", `"*user" is not a pattern: ${whole}`],
    ["a.**b.c", `"a.**b.c" is not a pattern: ${whole}`],
    ["a.***", `"a.***" is not a pattern: ${whole}`],
    ["a..*", `"a..*" is not a pattern: ${empty}`],
    ["", `"" is not a pattern: ${empty}`],
    ["*.", `"*." is not a pattern: ${empty}`],
    ["a b", `"a b" is not a pattern: ${spaces}`],
    ["a/*", `"a/*" is not a pattern: ${slash}`],
    ["a/b", `"a/b" is not a pattern: ${slash}`],
    ["a.(b|c)", `"a.(b|c)" is not a pattern: ${letters}`],
    ["a.$b", `"a.$b" is not a pattern: ${letters}`],
    ["$sys.*", '"$sys.*" is not a pattern: names that begin with "$" are the router\'s own and cannot be read with a wildcard; write the exact name'],
    ["*".repeat(257), "a pattern has at most 256 characters; got 257"],
    [segments(17), `"${segments(17)}" is not a pattern: it has more than 16 segments; use fewer`],
    [/order/, 'a pattern is a string such as "order.*"; got object'],
  ])("refuses %j", (pattern, message) => {
    expect(refusal(() => assertPattern(pattern))).toEqual({ code: "ERR_PATTERN", message: `topics: ${message}`, path: "topics" });
  });

  it("accepts what it should and no more", () => {
    const part = fc.constantFrom("a", "Z9", "_", "-", "*", "**", ".", ".", "$", "#", " ", "é");
    fc.assert(fc.property(fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")), (text) => {
      const plain = (segment: string) => /^[A-Za-z0-9_-]+$/.test(segment), wild = (segment: string) => segment === "*" || segment === "**";
      const all = split(text), own = text.startsWith("$") && split(text.slice(1)).every(plain);
      expect(refusal(() => assertType(text)) === undefined).toBe(all.every(plain));
      expect(refusal(() => assertPattern(text)) === undefined).toBe(own || all.every((segment) => plain(segment) || wild(segment)));
    }), { numRuns: 1_000 });
  });
});

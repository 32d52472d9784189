import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesPattern } from "../../src/core/pattern.ts";
import { TopicIndex } from "../../src/core/topic-index.ts";

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** Bytes in use after a collection. */
function heap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

function indexOf(patterns: Readonly<Record<string, readonly number[]>>, answers?: number): TopicIndex<number> {
  const index = new TopicIndex<number>(answers);
  for (const [pattern, values] of Object.entries(patterns)) for (const value of values) index.add(pattern, value);
  return index;
}

describe("match", () => {
  it.each<[string, number[]]>([
    ["order.created", [1, 2, 3, 5]], ["order", [3, 5]], ["order.item.added", [3, 4, 5]], ["added", [4, 5]], ["user", [5]],
    ["$sys.up", [6, 7]], ["$sys", [7]], ["$sys.added", [6, 7]], ["$dead.x", []],
  ])("%s", (type, expected) => {
    const index = indexOf({ "order.created": [1], "order.*": [2], "order.**": [3], "**.added": [4], "**": [5], "$sys.*": [6], "$sys.**": [7] });
    expect(sorted(index.match(type))).toEqual(expected);
  });

  it("gives a value under several patterns once", () => {
    const index = indexOf({ "a.b": [1], "a.*": [1, 2], "**": [1, 2, 3], "**.**": [3], "a.**.b": [1] });
    expect(sorted(index.match("a.b"))).toEqual([1, 2, 3]);
  });

  it("takes names of Object's members as any other", () => {
    const index = indexOf({ "__proto__.*": [1], "constructor": [2] });
    expect([index.match("__proto__.x"), index.match("constructor"), index.match("toString"), index.match("toString.x")]).toEqual([[1], [2], [], []]);
  });

  it("is not exponential in the number of **", () => {
    const index = indexOf({ [`${"**.a.".repeat(8)}b`]: [1], [`${"**.".repeat(15)}a`]: [2] });
    // One that tries all ways to split would take days.
    for (let i = 0; i < 1_000; i++) expect(index.match(`${"a.".repeat(15)}a${i}`)).toEqual([]);
  });
});

describe("add and delete", () => {
  it("count pairs, and say whether there was one", () => {
    const index = indexOf({ a: [1, 1, 2], "*": [1] });
    expect(index.size).toBe(3);
    expect([index.delete("a", 3), index.delete("b", 1), index.delete("**", 1), index.delete("a", 1), index.delete("a", 1)]).toEqual([false, false, false, true, false]);
    expect(index.size).toBe(2);
    expect(index.match("a")).toEqual([2, 1]);
  });

  it("agree with a linear scan, whatever the history and however few answers are kept", () => {
    const names = (alphabet: readonly string[]) => fc.tuple(fc.constantFrom("", "", "$"), fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 4 }))
      .map(([mark, segments]) => (segments[0]!.startsWith("*") ? "" : mark) + segments.join("."));
    const pattern = names(["a", "b", "*", "**"]), type = names(["a", "b"]), value = fc.nat(3);
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), pattern, value }),
      fc.record({ do: fc.constant("crowd" as const), pattern }),
      fc.record({ do: fc.constant("delete" as const), pattern, value }),
      fc.record({ do: fc.constant("undo" as const), nth: fc.nat() }),
      fc.record({ do: fc.constant("match" as const), type }),
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 60, size: "max" }), fc.constantFrom(1, 4, 4_096), (steps, answers) => {
      const index = new TopicIndex<number>(answers), model: { pattern: string; value: number }[] = [];
      const add = (pattern: string, value: number) => {
        index.add(pattern, value);
        if (!model.some((pair) => pair.pattern === pattern && pair.value === value)) model.push({ pattern, value });
      };
      const remove = (pattern: string, value: number) => {
        const at = model.findIndex((pair) => pair.pattern === pattern && pair.value === value);
        if (at >= 0) model.splice(at, 1);
        expect(index.delete(pattern, value)).toBe(at >= 0);
      };
      for (const step of steps) {
        if (step.do === "add") add(step.pattern, step.value);
        else if (step.do === "crowd") for (let value = 0; value < 18; value++) add(step.pattern, value);
        else if (step.do === "delete") remove(step.pattern, step.value);
        else if (step.do === "undo") {
          const pair = model[step.nth % model.length];
          if (pair !== undefined) remove(pair.pattern, pair.value);
        } else {
          const expected = new Set(model.filter((pair) => matchesPattern(pair.pattern, step.type)).map((pair) => pair.value));
          expect(sorted(index.match(step.type))).toEqual(sorted([...expected]));
        }
        expect(index.size).toBe(model.length);
      }
    }), { numRuns: 500 });
  });

  it("take no longer for each of many values", () => {
    const index = new TopicIndex<number>(), many = 500_000;
    // One that looked through all of them for each would take hours.
    for (let value = 0; value < many; value++) index.add("a.*", value);
    expect(index.match("a.b")).toHaveLength(many);
    for (let value = 0; value < many; value++) index.delete("a.*", value);
    expect(index.match("a.b")).toEqual([]);
  });

  it("return the memory of deleted patterns", () => {
    const index = indexOf({ "keep.*": [0] });
    const each = (round: string, act: (pattern: string) => void) => {
      for (let i = 0; i < 20_000; i++) act([`${round}${i}.k.*`, `x.*.${round}${i}.**`, `y.${round}${i}`, `**.t${i % 100}.${round}${i}.*`][i % 4]!);
    };
    const add = (pattern: string) => index.add(pattern, 1), remove = (pattern: string) => expect(index.delete(pattern, 1)).toBe(true);
    each("warm", add);
    each("warm", remove);
    const before = heap();
    each("t", add);
    expect(heap() - before).toBeGreaterThan(3e6);
    each("t", remove);
    expect(heap() - before).toBeLessThan(2e5);
    expect(index.match("keep.a")).toEqual([0]);
    expect(index.size).toBe(1);
  });
});

describe("answers", () => {
  it("that are no longer recent follow a change as well", () => {
    const index = indexOf({ "a.b": [1], "**": [2] }, 4);
    for (const type of ["x.1", "x.2"]) index.add(type, 1);
    for (const type of ["a.b", "x.1", "x.2"]) index.match(type);
    index.add("a.b", 3);
    expect(sorted(index.match("a.b"))).toEqual([1, 2, 3]);
  });

  it("hold no value once there is nothing to keep them for", async () => {
    const index = new TopicIndex<object>();
    const held = (() => {
      const value = {};
      for (const pattern of ["a.*", "**"]) index.add(pattern, value);
      expect(index.match("a.b")).toEqual([value]);
      for (const pattern of ["a.*", "**"]) index.delete(pattern, value);
      return new WeakRef(value);
    })();
    await new Promise((resolve) => setTimeout(resolve)); // a WeakRef holds what it was made of to the end of the turn
    heap();
    expect(held.deref()).toBeUndefined();
  });
});

describe("identity", () => {
  it("is kept while nothing changes for the type", () => {
    const index = indexOf({ "a.b": [1], "a.*": [2], "**": [3], "x.*": [4], "plain": [5] });
    const types = ["a.b", "a.c", "x.y", "plain", "nothing.here.at.all"];
    const before = types.map((type) => index.match(type));
    for (const change of ["q.*", "q.**", "q", "*.*.*.q", "a.z"]) {
      index.add(change, 9);
      types.forEach((type, i) => expect(index.match(type)).toBe(before[i]));
      index.add(change, 9);
      index.delete(change, 8);
      index.delete(change, 9);
      types.forEach((type, i) => expect(index.match(type)).toBe(before[i]));
    }
  });

  it("changes with what it holds, and an array once given is never written to", () => {
    const index = indexOf({ "a.b": [1], "a.*": [2] });
    const before = index.match("a.b"), other = index.match("a.c");
    index.add("a.b", 3);
    expect(before).toEqual([1, 2]);
    expect(sorted(index.match("a.b"))).toEqual([1, 2, 3]);
    expect(index.match("a.c")).toBe(other);
    index.add("**.b", 4);
    expect(sorted(index.match("a.b"))).toEqual([1, 2, 3, 4]);
    expect(index.match("a.c")).toBe(other);
    index.delete("a.*", 2);
    expect(sorted(index.match("a.b"))).toEqual([1, 3, 4]);
    expect(index.match("a.c")).toEqual([]);
    expect(other).toEqual([2]);
  });

  it("is shared by all types that one pattern alone matches, and by all that none does", () => {
    const index = indexOf({ "a.*": [1, 2] });
    expect(index.match("a.x")).toBe(index.match("a.y"));
    expect(index.match("b.x")).toBe(index.match("c.y"));
  });

  it("is kept as long as one of the recent answers, and their number is bounded", () => {
    const index = indexOf({ "a.*": [1], "**": [2] }, 8);
    const hot = index.match("a.hot"), cold = index.match("a.cold");
    for (let i = 0; i < 100; i++) {
      index.match(`a.t${i}`);
      expect(index.match("a.hot")).toBe(hot);
    }
    expect(index.match("a.cold")).toEqual(cold);
    expect(index.match("a.cold")).not.toBe(cold);
  });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findJsonMistake } from "../../demo/json-mistake.ts";

test.each([
  ["", 1, 1, "a JSON value is missing; write {} for an empty object"],
  ['{"a": 1,}', 1, 8, "nothing follows this comma; remove it"],
  ["[1, 2,\n]", 1, 6, "nothing follows this comma; remove it"],
  ['{"a": 1 "b": 2}', 1, 9, "a comma or } is missing before this"],
  ['{"a" 1}', 1, 6, "a colon is missing between name and value"],
  ["{a: 1}", 1, 2, 'a name goes in double quotes, as "name"'],
  ["{'a': 1}", 1, 2, 'a name goes in double quotes, as "name"'],
  ["{,}", 1, 2, "a name in double quotes is missing here"],
  ['{"a": \'x\'}', 1, 7, "text goes in double quotes"],
  ['{"a": }', 1, 7, "a value is missing here"],
  ['{\n  "a": [1, 2\n}', 3, 1, "this } does not close the [; ] is missing"],
  ['{"a": {"b": 1}', 1, 1, "the text ends, but this { is not closed; } is missing"],
  ['{"a": "x', 1, 7, "this text has no closing quote; a line break in it is written \\n"],
  ['{"a": "x\ny"}', 1, 7, "this text has no closing quote; a line break in it is written \\n"],
  ['{"a": "\\q"}', 1, 8, 'after \\ comes one of " \\ / b f n r t, or u and four hex digits'],
  ['"\t"', 1, 2, "a tab or control character goes in as \\t or \\u0001"],
  ["[01]", 1, 2, "01 is no JSON number: digits on both sides of the point, no plus, no leading zero"],
  ["[.5]", 1, 2, ".5 is no JSON number: digits on both sides of the point, no plus, no leading zero"],
  ['{"a": None}', 1, 7, "None is no JSON value; text goes in double quotes"],
  ['{"a": 1} {"b": 2}', 1, 10, "the value ended before this; only one value may stand here"],
  ["// note\n{}", 1, 1, "JSON has no comments"],
])("%j: line %i, column %i: %s", (text, line, column, message) => {
  expect(findJsonMistake(text)).toMatchObject({ line, column, message });
});

test("the excerpt marks the place, also in a long line", () => {
  const text = `{"first": 1, "second": "${"x".repeat(100)}" "third": 3}`;
  const { excerpt } = findJsonMistake(text)!;
  const [line = "", mark = ""] = excerpt.split("\n");
  expect(line.length).toBeLessThan(52);
  expect(line.slice(mark.indexOf("↑"))).toMatch(/^"third"/);
});

test("whatever JSON.parse refuses has a place, and whatever it takes has no mistake", () => {
  fc.assert(fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom(...Array.from("{}[]\",:'0.-+eEtnu\\/\n\u0001 x")), fc.boolean(), (json, place, character, replace) => {
    const at = place % (json.length + 1);
    const text = json.slice(0, at) + character + json.slice(at + (replace ? 1 : 0));
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    const mistake = findJsonMistake(text);
    expect(mistake === undefined).toBe(valid);
    if (mistake === undefined) return;
    expect(mistake.at).toBeLessThanOrEqual(text.length);
    // The engine's own words would mean that the place was not found.
    expect(mistake.message).not.toMatch(/JSON at position|Unexpected|in JSON/);
  }), { numRuns: 2_000 });
});

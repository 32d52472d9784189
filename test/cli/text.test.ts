import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonBreaksAt } from "../../src/cli/json-breaks.ts";
import { suggest } from "../../src/cli/suggest.ts";
import { json, readable, safe, snakeCase } from "../../src/cli/text.ts";

test("readable JSON is the seed's: one line, a space behind colon and comma, nothing inside of brackets", () => {
  expect(readable({ id: 123, name: "Alice" })).toBe('{"id": 123, "name": "Alice"}');
  expect(readable([])).toBe("[]");
  expect(readable({ a: {}, b: [1, [2]], c: "x,\n  y: [ ]" })).toBe('{"a": {}, "b": [1, [2]], "c": "x,\\n  y: [ ]"}');
});

test("readable JSON is the same JSON", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = readable(value);
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    expect(JSON.parse(json(value))).toEqual(JSON.parse(JSON.stringify(value)));
  }));
});

test("no text of a stranger reaches the terminal as a command", () => {
  const evil = "\u001b[2Jx\u009b31m\u007f\u0007";
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  for (const text of [safe(evil), readable({ evil }), json({ evil })]) expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(JSON.parse(readable({ evil }))).toEqual({ evil });
});

test.each([
  ["hello", 0], ["{id:1}", 1], ["{'a':1}", 1], ["[1,]", 3], ['{"a":1,}', 7], ['{"a" 1}', 5], ['{"a":x}', 5], ["[1}", 2], ['["]", ]', 6], ["1 2", 2], ["01", 1], ['"a\nb"', 0],
  ["", 0], ["  ", 2], ['{"a":1', 6], ['{"a":', 5], ['{"a"', 4], ["[1", 2], ["{", 1], ["1.", 1],
])("%j stops being JSON at %i", (text, at) => expect(jsonBreaksAt(text)).toBe(at));

test("what is JSON breaks nowhere; what is not breaks where up to there it only ended too early", () => {
  fc.assert(fc.property(fc.json(), fc.nat(), fc.constantFrom("", "}", "]", ",", ":", '"', "x", "1", " "), (text, place, inserted) => {
    const at = place % (text.length + 1);
    const broken = text.slice(0, at) + inserted + text.slice(at);
    const breaks = jsonBreaksAt(broken);
    if (isJson(broken)) expect(breaks).toBe(broken.length);
    expect(jsonBreaksAt(broken.slice(0, breaks))).toBe(breaks);
  }), { numRuns: 500 });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each([["strat", "start"], ["stat", "status"], ["moniter", "monitor"], ["pub", "publish"], ["reqest", "request"], ["xyz", undefined], ["", undefined]])("%j is taken for %j", (typed, meant) => {
  expect(suggest(typed, ["start", "status", "monitor", "publish", "request"])).toBe(meant);
});

test("snake_case renames the fields and leaves the values alone", () => {
  expect(snakeCase({ correlationId: "a", payload: { keepThis: 1 } })).toEqual({ correlation_id: "a", payload: { keepThis: 1 } });
});

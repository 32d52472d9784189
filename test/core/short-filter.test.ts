import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ValidationError } from "../../src/core/errors.ts";
import { compileFilter } from "../../src/core/filter.ts";
import { compileRegex } from "../../src/core/regex.ts";
import { parseShortFilter } from "../../src/core/short-filter.ts";

describe("short filter", () => {
  test.each([
    ["priority:gt:5", { priority: { $gt: 5 } }],
    ["payload.amount:gte:100", { "payload.amount": { $gte: 100 } }],
    ["source:in:a|b", { source: { $in: ["a", "b"] } }],
    ["payload.n:nin:1|true|null|x|\"1\"", { "payload.n": { $nin: [1, true, null, "x", "1"] } }],
    ["source:api", { source: { $eq: "api" } }],
    ["payload.on:true", { "payload.on": { $eq: true } }],
    ["payload.gone:ne:null", { "payload.gone": { $ne: null } }],
    ["payload.x:exists:false", { "payload.x": { $exists: false } }],
    ["payload.n:eq:-1.5e3", { "payload.n": { $eq: -1500 } }],
    ["payload.zip:eq:0123", { "payload.zip": { $eq: "0123" } }],
    ["payload.n:eq:\"5\"", { "payload.n": { $eq: "5" } }],
    ["payload.s:eq:\"\"", { "payload.s": { $eq: "" } }],
    ["payload.name:eq:\"Smith, J: x|\\\"y\\\"\"", { "payload.name": { $eq: 'Smith, J: x|"y"' } }],
    ["payload.inch:5\"", { "payload.inch": { $eq: '5"' } }],
    ["correlationId:42", { correlationId: { $eq: "42" } }],
    ["headers.trace:in:1|2", { "headers.trace": { $in: ["1", "2"] } }],
    ["timestamp:gte:2026-01-01T00:00:00.000Z", { timestamp: { $gte: "2026-01-01T00:00:00.000Z" } }],
    ["payload.url:regex:^https://a::b", { "payload.url": { $regex: "^https://a::b" } }],
    ["payload.n:regex:\"^[0-9]{1,3}$\"", { "payload.n": { $regex: "^[0-9]{1,3}$" } }],
    ["type:eq:user.created", { type: { $eq: "user.created" } }],
    [" priority : gt : 5 , source : api ", { priority: { $gt: 5 }, source: { $eq: "api" } }],
    ["priority:gte:2,priority:lt:8", { priority: { $gte: 2, $lt: 8 } }],
    ["priority:ne:2,priority:ne:8", { $and: [{ priority: { $ne: 2 } }, { priority: { $ne: 8 } }] }],
  ])("%s", (text, filter) => expect(parseShortFilter(text)).toEqual({ filter, topics: undefined }));

  test("a type in two parts is a pattern", () => {
    expect(parseShortFilter("type:user.*")).toEqual({ filter: undefined, topics: ["user.*"] });
    expect(parseShortFilter("type:user.*|order.**,priority:gt:5")).toEqual({ filter: { priority: { $gt: 5 } }, topics: ["user.*", "order.**"] });
  });

  test("[Filter] what it gives is a filter that compiles", () => {
    const { filter } = parseShortFilter('priority:gt:5,payload.tags:in:gold|"1",payload.coupon:exists:false,payload.name:regex:^A');
    const matches = compileFilter(filter!, { regex: compileRegex });
    expect(matches({ priority: 6, payload: { tags: ["x", "1"], name: "Ada" } })).toBe(true);
    expect(matches({ priority: 6, payload: { tags: [1], name: "Ada" } })).toBe(false);
  });

  test.each([
    "", ",", "priority", "priority:", ":5", ":gt:5", "priority:gt:", "priority:above:5", "a:b,,c:d", "a:b,", "payload.x:exists:maybe", "payload.x:exists:1",
    "type:user.*,type:order.*", "payload.a:\"open", "payload.a:eq:\"bad \\q\"", "payload.a:eq:\"one\"two", "source:in:a||b", "source:http:x",
  ])("%j is ERR_FILTER, with an example of the right form", (text) => {
    const attempt = () => parseShortFilter(text);
    expect(attempt).toThrow(ValidationError);
    expect(attempt).toThrow(expect.objectContaining({ code: "ERR_FILTER", message: expect.stringContaining("priority:gt:5"), details: { path: expect.any(String) } }));
  });

  test("a field named as the prototype is only a field", () => {
    const { filter } = parseShortFilter("__proto__:eq:1");
    expect(Object.getPrototypeOf(filter)).toBe(Object.prototype);
    expect(Object.keys(filter!)).toEqual(["__proto__"]);
  });

  test("any text in quotes comes back as it was; any other text gives a filter or ERR_FILTER", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect(parseShortFilter(`payload.a:eq:${JSON.stringify(text)}`).filter).toEqual({ "payload.a": { $eq: text } });
    }), { numRuns: 1_000 });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."a.:,|\"\\ 1t{$") }), (text) => {
      try {
        parseShortFilter(text);
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_FILTER" });
      }
    }), { numRuns: 3_000 });
  });
});

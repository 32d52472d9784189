import * as fc from "fast-check";
import { expect, test } from "vitest";
import { conditionsOf, filterOf, operators, type Condition } from "../../demo/filter-conditions.ts";
import { schemaOf } from "../../demo/publish-schema.ts";

const line = (text: string): Condition => {
  const [field = "", operator = "", ...value] = text.split(" ");
  return { field, operator: operator as Condition["operator"], value: value.join(" ") };
};

test.each([
  [[], "all", undefined],
  [["payload.total $gt 50"], "all", { "payload.total": { $gt: 50 } }],
  [["source $eq shop"], "all", { source: "shop" }],
  [['payload.code $eq "50"'], "all", { "payload.code": "50" }],
  [["priority $gte 3", "priority $lt 8", "source $ne shop"], "all", { priority: { $gte: 3, $lt: 8 }, source: { $ne: "shop" } }],
  [["type $in order.placed, order.paid"], "all", { type: { $in: ["order.placed", "order.paid"] } }],
  [["payload.note $exists no"], "all", { "payload.note": { $exists: false } }],
  [["type $regex ^a", "type $regex b$"], "all", { $and: [{ type: { $regex: "^a" } }, { type: { $regex: "b$" } }] }],
  [["source $eq shop", "priority $gt 7"], "any", { $or: [{ source: "shop" }, { priority: { $gt: 7 } }] }],
] as const)("%j, %s: %j, and back", (lines, joined, filter) => {
  const conditions = lines.map(line);
  expect(filterOf(conditions, joined)).toEqual(filter);
  expect(conditionsOf(filter)).toEqual({ conditions, joined });
});

test.each([
  [{ $nor: [{ priority: 1 }] }], [{ $or: [{ a: 1, b: 2 }] }], [{ a: { $size: 2 } }], [{ a: {} }], [{ a: { $in: ["x,y"] } }], [{ a: { $not: { $regex: "x" } } }], [{ $and: [{ $or: [{ a: 1 }] }] }],
])("%j is more than lines can say", (filter) => expect(conditionsOf(filter)).toBeUndefined());

test("what lines say is read back as lines that say the same", () => {
  const field = fc.constantFrom("type", "source", "priority", "payload.total", "payload.a.b");
  const value = fc.oneof(fc.string({ minLength: 1 }).filter((text) => text.trim() === text && !text.includes(",")), fc.integer().map(String), fc.constantFrom("true", "null", '"50"', "yes", "no"));
  const condition = fc.record({ field, operator: fc.constantFrom(...operators.map(([name]) => name)), value });
  fc.assert(fc.property(fc.array(condition, { maxLength: 5 }), fc.constantFrom("all", "any"), (conditions, joined) => {
    const filter = filterOf(conditions, joined);
    const back = conditionsOf(filter);
    // A value that is an object itself is no line.
    if (back !== undefined) expect(filterOf(back.conditions, back.joined)).toEqual(filter);
    else expect(JSON.stringify(filter)).toMatch(/[{[]/);
  }));
});

test("a payload tells its schema", () => {
  expect(schemaOf({ id: 1, price: 1.5, tags: ["a"], to: null, open: true })).toEqual({
    type: "object", required: ["id", "price", "tags", "to", "open"],
    properties: { id: { type: "integer" }, price: { type: "number" }, tags: { type: "array", items: { type: "string" } }, to: { type: "null" }, open: { type: "boolean" } },
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mentionsPayload, withoutPayload } from "../../../src/client/encryption/split-filter.ts";
import { compileFilter, type Filter } from "../../../src/core/filter.ts";
import { compileRegex } from "../../../src/core/regex.ts";
import { KEY, place } from "./kit.ts";

const scalar = fc.constantFrom<unknown>(null, 0, 1, 2, 5, "a", "b", "ab", true);
const operator = fc.oneof(
  fc.tuple(fc.constantFrom("$eq", "$ne", "$gt", "$lte"), scalar), fc.tuple(fc.constantFrom("$in", "$nin"), fc.array(scalar, { maxLength: 3 })), fc.tuple(fc.constant("$exists"), fc.boolean()),
  fc.tuple(fc.constant("$regex"), fc.constantFrom("^a", "b$", "eyJ")), fc.tuple(fc.constant("$type"), fc.constantFrom("string", "number", "object")), fc.tuple(fc.constant("$size"), fc.nat(2)),
  fc.tuple(fc.constant("$not"), fc.constantFrom({ $gt: 1 }, { $regex: "^a" })), fc.tuple(fc.constant("$elemMatch"), fc.constantFrom({ $gt: 1 }, { a: 1 })),
).map(([name, operand]) => ({ [name]: operand }));
const path = fc.constantFrom("payload", "payload.a", "payload.b.a", "payload.0", "priority", "source", "type", "headers.h", "correlationId", "seq");
const field: fc.Arbitrary<Filter> = fc.tuple(path, fc.oneof({ weight: 4, arbitrary: operator }, { weight: 1, arbitrary: scalar }, { weight: 1, arbitrary: fc.constantFrom(/^a/, /B/i) })).map(([name, condition]) => ({ [name]: condition }));
const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof({ maxDepth: 3 },
    { weight: 5, arbitrary: field }, { weight: 2, arbitrary: fc.tuple(field, field).map(([a, b]) => ({ ...a, ...b })) }, { weight: 1, arbitrary: fc.constant<Filter>({}) },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom("$and", "$or", "$nor"), fc.array(tie("filter"), { minLength: 1, maxLength: 3 }), fc.oneof(fc.constant({}), field)).map(([name, clauses, more]) => ({ [name]: clauses, ...more })) }),
})).filter;
const payloads = fc.oneof(scalar, fc.record({ a: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), b: fc.record({ a: scalar }) }, { requiredKeys: [] }), fc.array(fc.oneof(scalar, fc.record({ a: scalar })), { maxLength: 3 }));
const events = fc.record({ payload: payloads, priority: fc.integer({ min: 0, max: 9 }), source: fc.constantFrom("a", "b"), type: fc.constantFrom("a.x", "b.x"), headers: fc.constantFrom({ h: "a" }, { h: "ab" }), correlationId: fc.constantFrom("a", "b") }, { requiredKeys: ["payload", "priority", "type"] });
const compile = (filter: Filter) => compileFilter(filter, { maxNodes: Infinity, regex: compileRegex });

describe("a filter without what it asks about payloads", () => {
  test("asks nothing about payloads, and lets through all that the whole does", () => {
    fc.assert(fc.property(filters, fc.array(events, { minLength: 1, maxLength: 8 }), (filter, some) => {
      const rest = withoutPayload(filter);
      expect(mentionsPayload(rest)).toBe(false);
      const [whole, left] = [compile(filter), compile(rest)];
      for (const event of some) if (whole(event)) expect(left(event)).toBe(true);
      // Where nothing was asked about payloads nothing is lost.
      if (!mentionsPayload(filter)) for (const event of some) expect(left(event)).toBe(whole(event));
    }), { numRuns: 3_000 });
  });

  test.each<[Filter, Filter]>([
    [{ priority: { $gt: 5 }, "payload.a": 1 }, { priority: { $gt: 5 } }],
    [{ payload: null }, {}],
    [{ $and: [{ "payload.a": 1 }, { source: "a" }] }, { $and: [{ source: "a" }] }],
    [{ $or: [{ "payload.a": 1 }, { source: "a" }] }, {}],
    [{ $or: [{ "payload.a": 1, type: "x" }, { source: "a" }] }, { $or: [{ type: "x" }, { source: "a" }] }],
    [{ $nor: [{ "payload.a": 1, type: "x" }, { source: "a" }] }, { $nor: [{ source: "a" }] }],
    [{ $and: [{ $or: [{ "payload.a": 1 }] }] }, {}],
  ])("%j becomes %j", (filter, rest) => {
    expect(withoutPayload(filter)).toEqual(rest);
  });
});

test("the same events pass a filter, whether they are encrypted or not", async () => {
  await fc.assert(fc.asyncProperty(fc.array(filters, { minLength: 1, maxLength: 8 }), fc.array(events, { minLength: 1, maxLength: 20 }), async (queries, published) => {
    const passed = await Promise.all([{}, { encryption: { key: KEY } }, { encryption: { key: KEY, types: ["a.*"] } }].map(async (options) => {
      await using here = place();
      const client = here.connect(options);
      await client.publishBatch(published.map(({ type, payload, ...meta }) => [type, payload, meta]));
      const end = here.connect(options);
      await end.publish("end.of.it");
      return Promise.all(queries.map(async (query) => {
        const seqs: number[] = [];
        // Its own end passes any filter.
        for await (const { seq, type } of client.stream("**", { from: "start", filter: { $or: [{ type: "end.of.it" }, query] } })) {
          if (type === "end.of.it") return seqs;
          seqs.push(seq);
        }
        return seqs;
      }));
    }));
    expect(passed[1]).toEqual(passed[0]);
    expect(passed[2]).toEqual(passed[0]);
  }), { numRuns: 60 });
});

test("what is no filter is refused as a router refuses it, with or without payloads in it", async () => {
  await using here = place();
  const client = here.connect({ encryption: { key: KEY } });
  for (const [filter, code] of [[{ "payload.a": { $where: "1" } }, "ERR_FILTER"], [{ amount: 1 }, "ERR_FILTER"], [{ $or: [] }, "ERR_FILTER"], [{ "payload.a": { $regex: "(a)\\1" } }, "ERR_REGEX"], [{ $or: 1 }, "ERR_FILTER"]] as const) {
    await expect(client.subscribe("n", { filter: filter as Filter }, () => {})).rejects.toMatchObject({ name: "ValidationError", code });
  }
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { lineOf, plainText } from "../../src/client/encode-event.ts";
import type { EventInit } from "../../src/core/event.ts";
import { EventRouterError } from "../../src/core/errors.ts";
import { knownLine, type KnownEvent } from "../../src/core/known-event.ts";
import { defaultLimits, type Limits } from "../../src/core/limits.ts";
import { readLine, type Publication } from "../../src/core/publish.ts";

const verdict = (read: () => Publication | undefined): unknown => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EventRouterError)) throw error;
    return { code: error.code, details: error.details };
  }
};

function known(event: EventInit): KnownEvent {
  const text = plainText(event)!;
  const id = event.id ?? "evt_1";
  return { id, type: event.type, text, line: lineOf(text, id) };
}

const odd = { toJSON: () => "as JSON has it" };
const field = fc.oneof(fc.string(), fc.integer({ min: -1, max: 11 }), fc.constantFrom(undefined, null, odd, {}, "", "a\u0000b", "x".repeat(300)));
const init = fc.record({
  id: fc.constantFrom("evt_1", "a b", "", "x".repeat(129)), type: fc.constantFrom("user.created", "$sys.x", "a..b", ""), payload: fc.jsonValue(),
  source: field, priority: field, stream: field, headers: fc.oneof(field, fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 })),
}, { requiredKeys: ["type", "payload"] }) as fc.Arbitrary<EventInit>;

test("what a client of the process says of its line is judged as the line itself would be", () => {
  fc.assert(fc.property(init, (event) => {
    fc.pre(plainText(event) !== undefined);
    const one = known(event);
    expect(verdict(() => knownLine(one, one.line, defaultLimits) ?? readLine(one.line, defaultLimits))).toEqual(verdict(() => readLine(one.line, defaultLimits)));
  }), { numRuns: 2_000 });
});

test("a plain event is known, with its fields or without", () => {
  for (const event of [{ type: "user.created" }, { type: "user.created", payload: { a: [1] }, source: "shop", priority: 7, stream: "order-1" }]) {
    const one = known(event);
    expect(knownLine(one, one.line, defaultLimits)).toEqual(readLine(one.line, defaultLimits));
  }
});

test.each<[string, EventInit, Partial<Limits>?]>([
  ["headers, which the publisher may change meanwhile", { type: "a", headers: { "x-a": "1" } }],
  ["a field that JSON leaves out", { type: "a", source: undefined! }],
  ["a text so long that its payload's bytes are counted", { type: "a", payload: "x".repeat(100) }, { payload: 300 }],
  ["a router that takes less depth than clients see to", { type: "a", payload: 1 }, { depth: 31 }],
])("the line is read: %s", (_, event, limits = {}) => {
  const one = known(event);
  expect(knownLine(one, one.line, { ...defaultLimits, ...limits })).toBeUndefined();
});

test("the line is read if it is another, or nothing is known of it", () => {
  const one = known({ type: "a", payload: 1 });
  expect(knownLine(one, one.line.replace("1]", "2]"), defaultLimits)).toBeUndefined();
  expect(knownLine(undefined, one.line, defaultLimits)).toBeUndefined();
  expect(knownLine({ ...one, text: {} }, one.line, defaultLimits)).toBeUndefined();
});

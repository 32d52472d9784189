import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeLine, timestamps, type EventLine } from "../../src/core/line.ts";
import { LogEvent } from "../../src/core/log-event.ts";

const text = fc.string({ minLength: 1, maxLength: 8 });
const meta = fc.record({ source: text, target: text, priority: fc.integer({ min: 0, max: 9 }), correlationId: text, headers: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), text), stream: text }, { requiredKeys: [] });
const from = fc.oneof(
  fc.constant(0 as const), text,
  fc.tuple(fc.oneof(fc.constant(0 as const), text), fc.oneof(fc.constant(0 as const), text)),
  fc.tuple(fc.oneof(fc.constant(0 as const), text), fc.oneof(fc.constant(0 as const), text), fc.nat()),
);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const parsed = fc.tuple(fc.nat(), time, from, text, text, fc.jsonValue(), fc.option(meta, { nil: undefined }));

const fields = ["id", "type", "payload", "seq", "timestamp", "source", "target", "priority", "correlationId", "headers", "stream", "version", "publisher"] as const;

test("a decoded event and the getters that filters read say the same, field by field", () => {
  const timestamp = timestamps();
  fc.assert(fc.property(parsed, (parts) => {
    const line = JSON.stringify(parts[6] === undefined ? parts.slice(0, 6) : parts);
    const event = LogEvent.fromLine(line);
    const decoded = decodeLine(JSON.parse(line) as EventLine, "ep", timestamp);
    for (const field of fields) expect(event[field], field).toEqual(decoded[field]);
    expect(Object.keys(decoded).filter((key) => key !== "epoch" && !(fields as readonly string[]).includes(key))).toEqual([]);
    expect(decoded.epoch).toBe("ep");
    expect([event.line, event.size, event.time]).toEqual([line, line.length, parts[1]]);
  }), { numRuns: 500 });
});

test("absent fields are absent, not undefined", () => {
  expect(decodeLine([1, 0, 0, "a", "t", null], "e", timestamps())).toStrictEqual({ id: "a", type: "t", payload: null, seq: 1, epoch: "e", timestamp: "1970-01-01T00:00:00.000Z", priority: 5 });
});

test("the router knows the publisher, the name is the source unless the event names another", () => {
  const decode = (...line: unknown[]) => decodeLine(line as unknown as EventLine, "e", timestamps());
  expect(decode(1, 0, "sub", "a", "t", 1)).toMatchObject({ publisher: { subject: "sub" } });
  expect(decode(1, 0, ["sub", "name"], "a", "t", 1)).toMatchObject({ publisher: { subject: "sub" }, source: "name" });
  expect(decode(1, 0, ["sub", "name", 3], "a", "t", 1, { source: "own", stream: "s" })).toMatchObject({ source: "own", stream: "s", version: 3 });
  expect(decode(1, 0, [0, "name"], "a", "t", 1)).not.toHaveProperty("publisher");
});

test("an event made with its line parses it only when asked", () => {
  const event = new LogEvent(7, 5, "t", "not JSON");
  expect([event.seq, event.type, event.size, event.timestamp]).toEqual([7, "t", 8, "1970-01-01T00:00:00.005Z"]);
  expect(() => event.payload).toThrow(SyntaxError);
});

test("timestamps of neighbours and of others are right", () => {
  const timestamp = timestamps();
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 }), (times) => {
    for (const one of times) expect(timestamp(one)).toBe(new Date(one).toISOString());
  }), { numRuns: 50 });
});

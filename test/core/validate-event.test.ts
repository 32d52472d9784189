import { describe, expect, test } from "vitest";
import { defaultLimits } from "../../src/core/limits.ts";
import type { LineMeta } from "../../src/core/line.ts";
import { checkEvent, checkPayload } from "../../src/core/validate-event.ts";

const check = ({ id = "a", type = "t", payload = null as unknown, meta }: { id?: unknown; type?: unknown; payload?: unknown; meta?: unknown }, limits = defaultLimits): void =>
  checkEvent(id, type, payload, meta as LineMeta | undefined, JSON.stringify([id, type, payload, meta])?.length ?? 0, limits);

const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
const long = "x".repeat(257);

describe("what is right passes", () => {
  test.each([
    [{ id: "A-Z.a_z:09" }], [{ id: "x".repeat(128) }], [{ type: "x".repeat(256) }], [{ payload: nested(32) }], [{ payload: undefined }], [{ meta: {} }],
    [{ meta: { source: "s".repeat(256), target: "ü 👍", correlationId: "c", priority: 0, headers: {} } }], [{ meta: { priority: 9 } }],
    [{ meta: { headers: { "x-Trace.id_1": "v".repeat(1_024), empty: "" } } }],
    [{ meta: { headers: Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`h${i}`, "v"])) } }],
  ])("%j", (event) => expect(() => check(event)).not.toThrow());
});

describe("[Limits] what is wrong is refused with its code, its place and what is right", () => {
  test.each([
    [{ id: "" }, "ERR_EVENT_ID", "id", "1 to 128 characters"],
    [{ id: "x".repeat(129) }, "ERR_EVENT_ID", "id", "1 to 128 characters"],
    [{ id: "a b" }, "ERR_EVENT_ID", "id", "A-Z a-z 0-9"],
    [{ id: "a\n" }, "ERR_EVENT_ID", "id", "A-Z a-z 0-9"],
    [{ id: "é" }, "ERR_EVENT_ID", "id", "A-Z a-z 0-9"],
    [{ id: 5 }, "ERR_EVENT_ID", "id", "1 to 128 characters"],
    [{ id: null }, "ERR_EVENT_ID", "id", "1 to 128 characters"],
    [{ id: ["a"] }, "ERR_EVENT_ID", "id", "1 to 128 characters"],
    [{ type: "" }, "ERR_TYPE", "type", "put a name before and after every dot"],
    [{ type: "order.*" }, "ERR_TYPE", "type", "wildcards are for subscribing"],
    [{ type: "$sys.x" }, "ERR_TYPE", "type", "the router's own"],
    [{ type: 5 }, "ERR_TYPE", "type", "a string such as"],
    [{ type: "x".repeat(257) }, "ERR_TYPE", "type", "at most 256 characters"],
    [{ type: Array(17).fill("a").join(".") }, "ERR_TYPE", "type", "more than 16 segments"],
    [{ payload: nested(33) }, "ERR_PAYLOAD_DEPTH", "payload", "32 levels deep; flatten it"],
    [{ payload: { a: { b: nested(31) } } }, "ERR_PAYLOAD_DEPTH", "payload", "flatten it"],
    [{ payload: "x".repeat(256 * 1024) }, "ERR_PAYLOAD_TOO_LARGE", "payload", "publish a reference"],
    [{ meta: null }, "ERR_META", "meta", "must be an object of source, target"],
    [{ meta: [] }, "ERR_META", "meta", "must be an object"],
    [{ meta: "x" }, "ERR_META", "meta", "must be an object"],
    [{ meta: 0 }, "ERR_META", "meta", "must be an object"],
    [{ meta: { source: "" } }, "ERR_META", "source", "1 to 256 characters"],
    [{ meta: { source: long } }, "ERR_META", "source", "1 to 256 characters"],
    [{ meta: { source: 5 } }, "ERR_META", "source", "1 to 256 characters"],
    [{ meta: { target: "a\u0000" } }, "ERR_META", "target", "without control characters"],
    [{ meta: { target: null } }, "ERR_META", "target", "1 to 256 characters"],
    [{ meta: { correlationId: "a\r\nb" } }, "ERR_META", "correlationId", "without control characters"],
    [{ meta: { correlationId: "\u007f" } }, "ERR_META", "correlationId", "without control characters"],
    [{ meta: { priority: -1 } }, "ERR_PRIORITY", "priority", "whole number from 0 to 9"],
    [{ meta: { priority: 10 } }, "ERR_PRIORITY", "priority", "whole number from 0 to 9"],
    [{ meta: { priority: 1.5 } }, "ERR_PRIORITY", "priority", "whole number from 0 to 9"],
    [{ meta: { priority: "5" } }, "ERR_PRIORITY", "priority", "whole number from 0 to 9"],
    [{ meta: { priority: Infinity } }, "ERR_PRIORITY", "priority", "whole number from 0 to 9"],
    [{ meta: { publisher: { subject: "me" } } }, "ERR_META", "publisher", "use source, target, priority, correlationId, headers, stream or ttl"],
    [{ meta: { stream: "$s" } }, "ERR_STREAM", "stream", "the name of an event stream"],
    [{ meta: { ttl: 0 } }, "ERR_TTL", "ttl", "a duration of 1 ms or more"],
    [{ meta: { ttl: "1s" } }, "ERR_TTL", "ttl", "a duration of 1 ms or more"],
    [{ meta: { version: 1 } }, "ERR_META", "version", "is not a field of an event"],
    [{ meta: JSON.parse('{"__proto__":{}}') as unknown }, "ERR_META", "__proto__", "is not a field of an event"],
    [{ meta: { headers: null } }, "ERR_HEADERS", "headers", "an object of strings"],
    [{ meta: { headers: ["a"] } }, "ERR_HEADERS", "headers", "an object of strings"],
    [{ meta: { headers: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`h${i}`, "v"])) } }, "ERR_HEADERS", "headers", "32 at most"],
    [{ meta: { headers: { "": "v" } } }, "ERR_HEADERS", "headers.", "a name of 1 to 128 characters"],
    [{ meta: { headers: { "a b": "v" } } }, "ERR_HEADERS", "headers.a b", "a name of 1 to 128 characters"],
    [{ meta: { headers: { ["x".repeat(129)]: "v" } } }, "ERR_HEADERS", `headers.${"x".repeat(32)}`, "a name of 1 to 128 characters"],
    [{ meta: { headers: JSON.parse('{"__proto__":"v"}') as unknown } }, "ERR_HEADERS", "headers.__proto__", "a name of"],
    [{ meta: { headers: { a: 5 } } }, "ERR_HEADERS", "headers.a", "a string of at most 1024 characters"],
    [{ meta: { headers: { a: "v".repeat(1_025) } } }, "ERR_HEADERS", "headers.a", "a string of at most 1024 characters"],
    [{ meta: { headers: { a: "one\r\nInjected: two" } } }, "ERR_HEADERS", "headers.a", "without control characters"],
  ])("%j", (event, code, path, advice) => {
    expect(() => check(event)).toThrow(expect.objectContaining({ name: "ValidationError", code, details: { path }, message: expect.stringContaining(advice) }));
  });
});

describe("[Limits] bytes are counted as they are on the wire", () => {
  // Each as [text, bytes in UTF-8]: one to four bytes, and an escaped one.
  test.each([["a", 1], ["é", 2], ["ह", 3], ["👍", 4], ['"', 2], ["\n", 2]])("%j", (unit, bytes) => {
    for (const limit of [100, 101, 102, 103, 104]) {
      for (let count = 0; count < 110; count++) {
        const payload = unit.repeat(count);
        const text = JSON.stringify(payload);
        const real = new TextEncoder().encode(text).length;
        expect(real).toBe(count * bytes + 2);
        const attempt = () => checkPayload(payload, text.length, { ...defaultLimits, payload: limit });
        if (real <= limit) expect(attempt).not.toThrow();
        else expect(attempt).toThrow(expect.objectContaining({ code: "ERR_PAYLOAD_TOO_LARGE" }));
      }
    }
  });

  test("a payload nested 200,000 levels is too deep, whatever its size", () => {
    const text = "[".repeat(200_000) + "]".repeat(200_000);
    expect(() => checkPayload(JSON.parse(text), text.length, defaultLimits)).toThrow(expect.objectContaining({ code: "ERR_PAYLOAD_DEPTH" }));
  });
});

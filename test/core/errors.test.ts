import { expect, test } from "vitest";
import * as errors from "../../src/core/errors.ts";

const { asError, EventRouterError, fromWire, toWire } = errors;
type Constructor = typeof EventRouterError;
const family = Object.values(errors).filter((one): one is Constructor => typeof one === "function" && (one === EventRouterError || one.prototype instanceof EventRouterError));

test("the family has its twelve members", () => {
  expect(family.map(({ name }) => name).sort()).toEqual([
    "AuthenticationError", "ConflictError", "ConnectionError", "EncryptionError", "EventRouterError", "NoRespondersError",
    "PermissionError", "PublishError", "RemoteError", "SubscriptionError", "TimeoutError", "ValidationError",
  ]);
});

test.each(family.map((Class) => [Class.name, Class] as const))("%s survives the wire", (name, Class) => {
  const sent = new Class("ERR_X", "what to do", { retryable: true, cause: new Error("secret cause"), details: { path: "a.b", n: 1 } });
  const text = JSON.stringify(toWire(sent));
  const got = fromWire(JSON.parse(text) as errors.WireError);
  expect(got).toBeInstanceOf(Class);
  expect(got.constructor).toBe(Class);
  expect({ name: got.name, code: got.code, message: got.message, retryable: got.retryable, details: got.details }).toEqual({ name, code: "ERR_X", message: "what to do", retryable: true, details: { path: "a.b", n: 1 } });
  expect(got.cause).toBeUndefined();
  // Neither stack nor cause cross.
  expect(text).not.toContain("secret");
  expect(text).not.toContain("errors.test");
  expect(text).not.toContain(".ts:");
});

test("without details there are none on the wire, and what is not retryable stays so", () => {
  const wire = toWire(new errors.ConflictError("ERR_X", "m"));
  expect(wire).toEqual(["ConflictError", "ERR_X", "m", 0]);
  const got = fromWire(wire);
  expect([got.retryable, got.details]).toEqual([false, {}]);
});

test.each(["Nonsense", "__proto__", "constructor", "toString", "hasOwnProperty", ""])("an error of the unknown name %j is one of the family's base", (name) => {
  const got = fromWire([name, "ERR_NEW", "from a newer router", 1, { a: 1 }]);
  expect(got.constructor).toBe(EventRouterError);
  expect([got.code, got.message, got.retryable, got.details]).toEqual(["ERR_NEW", "from a newer router", true, { a: 1 }]);
});

test("asError leaves the family alone and wraps anything else, with it as the cause", () => {
  const own = new errors.PublishError("ERR_X", "m");
  expect(asError(own, () => { throw new Error("not to be called"); })).toBe(own);
  for (const thrown of [new TypeError("x"), "text", undefined, null, 5]) {
    const got = asError(thrown, (cause) => new EventRouterError("ERR_INTERNAL", "m", { cause }));
    expect(got.code).toBe("ERR_INTERNAL");
    expect(got.cause).toBe(thrown);
  }
});

import { expect, test } from "vitest";
import { rightsOf, RightsPool } from "../../src/auth/rights.ts";
import { Grant, type GrantInit } from "../../src/auth/grant.ts";
import { overlapsPattern } from "../../src/auth/overlaps-pattern.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import { seeded } from "../support/fake-surroundings.ts";

test.each<[permissions: string[], question: string, answer: boolean]>([
  [["publish:order.*"], "publish order.placed", true],
  [["publish:order.*"], "publish order.item.added", false],
  [["publish:order.*"], "subscribe order.placed", false],
  [["subscribe:order.**"], "reach order.*", true],
  [["subscribe:order.**"], "reach **", false],
  [["subscribe:**", "deny:subscribe:order.secret"], "subscribe order.secret", false],
  [["subscribe:**", "deny:subscribe:order.secret"], "subscribe order.open", true],
  [["subscribe:**", "deny:subscribe:order.secret"], "reach order.*", false],
  [["subscribe:**", "deny:subscribe:order.secret"], "reach user.*", true],
  [["deny:subscribe:order.secret", "subscribe:order.secret"], "subscribe order.secret", false],
  [["deny:publish:a", "subscribe:a"], "subscribe a", true],
  [["admin"], "publish a.b", true],
  [["admin"], "reach **", true],
  [["admin", "deny:subscribe:payroll.**"], "subscribe payroll.run", false],
  [["admin"], "has manage", true],
  [["manage"], "has manage", true],
  [["manage"], "has admin", false],
  [["manage"], "subscribe a", false],
  [["manage:orders", "administrator", "read:a"], "has manage", false],
  [["read:order.*"], "subscribe order.a", false],
  [["subscribe:**"], "subscribe $dead.a", false],
  [["admin"], "publish $dead.a", false],
  [[], "subscribe a", false],
])("%j: %s is %s", (permissions, question, answer) => {
  const [verb, what] = question.split(" ") as [string, string];
  const rights = rightsOf(permissions);
  expect(verb === "has" ? rights.has(what as "manage") : verb === "reach" ? rights.contains("subscribe", what) : rights.allows(verb as "publish", what)).toBe(answer);
});

test.each<[permissions: unknown, says: RegExp]>([
  [["publish"], /needs a pattern/], [["publish:"], /a segment is empty/], [["publish:a..b"], /a segment is empty/], [["subscribe:$dead.a"], /needs a pattern.*manage/],
  [["deny:manage"], /denies nothing/], [["deny:subcribe:a"], /denies nothing/], [["deny:"], /denies nothing/], ["admin", /list/], [[1], /texts/], [[""], /texts/], [["x".repeat(301)], /300/],
  [Array.from({ length: 201 }, (_, i) => `read:${i}`), /at most 200/], [null, /list/],
])("refused: %j", (permissions, says) => {
  expect(() => rightsOf(permissions as string[])).toThrow(expect.objectContaining({ name: "ValidationError", message: expect.stringMatching(says) }));
});

test("equal rights are one object, however they are written, so that sessions can be grouped by it", () => {
  const pool = new RightsPool();
  expect(pool.of(["admin", "publish:a"])).toBe(pool.of(["publish:a", "admin", "admin"]));
  expect(pool.of(["publish:a"])).not.toBe(pool.of(["publish:b"]));
});

test.each<[grant: GrantInit, namespace: string, permissions: readonly string[] | "none"]>([
  [{ permissions: ["admin"] }, "default", ["admin"]],
  [{ permissions: ["admin"] }, "shop", "none"],
  [{ permissions: ["admin"], namespaces: ["shop", "bank"] }, "bank", ["admin"]],
  [{ permissions: ["admin"], namespaces: ["shop"] }, "default", "none"],
  [{ permissions: ["admin"], namespaces: ["*"] }, "anything", ["admin"]],
  [{ permissions: { shop: ["publish:a"], "*": ["deny:publish:b"] } }, "shop", ["publish:a", "deny:publish:b"]],
  [{ permissions: { shop: ["publish:a"], "*": ["subscribe:c"] } }, "bank", ["subscribe:c"]],
  [{ permissions: { shop: ["publish:a"] } }, "bank", "none"],
  [{ permissions: JSON.parse('{"__proto__":["admin"]}') as Record<string, string[]> }, "default", "none"],
])("%j in %s: %j", (init, namespace, permissions) => {
  const grant = new Grant(init, new RightsPool());
  if (permissions === "none") expect(() => grant.in(namespace)).toThrow(expect.objectContaining({ name: "PermissionError", code: "ERR_NAMESPACE" }));
  else expect(grant.in(namespace).permissions).toEqual(permissions);
});

test("two patterns overlap if there is a type that both match", () => {
  const random = seeded(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const types = ["a", "b"].flatMap((one) => [one, ...["a", "b"].flatMap((two) => [`${one}.${two}`, ...["a", "b"].flatMap((three) => [`${one}.${two}.${three}`, `${one}.${two}.${three}.a`, `${one}.${two}.${three}.b`])])]);
  let both = 0;
  for (let i = 0; i < 20_000; i++) {
    const [left, right] = [0, 1].map(() => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(["a", "b", "*", "**"])).join("."));
    const found = types.some((type) => matchesPattern(left!, type) && matchesPattern(right!, type));
    if (overlapsPattern(left!, right!) !== found) expect([left, right, overlapsPattern(left!, right!)]).toEqual([left, right, found]);
    if (found) both++;
  }
  expect(both).toBeGreaterThan(2_000);
  expect([overlapsPattern("$dead.a", "**"), overlapsPattern("$dead.a", "$dead.a")]).toEqual([false, true]);
});

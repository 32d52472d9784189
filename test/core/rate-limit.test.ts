import { expect, test } from "vitest";
import { RateLimiter, type RateLimits } from "../../src/core/rate-limit.ts";
import { numbered, World } from "../support/world.ts";
import { testPolicy } from "../support/test-policy.ts";

const may = { publish: ["**"], subscribe: ["**"], request: ["**"], respond: ["**"] };
const world = (rates: RateLimits) => new World({ rates, policy: testPolicy({ a: { subject: "a", may }, b: { subject: "b", may } }) });
const key = (name: string) => ({ auth: { type: "api_key" as const, key: name } });

test("what is too much is refused whole, with the time after which it is not; then it passes", async () => {
  const { pass, settle, client } = bound(world({ publish: { perSecond: 10, burst: 20 } }));
  const one = await client(key("a"));
  const [first, second] = [one.publish(numbered(1, 20)), one.publish(numbered(21, 25))];
  await settle();
  expect((one.resultsOf(first) as unknown[]).length).toBe(20);
  expect(one.answerTo(second)).toEqual(["err", ["PublishError", "ERR_RATE_LIMIT", expect.stringContaining("10 events a second"), 1, { retryAfter: 500 }]]);
  await pass(499);
  const early = one.publish(numbered(21, 25));
  await pass(1);
  const late = one.publish(numbered(21, 25));
  await settle();
  expect([one.codeOf(early), one.resultsOf(late)]).toEqual(["ERR_RATE_LIMIT", [21, 22, 23, 24, 25]]);
});

test("a principal has one measure in all of its sessions, another has its own", async () => {
  const { settle, client } = bound(world({ publish: { perSecond: 1 } }));
  const [one, two, other] = [await client(key("a")), await client(key("a")), await client(key("b"))];
  const reqs = [one.publish(numbered(1, 1)), two.publish(numbered(2, 2)), other.publish(numbered(3, 3))];
  await settle();
  expect([one.resultsOf(reqs[0]!), two.resultsOf(reqs[1]!), other.resultsOf(reqs[2]!)]).toEqual([[1], "ERR_RATE_LIMIT", [2]]);
});

test("requests, subscriptions and calls have their own measures, each with a typed error", async () => {
  const { settle, client } = bound(world({ request: { perSecond: 1 }, subscribe: { perSecond: 2 }, call: { perSecond: 1 } }));
  const one = await client(key("a"));
  one.say(["serve", 1, ["t"]]);
  for (const id of [2, 3]) one.subscribe(id, "t");
  const requests = [one.request("t", 1), one.request("t", 2)];
  const calls = [one.call("read"), one.call("read")];
  await settle();
  one.say(["auth", 99, key("a").auth]);
  await settle();
  expect([one.endsOf(2), one.endsOf(3).map((error) => [error?.[0], error?.[1], error?.[3]])]).toEqual([[], [["SubscriptionError", "ERR_RATE_LIMIT", 1]]]);
  expect([one.named("ask").length, one.codeOf(requests[1]!)]).toEqual([1, "ERR_RATE_LIMIT"]);
  expect([one.answerTo(calls[0]!)?.[0], one.codeOf(calls[1]!), one.codeOf(99)]).toEqual(["ok", "ERR_RATE_LIMIT", "ERR_RATE_LIMIT"]);
});

test("sessions are counted by address, before a credential is looked at; whoever is in this process has none", async () => {
  const limiter = new RateLimiter({ connect: { perSecond: 1, burst: 2 } }, () => 0);
  limiter.spend("connect", "192.0.2.1");
  limiter.spend("connect", "192.0.2.1");
  expect(() => limiter.spend("connect", "192.0.2.1")).toThrow(expect.objectContaining({ name: "ConnectionError", code: "ERR_RATE_LIMIT", retryable: true, details: { retryAfter: 1_000 } }));
  limiter.spend("connect", "192.0.2.2");
  const { client } = bound(world({ connect: { perSecond: 1, burst: 1 } }));
  for (let i = 0; i < 5; i++) expect((await client(key("a"))).welcome).toBeDefined();
});

test("more at once than a burst waits for a full measure and is paid off after", () => {
  let now = 0;
  const limiter = new RateLimiter({ publish: { perSecond: 10 } }, () => now);
  limiter.spend("publish", "a", 30);
  expect(() => limiter.spend("publish", "a")).toThrow(expect.objectContaining({ details: { retryAfter: 2_100 } }));
  now = 2_100;
  limiter.spend("publish", "a");
  // A clock that is set back gives nothing, and takes nothing.
  now = 0;
  expect(() => limiter.spend("publish", "a")).toThrow("go on after");
});

test("[P11] what is remembered is bounded, whoever comes", () => {
  let now = 0;
  const limiter = new RateLimiter({ connect: { perSecond: 1, burst: 2 } }, () => now);
  for (let i = 0; i < 50_000; i++) {
    if (i % 100 === 0) now += 1;
    limiter.spend("connect", `address ${i}`);
  }
  // The newest are remembered, and still counted.
  limiter.spend("connect", "address 49999");
  expect(() => limiter.spend("connect", "address 49999")).toThrow("go on after");
});

function bound(one: World) {
  return { pass: one.pass.bind(one), settle: one.settle.bind(one), client: one.client.bind(one) };
}

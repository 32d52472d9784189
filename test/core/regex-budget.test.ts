import { expect, test } from "vitest";
import { RegexBudget } from "../../src/core/regex-budget.ts";
import { compileRegex } from "../../src/core/regex.ts";
import { seeded } from "../support/fake-surroundings.ts";
import { line } from "../support/raw-client.ts";
import { World } from "../support/world.ts";

const random = seeded(3);
const texts: Record<string, string> = {
  "one letter": "a".repeat(262_000),
  "two letters at random": Array.from({ length: 262_000 }, () => (random() < 0.5 ? "a" : "b")).join(""),
  "ever new characters": Array.from({ length: 87_000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7_919) % 20_000))).join(""),
  words: "the quick brown fox jumps over the lazy dog ".repeat(6_000).slice(0, 262_000),
};
/** What brings a backtracking engine, or a naive automaton, to its knees. */
const evil = [
  "(a+)+$", "(a*)*b", "(a|a)*$", "(a|b|ab)*c", "([a-z]+)*[0-9]", "(x+x+)+y", "(.*a){300}x", "^(a?){300}a{300}$", "(a|b)*a(a|b){12}c", "(a|b)*a(a|b){200}", "[^x]{900}y", "a.{800}c", "(?:.a){450}z",
  ".*.*.*=.*", "(.+)+\\s", "^(([a-z])+.)+[A-Z]([a-z])+$", "(\\w|\\W){300}$", "(?:a?b?c?d?e?f?){80}q",
];

test.each(evil)("[Limits] /%s/ takes no more than its budget for any text", (source) => {
  for (const [what, text] of Object.entries(texts)) {
    const budget = new RegexBudget(compileRegex);
    const matches = budget.compile(source, "");
    budget.refill();
    const most = budget.left;
    let outcome: unknown;
    try {
      outcome = matches(text);
    } catch (error) {
      outcome = (error as { code?: unknown }).code;
    }
    expect([true, false, "ERR_REGEX_COST"]).toContain(outcome);
    // One step beyond at most: what a single character may cost.
    expect([what, budget.left > -4_000]).toEqual([what, true]);
    // What is cheap stays cheap, however long the text.
    if (["(a+)+$", "(a|a)*$", "(a|b|ab)*c"].includes(source) && what !== "ever new characters") expect(most - budget.left).toBeLessThan(5_000);
  }
});

test("[Limits] a filter that cannot be carried out ends its own subscriptions, with the reason; everybody else gets the event", async () => {
  const world = new World();
  const [one, other, publisher] = [await world.client(), await world.client(), await world.client()];
  const filter = { "payload.text": { $regex: "(a|b)*a(a|b){200}c" } };
  for (const client of [one, other]) client.subscribe(1, { topics: ["t"], filter });
  other.subscribe(2, { topics: ["t"], filter: { "payload.text": { $regex: "^(a|b)+$" } } });
  other.subscribe(3, "t");
  await world.settle();
  publisher.publish([line("before", "t", { text: "abba" })]);
  const sent = publisher.publish([line("evil", "t", { text: texts["two letters at random"]!.slice(0, 200_000) }), line("after", "t", { text: "ab" })]);
  await world.settle();
  expect(publisher.resultsOf(sent)).toEqual([2, 3]);
  for (const client of [one, other]) expect(client.endsOf(1)).toEqual([["ValidationError", "ERR_REGEX_COST", expect.stringContaining("too many steps"), 0, { path: "regex" }]]);
  other.ackAll();
  await world.settle();
  expect([other.idsOf(2), other.idsOf(3)]).toEqual([["before", "evil", "after"], ["before", "evil", "after"]]);
  expect([one.closed, world.stats().activeSubscriptions, world.errors]).toEqual([undefined, 2, []]);
  // The same from the log, and for who reads history.
  one.subscribe(4, { topics: ["t"], filter, from: "start" });
  const read = one.call("read", { filter });
  const ephemeral = publisher.publish([line("evil2", "t", { text: texts["two letters at random"]!.slice(0, 100_000) })], { as: "ephemeral" });
  await world.settle();
  expect([one.endsOf(4)[0]?.[1], one.codeOf(read), publisher.resultsOf(ephemeral)]).toEqual(["ERR_REGEX_COST", "ERR_REGEX_COST", [0]]);
});

test("[I11] a group goes on behind an event that its filter cannot be tested on, and its members are told", async () => {
  const world = new World();
  const [member, publisher] = [await world.client(), await world.client()];
  member.subscribe(1, { topics: ["t"], group: "g", maxInFlight: 10, filter: { "payload.text": { $regex: "(a|b)*a(a|b){200}c|^ok" } } });
  await world.settle();
  publisher.publish([line("before", "t", { text: "ok" }), line("evil", "t", { text: texts["two letters at random"]!.slice(0, 200_000) }), line("after", "t", { text: "ok" })]);
  await world.settle();
  expect(member.named("job").map(([, , , , event]) => event[3])).toEqual(["before", "after"]);
  expect(member.gapsOf(1)).toEqual([{ from: 2, to: 2, epoch: member.welcome!.epoch, reason: "filter" }]);
  expect(member.endsOf(1)).toEqual([]);
});

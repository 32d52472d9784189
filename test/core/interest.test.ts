import { expect, test } from "vitest";
import type { ValidationError } from "../../src/core/errors.ts";
import { Interests, type Interest } from "../../src/core/interest.ts";
import { defaultLimits } from "../../src/core/limits.ts";
import { Namespace } from "../../src/core/namespace.ts";
import { Reader } from "../../src/core/reader.ts";
import { compileRegex } from "../../src/core/regex.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";

function bench() {
  const present = new Set<Interest>();
  const costly: [Interest, ValidationError][] = [];
  const interests = new Interests({ regex: compileRegex, maxNodes: 32, added: (one) => present.add(one), removed: (one) => present.delete(one), costly: (one, error) => costly.push([one, error]) });
  return { present, interests, costly };
}

test("who asks for the same shares one interest, in whatever order and how often the patterns are named", () => {
  const { present, interests } = bench();
  const one = interests.acquire(["b", "a", "a"], { priority: 5 });
  expect(interests.acquire(["a", "b"], { priority: 5 })).toBe(one);
  expect(one.topics).toEqual(["a", "b"]);
  for (const [topics, filter] of [[["a"], { priority: 5 }], [["a", "b"], { priority: 6 }], [["a", "b"], undefined]] as const) expect(interests.acquire(topics, filter)).not.toBe(one);
  expect(present.size).toBe(4);
});

test("an interest goes with the last who has it", () => {
  const { present, interests } = bench();
  const one = interests.acquire(["a"], undefined);
  interests.acquire(["a"], undefined);
  interests.release(one);
  expect(present.has(one)).toBe(true);
  interests.release(one);
  expect(present.size).toBe(0);
  expect(interests.acquire(["a"], undefined)).not.toBe(one);
});

test("a filter that is refused leaves nothing behind", () => {
  const { present, interests } = bench();
  expect(() => interests.acquire(["a"], { priority: { $nonsense: 1 } })).toThrow(expect.objectContaining({ code: "ERR_FILTER" }));
  for (const [open, close] of [["[", "]"], ['{"a":', "}"], ['{"$not":', "}"], ['{"$and":[', "]}"]] as const) {
    const deep = JSON.parse(`{"payload":${open.repeat(100_000)}1${close.repeat(100_000)}}`) as Record<string, unknown>;
    expect(() => interests.acquire(["a"], deep)).toThrow(expect.objectContaining({ name: "ValidationError", code: "ERR_FILTER_TOO_LARGE", details: { path: "filter" } }));
  }
  expect(present.size).toBe(0);
});

test("[P11] a namespace forgets what nobody asks for any more, also when a subscription could not be opened", async () => {
  const around = new FakeSurroundings();
  const log = await memoryStore(around).open("default");
  let compiled = 0;
  const namespace = new Namespace({
    name: "default", log, durability: "memory", lastTime: 0, limits: defaultLimits, retention: {}, tail: { events: 8, size: 8_000 }, surroundings: around,
    bookmarkDelay: 50, regex: (source, flags, budget) => {
      compiled++;
      return compileRegex(source, flags, budget);
    },
    flush: () => {}, pass: () => {}, wakeBy: () => {}, failed: () => {},
  });
  const reader = new Reader({ owner: { state: "open", caller: {}, port: { send() {}, close() {} }, end() {}, disconnected() {} }, session: "ses_1", name: undefined, rights: { allows: () => true, contains: () => true, has: () => true }, windowSize: 1_000, hasOutput: () => {} });
  const open = () => namespace.subscribe(reader, { id: 1, topics: ["t"], filter: { id: { $regex: "^a" } }, from: "now", durable: undefined });
  const [one, other] = [await open(), await open()];
  namespace.unsubscribe(one.cursor);
  namespace.unsubscribe(one.cursor); // twice is once
  const third = await open();
  expect(compiled).toBe(1);
  namespace.unsubscribe(other.cursor);
  namespace.unsubscribe(third.cursor);
  await open();
  expect(compiled).toBe(2);
  (log as { seqBefore: unknown }).seqBefore = () => Promise.reject(new Error("I/O"));
  await expect(namespace.subscribe(reader, { id: 2, topics: ["t"], filter: { id: { $regex: "^b" } }, from: { time: 1 }, durable: undefined })).rejects.toThrow("I/O");
  await expect(namespace.subscribe(reader, { id: 2, topics: ["t"], filter: { id: { $regex: "^b" } }, from: { time: 1 }, durable: undefined })).rejects.toThrow("I/O");
  expect(compiled).toBe(4);
});

import { expect, test } from "vitest";
import { defaultLimits } from "../../src/core/limits.ts";
import { line, RawClient } from "../support/raw-client.ts";
import { numbered, World } from "../support/world.ts";

// Each limit of the guarantees at its default: what is just within it passes, what is just over it has its typed error.

type Outcome = string | undefined;
const publish = async (...lines: string[]): Promise<Outcome> => {
  const world = new World();
  const client = await world.client();
  const req = client.publish(lines);
  await world.settle();
  if (client.closed !== undefined) return client.closed.reason;
  const results = client.resultsOf(req);
  return typeof results === "string" ? results : (results as unknown[]).find((one) => typeof one === "string") as Outcome;
};
const event = (type: string, payload = "1", meta = ""): string => `["e","${type}",${payload}${meta}]`;
const payloadOf = (bytes: number): string => `"${"a".repeat(bytes - 2)}"`;
const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const subscribe = async (...specs: object[]): Promise<Outcome> => {
  const world = new World();
  const client = await world.client();
  client.say(...specs.map((spec, id) => JSON.stringify(["sub", id, { topics: ["t"], ...spec }])));
  await world.settle();
  return client.closed?.reason ?? specs.map((_, id) => client.endsOf(id)[0]?.[1]).find((code) => code !== undefined);
};
const nodes = (count: number): object => ({ $and: Array.from({ length: count - 1 }, (_, i) => ({ [`payload.f${i}`]: i })) });
const greet = async (message: (client: RawClient) => void, size?: number): Promise<Outcome> => {
  const world = new World();
  const client = new RawClient(world.router);
  if (size === undefined) message(client);
  else client.session.receive(`["hello",{"v":1}]${" ".repeat(size - 17)}`);
  await world.settle();
  return client.closed?.reason;
};
const frame = async (bytes: number): Promise<Outcome> => {
  const world = new World();
  const client = await world.client();
  const head = '["call",1,"read",{"topics":["';
  client.session.receive(`${head}${"a".repeat(10)}"]}]${" ".repeat(bytes - head.length - 14)}`);
  await world.settle();
  return client.closed?.reason;
};
const header = (value: string): string => event("a", "1", `,{"headers":{"x":${JSON.stringify(value)}}}`);

const limits: readonly (readonly [limit: string, within: () => Promise<Outcome>, over: () => Promise<Outcome>, code: string])[] = [
  ["8 KiB before the welcome", () => greet(() => {}, 8_192), () => greet(() => {}, 8_193), "ERR_FRAME_TOO_LARGE"],
  ["one frame before the welcome", () => greet((client) => client.hello()), () => greet((client) => client.say(["hello", { v: 1 }], ["call", 1, "read"])), "ERR_FRAME"],
  ["a frame of 1 MiB", () => frame(1_048_576), () => frame(1_048_577), "ERR_FRAME_TOO_LARGE"],
  ["a payload of 256 KiB", () => publish(event("a", payloadOf(262_144))), () => publish(event("a", payloadOf(262_145))), "ERR_PAYLOAD_TOO_LARGE"],
  ["a payload of 256 KiB, in bytes and not characters", () => publish(event("a", `"${"ä".repeat(131_071)}"`)), () => publish(event("a", `"${"ä".repeat(131_072)}"`)), "ERR_PAYLOAD_TOO_LARGE"],
  ["32 levels of JSON", () => publish(event("a", nested(32))), () => publish(event("a", nested(33))), "ERR_PAYLOAD_DEPTH"],
  ["a type of 256 characters", () => publish(event("a".repeat(256))), () => publish(event("a".repeat(257))), "ERR_TYPE"],
  ["a type of 16 segments", () => publish(event(Array(16).fill("a").join("."))), () => publish(event(Array(17).fill("a").join("."))), "ERR_TYPE"],
  ["a pattern of 256 characters", () => subscribe({ topics: ["a".repeat(256)] }), () => subscribe({ topics: ["a".repeat(257)] }), "ERR_PATTERN"],
  ["a pattern of 16 segments", () => subscribe({ topics: [Array(16).fill("*").join(".")] }), () => subscribe({ topics: [Array(17).fill("*").join(".")] }), "ERR_PATTERN"],
  ["100 patterns in a subscription", () => subscribe({ topics: Array(100).fill("a") }), () => subscribe({ topics: Array(101).fill("a") }), "ERR_PATTERN"],
  ["a filter of 32 nodes", () => subscribe({ filter: nodes(32) }), () => subscribe({ filter: nodes(33) }), "ERR_FILTER_TOO_LARGE"],
  ["a batch of 500", () => publish(...numbered(1, 500)), () => publish(...numbered(1, 501)), "ERR_BATCH_TOO_LARGE"],
  ["1,000 subscriptions of a session", () => subscribe(...Array(1_000).fill({})), () => subscribe(...Array(1_001).fill({})), "ERR_TOO_MANY_SUBSCRIPTIONS"],
  ["header values without control characters", () => publish(header("a\u0080 ~é")), () => publish(header("a\u001f")), "ERR_HEADERS"],
  ["header values of 1,024 characters", () => publish(header("a".repeat(1_024))), () => publish(header("a".repeat(1_025))), "ERR_HEADERS"],
  ["32 headers", () => publish(event("a", "1", `,{"headers":{${Array.from({ length: 32 }, (_, i) => `"h${i}":"x"`).join(",")}}}`)), () => publish(event("a", "1", `,{"headers":{${Array.from({ length: 33 }, (_, i) => `"h${i}":"x"`).join(",")}}}`)), "ERR_HEADERS"],
  ["an id of 128 characters", () => publish(`["${"a".repeat(128)}","a",1]`), () => publish(`["${"a".repeat(129)}","a",1]`), "ERR_EVENT_ID"],
  ["names that begin with $ are not published", () => publish(event("a")), () => publish(event("$a")), "ERR_TYPE"],
  ["names that begin with $ are not read with a wildcard", () => subscribe({ topics: ["$a.b"] }), () => subscribe({ topics: ["$a.*"] }), "ERR_PATTERN"],
];

test.each(limits)("[Limits] %s, and not one more", async (_, within, over, code) => {
  expect([await within(), await over()]).toEqual([undefined, code]);
});

test("[Limits] 1 MiB of a transaction, and not one byte more", async () => {
  const lines = (bytes: number): string[] => Array.from({ length: 8 }, (_, i) => line(`e${i}`, "a", "")).map((text, i, all) => (i < 7 ? text.replace('""', payloadOf(131_000)) : text.replace('""', payloadOf(bytes - 7 * (all[0]!.length - 2 + 131_000) - all[7]!.length + 2))));
  for (const [bytes, result] of [[1_048_576, undefined], [1_048_577, "ERR_BATCH_TOO_LARGE"]] as const) {
    const world = new World({ limits: { frame: 2_000_000 } });
    const client = await world.client();
    const texts = lines(bytes);
    expect(texts.join("").length).toBe(bytes);
    const req = client.publish(texts, { as: "all" });
    await world.settle();
    expect(client.codeOf(req)).toBe(result);
  }
});

test("[Limits] 5 s for a hello, and a window of 256 events or 1 MiB that are not finished", async () => {
  const world = new World();
  const late = new RawClient(world.router);
  await world.pass(4_999);
  expect(late.closed).toBeUndefined();
  await world.pass(1);
  expect(late.closed?.reason).toBe("ERR_HELLO_TIMEOUT");
  const [reader, publisher] = [await world.client(), await world.client()];
  reader.subscribe(1, "t");
  reader.subscribe(2, "big");
  await world.settle();
  publisher.publish(numbered(1, 400));
  await world.settle();
  expect(reader.seqsOf(1)).toHaveLength(256);
  reader.ack();
  for (let i = 0; i < 8; i++) publisher.publish([line(`b${i}`, "big", "a".repeat(200_000))]);
  await world.settle();
  expect(reader.eventsOf(2).length).toBe(5);
  expect(defaultLimits).toMatchObject({ windowEvents: 256, windowSize: 1_048_576, helloTime: 5_000, requests: 1_000 });
});

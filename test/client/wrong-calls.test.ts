import { describe, expect, test } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { EventRouterError } from "../../src/core/errors.ts";
import { EventRouterClient } from "../../src/event-router.ts";

/** A call that no compiler has checked. */
type Wrong = (client: Client, nothing: never) => unknown;

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
let deep: unknown = 1;
for (let i = 0; i < 40; i++) deep = [deep];
const x = (value: unknown): never => value as never;

type Row = [what: string, code: string, call: Wrong, path?: string];

const calls: Row[] = [
  // Types: the router's word, in the same call.
  ["a type that is no string", "ERR_TYPE", (c) => c.publish(x({ type: 5 }))],
  ["no type at all", "ERR_TYPE", (c) => c.publish(x({ payload: 1 }))],
  ["a wildcard in a type", "ERR_TYPE", (c) => c.publish("order.*")],
  ["an empty segment", "ERR_TYPE", (c) => c.publish("order..placed")],
  ["a reserved type", "ERR_TYPE", (c) => c.publish("$sys.x")],
  ["17 segments", "ERR_TYPE", (c) => c.publish(Array(17).fill("a").join("."))],
  ["a type with a space", "ERR_TYPE", (c) => c.request("order placed")],
  // Fields.
  ["priority 10", "ERR_PRIORITY", (c) => c.publish("a", 1, { priority: 10 }), "priority"],
  ["priority as text", "ERR_PRIORITY", (c) => c.publish("a", 1, { priority: x("5") }), "priority"],
  ["priority 1.5", "ERR_PRIORITY", (c) => c.publishEvents([{ type: "a", priority: 1.5 }]), "priority"],
  ["a header that is a number", "ERR_HEADERS", (c) => c.publish("a", 1, { headers: x({ n: 1 }) }), "headers.n"],
  ["a header with a line break", "ERR_HEADERS", (c) => c.publish("a", 1, { headers: { n: "a\r\nb" } }), "headers.n"],
  ["headers that are a list", "ERR_HEADERS", (c) => c.publish("a", 1, { headers: x([]) }), "headers"],
  ["an empty source", "ERR_META", (c) => c.publish("a", 1, { source: "" }), "source"],
  ["a target that is an object", "ERR_META", (c) => c.publish("a", 1, { target: x({}) }), "target"],
  ["an option that is none", "ERR_META", (c) => c.publish("a", 1, x({ prioriy: 5 })), "prioriy"],
  ["an id with a space", "ERR_EVENT_ID", (c) => c.publish("a", 1, { id: "my id" }), "id"],
  ["an id that is empty", "ERR_EVENT_ID", (c) => c.publish("a", 1, { id: "" }), "id"],
  // Payloads.
  ["a bigint", "ERR_PAYLOAD", (c) => c.publish("a", { n: [1n] }), "payload.n[0]"],
  ["a function", "ERR_PAYLOAD", (c) => c.publish("a", { f: () => {} }), "payload.f"],
  ["a symbol", "ERR_PAYLOAD", (c) => c.publish("a", Symbol("s")), "payload"],
  ["NaN", "ERR_PAYLOAD", (c) => c.publish("a", { n: Number.NaN }), "payload.n"],
  ["a Map", "ERR_PAYLOAD", (c) => c.publish("a", new Map()), "payload"],
  ["bytes", "ERR_PAYLOAD", (c) => c.publish("a", { data: new Uint8Array(2) }), "payload.data"],
  ["what contains itself", "ERR_PAYLOAD", (c) => c.publish("a", cyclic)],
  ["40 levels", "ERR_PAYLOAD", (c) => c.publish("a", deep)],
  ["300 KiB", "ERR_PAYLOAD_TOO_LARGE", (c) => c.publish("a", "x".repeat(300 * 1024))],
  ["501 events in a batch", "ERR_BATCH_TOO_LARGE", (c) => c.publishBatch(Array(501).fill(["a"]))],
  ["a deadline for one event of a batch", "ERR_OPTION", (c) => c.publishEvents([x({ type: "a", timeout: 5 })]), "timeout"],
  ["an ephemeral event in a transaction", "ERR_OPTION", (c) => c.transaction((tx) => tx.publish("a", 1, { ephemeral: true })), "ephemeral"],
  // Waiting.
  ["a timeout that is no duration", "ERR_DURATION", (c) => c.publish("a", 1, { timeout: "soon" }), "timeout"],
  ["a negative timeout", "ERR_DURATION", (c) => c.request("a", 1, { timeout: -1 }), "timeout"],
  ["an endless timeout", "ERR_DURATION", (c) => c.connect({ timeout: Infinity }), "timeout"],
  // Subscriptions.
  ["a pattern with #", "ERR_PATTERN", (c) => c.subscribe("user#")],
  ["part of a segment as wildcard", "ERR_PATTERN", (c) => c.on("user*", () => {}).ready],
  ["no pattern", "ERR_PATTERN", (c) => c.subscribe(x([]))],
  ["a pattern that is a number", "ERR_PATTERN", (c) => c.subscribe([x(5)])],
  ["a wildcard among reserved names", "ERR_PATTERN", (c) => c.subscribe("$sys.*")],
  ["an expression that is text", "ERR_PATTERN", (c) => c.onPattern(x("a.*"), () => {}).ready, "pattern"],
  ["an expression with lookahead", "ERR_REGEX", (c) => c.onPattern(/a(?=b)/, () => {}).ready],
  ["an unknown operator", "ERR_FILTER", (c) => c.subscribe("a", { filter: { "payload.n": { $near: 1 } } })],
  ["code in a filter", "ERR_FILTER", (c) => c.subscribe("a", { filter: { $where: "1" } })],
  ["a start in words", "ERR_FROM", (c) => c.subscribe("a", { from: x("yesterday") }), "from"],
  ["a start before the first", "ERR_FROM", (c) => c.subscribe("a", { from: -1 }), "from"],
  ["an invalid date", "ERR_FROM", (c) => c.subscribe("a", { from: new Date(Number.NaN) }), "from"],
  ["concurrency 0", "ERR_OPTION", (c) => c.on("a", { concurrency: 0 }, () => {}), "concurrency"],
  ["no handler", "ERR_OPTION", (c) => c.on("a", x(undefined)), "handler"],
  ["a handler that is none", "ERR_OPTION", (c) => c.subscribe({ topics: "a", handler: x("log") }), "handler"],
  ...["optimist", "fliter"].map((name): Row => [`the subscription option ${name}`, "ERR_OPTION", (c) => c.subscribe("a", x({ [name]: {} })), name]),
  ["a group that is also durable", "ERR_SUBSCRIPTION", (c) => c.subscribe("a", { group: "g", durable: "d" }), "group"],
  ["a durable name with spaces", "ERR_SUBSCRIPTION", (c) => c.subscribe("a", { durable: "my name" }), "durable"],
  ["ackTimeout without a group", "ERR_OPTION", (c) => c.subscribe("a", { ackTimeout: "1s" }), "ackTimeout"],
  ["maxInFlight without a group", "ERR_OPTION", (c) => c.subscribe("a", { maxInFlight: 2 }), "maxInFlight"],
  ["a group without dead letters", "ERR_OPTION", (c) => c.subscribe({ topics: "a", group: "g", deadLetter: false, handler: () => {} }), "deadLetter"],
  ["a function in a group's retry", "ERR_OPTION", (c) => c.subscribe({ topics: "a", group: "g", retry: { retryIf: () => true }, handler: () => {} }), "retry.retryIf"],
  ["a negative number of retries", "ERR_OPTION", (c) => c.subscribe({ topics: "a", retry: { maxRetries: -1 }, handler: () => {} }), "maxRetries"],
  ["a delay of words", "ERR_DURATION", (c) => c.publish("a", 1, { delay: "soon" }), "delay"],
  ["delay and deliverAt", "ERR_OPTION", (c) => c.publish("a", 1, { delay: 1, deliverAt: new Date() }), "deliverAt"],
  ["an ephemeral event with a delay", "ERR_OPTION", (c) => c.publish("a", 1, { delay: 1, ephemeral: true }), "ephemeral"],
  ["a ttl of nothing", "ERR_TTL", (c) => c.publish("a", 1, { ttl: 0 }), "ttl"],
  ["a batch of none", "ERR_OPTION", (c) => c.stream("a", { batchSize: 0 }), "batchSize"],
  // Responders.
  ["a responder without handler", "ERR_OPTION", (c) => c.respond("a", x({})), "handler"],
  ["a responder's unknown option", "ERR_OPTION", (c) => c.respond("a", x({ scheme: 1 }), () => {}), "scheme"],
  ["a responder for half a segment", "ERR_PATTERN", (c) => c.respond("a*", () => {}).ready],
  ["a call the router does not have", "ERR_METHOD", (c) => c.call("launch")],
  // Clients.
  ...["ofline", "connection", "worker", "tranport"].map((name): Row => [`the client option ${name}`, "ERR_OPTION", () => new EventRouterClient(x({ [name]: {} })), name]),
  ["an address of Redis in words", "ERR_OPTION", () => new EventRouterClient({ transport: "redis", connection: x("localhost") }), "options"],
  ["WebSocket without a URL", "ERR_OPTION", () => new EventRouterClient({ transport: "websocket" }), "url"],
  ["a URL that is none", "ERR_OPTION", () => new EventRouterClient({ url: "localhost:8080" }), "url"],
  ["an ftp URL", "ERR_OPTION", () => new EventRouterClient({ url: "ftp://a" }), "url"],
  ["a password in the URL", "ERR_OPTION", () => new EventRouterClient({ url: "ws://me:secret@a" }), "url"],
  ["a token in the URL", "ERR_OPTION", () => new EventRouterClient({ url: "ws://a/?access_token=1" }), "url"],
  ["an unknown backoff", "ERR_OPTION", () => new EventRouterClient({ url: "ws://a", reconnect: { backoff: x("linear") } }), "reconnect.backoff"],
  ["-1 attempts", "ERR_OPTION", () => new EventRouterClient({ url: "ws://a", reconnect: { maxAttempts: -1 } }), "reconnect.maxAttempts"],
  ["a delay in words", "ERR_DURATION", () => new EventRouterClient({ url: "ws://a", reconnect: { minDelay: "short" } }), "reconnect.minDelay"],
  ["an unknown reconnect option", "ERR_OPTION", () => new EventRouterClient({ url: "ws://a", reconnect: x({ tries: 5 }) }), "tries"],
  ["mutual TLS without a key", "ERR_OPTION", () => new EventRouterClient({ auth: x({ type: "mtls", cert: "" }) }), "auth"],
  ["auth that is a string", "ERR_OPTION", () => new EventRouterClient({ auth: x("token") }), "auth"],
  ["maxPending 0", "ERR_OPTION", () => new EventRouterClient({ maxPending: 0 }), "maxPending"],
  ["half a batch", "ERR_OPTION", () => new EventRouterClient({ batchSize: 0.5 }), "batchSize"],
  ["a pool of none", "ERR_OPTION", () => new EventRouterClient({ poolSize: 0 }).publish("a"), "poolSize"],
  ["a namespace with a space", "ERR_NAME", () => new EventRouterClient({ namespace: "my shop", logger: { error() {} } }).connect()],
];

async function failureOf(call: Wrong): Promise<unknown> {
  await using client = new EventRouterClient({ namespace: "wrong-calls", logger: { error() {} } });
  try {
    await call(client, x(0));
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a wrong call is told by code, place and what to do", () => {
  test.each(calls)("%s: %s", async (_, code, call, path) => {
    const error = await failureOf(call);
    expect(error).toBeInstanceOf(EventRouterError);
    expect(error).toMatchObject({ name: "ValidationError", code, retryable: false });
    if (path !== undefined) expect(error).toMatchObject({ details: { path } });
    expect((error as Error).message.length).toBeGreaterThan(15);
  });
});

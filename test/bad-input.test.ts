import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "../src/client/client.ts";
import type { BaseOptions } from "../src/client/options.ts";
import type { WireError } from "../src/core/errors.ts";
import type { RouterFrame } from "../src/core/frames.ts";
import { Router } from "../src/core/router.ts";
import { EventRouterClient } from "../src/event-router.ts";
import { serve, type RunningServer } from "../src/hosts/server.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../src/hosts/surroundings.ts";
import { inProcessLink } from "../src/links/in-process.ts";
import { memoryStore } from "../src/stores/memory.ts";
import { cli } from "./cli/cli.ts";
import { errorsOf } from "./support/errors-of.ts";
import { RawSocket } from "./support/raw-socket.ts";

// A command is a process, and a busy machine starts it slowly; a client row that is accepted in silence fails by itself, see `failureOf`.

/** What is wrong here is wrong on purpose. */
// oxlint-disable-next-line typescript/no-explicit-any -- wrong calls do not compile
const wrong = (value: unknown): any => value;

/** Where a client row runs. */
interface Home {
  /** A client with what all clients have. */
  connect(options?: BaseOptions): Client;
  /** The client an application makes, with options of how to reach the router: as given, or those that lead here. */
  make(options?: unknown): Client;
  /** A pipe to the router which says what it is told, after a hello. */
  raw(hello: string): Promise<Raw>;
  close(): Promise<void>;
}

interface Raw {
  say(message: string): void;
  /** The first error the router tells of. */
  readonly refused: Promise<WireError>;
  close(): void;
}

function rawOver(): { take(message: string): void; readonly refused: Promise<WireError>; readonly welcome: Promise<void> } {
  const refused = Promise.withResolvers<WireError>();
  const welcome = Promise.withResolvers<void>();
  return {
    refused: refused.promise,
    welcome: welcome.promise,
    take(message) {
      if (message === "pong") return;
      for (const line of message.split("\n")) {
        const frame = JSON.parse(line) as RouterFrame;
        if (frame[0] === "welcome") welcome.resolve();
        const [error] = errorsOf(frame);
        if (error !== undefined) {
          refused.resolve(error);
          // A refused hello has no welcome.
          welcome.resolve();
        }
      }
    },
  };
}

async function inProcess(): Promise<Home> {
  const surroundings = serverSurroundings(() => router.tick());
  const router: Router = new Router({ store: memoryStore({ randomBytes }), surroundings, onError: (error) => console.error(error) });
  const clients: Client[] = [];
  const keep = <C extends Client>(client: C): C => (clients.push(client), client);
  return {
    connect: (options) => keep(new Client({ makeLink: () => inProcessLink(router), clock, random: Math.random, randomBytes }, options)),
    make: (options = {}) => keep(new EventRouterClient(typeof options === "object" && options !== null && !("transport" in options) && !("url" in options) ? { transport: "memory", ...options } : wrong(options))),
    async raw(hello) {
      const heard = rawOver();
      const link = inProcessLink(router);
      await new Promise<void>((open) => link.start({ open, message: heard.take, down: () => {} }));
      link.send(hello);
      await heard.welcome;
      return { say: (message) => link.send(message), refused: heard.refused, close: () => link.close() };
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await router.close();
    },
  };
}

let server: RunningServer;
beforeAll(async () => {
  server = await serve({ port: 0 });
});
afterAll(() => server.close());

async function overWebSocket(): Promise<Home> {
  const clients: Client[] = [];
  const keep = <C extends Client>(client: C): C => (clients.push(client), client);
  const url = server.url.replace("http", "ws");
  // A namespace for each home: rows do not see what others have published.
  const namespace = `bad-${crypto.randomUUID()}`;
  return {
    connect: (options) => keep(new EventRouterClient({ namespace, url, reconnect: { minDelay: 5, maxDelay: 50 }, ...options })),
    make: (options = {}) => keep(new EventRouterClient(typeof options === "object" && options !== null && !("transport" in options) && !("url" in options) ? { url, ...options } : wrong(options))),
    async raw(hello) {
      const heard = rawOver();
      const socket = await RawSocket.open(`${url}/ws`);
      socket.onFrames = (frames) => heard.take(frames.map((frame) => JSON.stringify(frame)).join("\n"));
      socket.say(hello);
      await heard.welcome;
      return { say: (message) => socket.say(message), refused: heard.refused, close: () => void socket.close() };
    },
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}

const ACCEPTED = Symbol("accepted");

/** What a wrong call threw, at once or later; `ready` of what it returned counts. A call that is accepted gives ACCEPTED. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    const result: unknown = await call();
    if (typeof result === "object" && result !== null && "ready" in result) await result.ready;
    return ACCEPTED;
  } catch (error) {
    return error;
  }
}

/** The first failure that reaches `onError` by this act. */
function reported(client: Client, act: () => unknown): Promise<never> {
  return new Promise((_, reject) => {
    client.onError(reject);
    act();
  });
}

const ignore = (): void => {};
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
const deep = JSON.parse("[".repeat(33) + "]".repeat(33)) as unknown;

type Row = readonly [title: string, call: (client: Client) => unknown, name: string, code: string, message: RegExp];

// ——— Publishing ———

const TYPE = /"order\.placed"|an event has one plain type|a segment is empty|write "\."|names have no spaces|the router's own|use fewer|at most 256/;
const publishing: readonly Row[] = [
  ["no type", (client) => wrong(client).publish(), "ValidationError", "ERR_TYPE", TYPE],
  ["a type that is null", (client) => client.publish(wrong(null)), "ValidationError", "ERR_TYPE", TYPE],
  ["a type that is a number", (client) => client.publish(wrong(5), {}), "ValidationError", "ERR_TYPE", TYPE],
  ["an event without a type", (client) => client.publish(wrong({ payload: 1 })), "ValidationError", "ERR_TYPE", TYPE],
  ["an empty type", (client) => client.publish("", {}), "ValidationError", "ERR_TYPE", /a segment is empty; put a name/],
  ["a type with an empty segment", (client) => client.publish("a..b", {}), "ValidationError", "ERR_TYPE", /a segment is empty; put a name/],
  ["a type with a wildcard", (client) => client.publish("order.*", {}), "ValidationError", "ERR_TYPE", /wildcards are for subscribing/],
  ["a type with a slash", (client) => client.publish("order/placed", {}), "ValidationError", "ERR_TYPE", /write "\."/],
  ["a type of the router's own", (client) => client.publish("$router.x", {}), "ValidationError", "ERR_TYPE", /choose another name/],
  ["a type of 17 segments", (client) => client.publish(Array(17).fill("a").join("."), {}), "ValidationError", "ERR_TYPE", /use fewer/],
  ["a type of 257 characters", (client) => client.publish("a".repeat(257), {}), "ValidationError", "ERR_TYPE", /at most 256 characters/],
  ["a BigInt", (client) => client.publish("a", { total: 5n }), "ValidationError", "ERR_PAYLOAD", /payload\.total is a bigint.*JSON/],
  ["a payload that contains itself", (client) => client.publish("a", cyclic), "ValidationError", "ERR_PAYLOAD", /32 levels deep, or contains itself/],
  ["NaN", (client) => client.publish("a", { n: [1, Number.NaN] }), "ValidationError", "ERR_PAYLOAD", /payload\.n\[1\] is NaN.*JSON/],
  ["Infinity", (client) => client.publish("a", Infinity), "ValidationError", "ERR_PAYLOAD", /payload is Infinity.*JSON/],
  ["a function", (client) => client.publish("a", { run: ignore }), "ValidationError", "ERR_PAYLOAD", /payload\.run is a function.*JSON/],
  ["a symbol", (client) => client.publish("a", Symbol("s")), "ValidationError", "ERR_PAYLOAD", /payload is a symbol.*JSON/],
  ["a Map", (client) => client.publish("a", new Map([["k", 1]])), "ValidationError", "ERR_PAYLOAD", /payload is a collection.*(JSON|array)/],
  ["bytes", (client) => client.publish("a", { bytes: new Uint8Array(3) }), "ValidationError", "ERR_PAYLOAD", /payload\.bytes is a collection.*(JSON|array)/],
  ["a payload nested 33 levels deep", (client) => client.publish("a", deep), "ValidationError", "ERR_PAYLOAD", /nested more than 32 levels/],
  ["a payload of 300 kB", (client) => client.publish("a", "x".repeat(300_000)), "ValidationError", "ERR_PAYLOAD_TOO_LARGE", /262144 bytes.*(publish less|publish a reference)/],
  ["priority 10", (client) => client.publish("a", {}, { priority: 10 }), "ValidationError", "ERR_PRIORITY", /whole number from 0 to 9/],
  ["priority 1.5", (client) => client.publish("a", {}, { priority: 1.5 }), "ValidationError", "ERR_PRIORITY", /whole number from 0 to 9/],
  ["priority \"high\"", (client) => client.publish("a", {}, { priority: wrong("high") }), "ValidationError", "ERR_PRIORITY", /whole number from 0 to 9/],
  ["a priority that is NaN", (client) => client.publish("a", {}, { priority: Number.NaN }), "ValidationError", "ERR_PRIORITY", /whole number from 0 to 9/],
  ["a priority that is a BigInt", (client) => client.publish("a", {}, { priority: wrong(5n) }), "ValidationError", "ERR_PRIORITY", /whole number from 0 to 9/],
  ["headers that are a list", (client) => client.publish("a", {}, { headers: wrong(["trace"]) }), "ValidationError", "ERR_HEADERS", /object of strings/],
  ["headers that are a Map", (client) => client.publish("a", {}, { headers: wrong(new Map([["trace", "1"]])) }), "ValidationError", "ERR_HEADERS", /object of strings/],
  ["a header that is a number", (client) => client.publish("a", {}, { headers: wrong({ trace: 1 }) }), "ValidationError", "ERR_HEADERS", /headers\.trace must be .*string/],
  ["a header that is a function", (client) => client.publish("a", {}, { headers: wrong({ trace: ignore }) }), "ValidationError", "ERR_HEADERS", /headers\.trace must be .*string/],
  ["a header with a line break", (client) => client.publish("a", {}, { headers: { trace: "a\r\nb" } }), "ValidationError", "ERR_HEADERS", /without control characters/],
  ["an empty id", (client) => client.publish("a", {}, { id: "" }), "ValidationError", "ERR_EVENT_ID", /1 to 128 characters of/],
  ["an id with a space", (client) => client.publish("a", {}, { id: "order 7" }), "ValidationError", "ERR_EVENT_ID", /1 to 128 characters of/],
  ["an id that is a number", (client) => client.publish("a", {}, { id: wrong(7) }), "ValidationError", "ERR_EVENT_ID", /1 to 128 characters of/],
  ["an id that has another body", async (client) => {
    await client.publish("a", { n: 1 }, { id: "taken" });
    await client.publish("a", { n: 2 }, { id: "taken" });
  }, "ConflictError", "ERR_ID_CONFLICT", /id|another/],
  ["an empty source", (client) => client.publish("a", {}, { source: "" }), "ValidationError", "ERR_META", /source must be 1 to 256 characters/],
  ["a target that is an object", (client) => client.publish("a", {}, { target: wrong({}) }), "ValidationError", "ERR_META", /target must be 1 to 256 characters/],
  ["a source that is a function", (client) => client.publish("a", {}, { source: wrong(ignore) }), "ValidationError", "ERR_META", /source must be 1 to 256 characters/],
  ["a correlation id with a control character", (client) => client.publish("a", {}, { correlationId: "a\u0000b" }), "ValidationError", "ERR_META", /without control characters/],
  ["an option that does not exist", (client) => client.publish("a", {}, wrong({ prio: 3 })), "ValidationError", "ERR_META", /prio is not a field of an event; use .*priority/],
  ["a delay in words", (client) => client.publish("a", {}, { delay: "a while" }), "ValidationError", "ERR_DURATION", /delay must be .*"30s".*got "a while"/],
  ["a time that is text", (client) => client.publish("a", {}, { deliverAt: wrong("tomorrow") }), "ValidationError", "ERR_OPTION", /deliverAt must be a valid Date/],
  ["a ttl in words", (client) => client.publish("a", {}, { ttl: "short" }), "ValidationError", "ERR_DURATION", /ttl must be .*"30s"/],
  ["a ttl of nothing", (client) => client.publish("a", {}, { ttl: 0 }), "ValidationError", "ERR_TTL", /ttl must be a duration of 1 ms or more/],
  ["a timeout in words", (client) => client.publish("a", {}, { timeout: "soon" }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s".*got "soon"/],
  ["a negative timeout", (client) => client.publish("a", {}, { timeout: -1 }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s"/],
  ["a controller in place of its signal", (client) => client.publish("a", {}, { signal: wrong(new AbortController()) }), "ValidationError", "ERR_OPTION", /signal must be .*AbortSignal/],
  ["ephemeral that is no boolean", (client) => client.publish("a", {}, { ephemeral: wrong("yes") }), "ValidationError", "ERR_OPTION", /ephemeral .*(true|boolean)/],
  ["a batch that is no list", (client) => client.publishBatch(wrong({ type: "a" })), "ValidationError", "ERR_OPTION", /array/],
  ["a batch of bare types", (client) => client.publishBatch(wrong(["ab"])), "ValidationError", "ERR_OPTION", /array|\[type, payload\]/],
  ["events that are null", (client) => client.publishEvents(wrong([null])), "ValidationError", "ERR_TYPE", TYPE],
  ["one wrong event in a batch", (client) => client.publishEvents([{ type: "a" }, { type: "a b" }]), "ValidationError", "ERR_TYPE", /names have no spaces; use "_"/],
  ["a batch of 501", (client) => client.publishBatch(Array.from({ length: 501 }, (_, n) => ["a", n] as const)), "ValidationError", "ERR_BATCH_TOO_LARGE", /500 events.*(publish less|several)/],
  ["an id twice in a batch", (client) => client.publishEvents([{ type: "a", id: "x" }, { type: "b", id: "x" }]), "ValidationError", "ERR_DUPLICATE_ID", /id/],
  ["terms of its own for one event of a batch", (client) => client.publishEvents(wrong([{ type: "a", ephemeral: true }])), "ValidationError", "ERR_OPTION", /ephemeral is .*(alone|whole)/],
  ["a transaction that is no function", (client) => client.transaction(wrong([["a", 1]])), "ValidationError", "ERR_OPTION", /must be a function/],
  ["a wrong event in a transaction", (client) => client.transaction((tx) => tx.publish("a", { n: 5n })), "ValidationError", "ERR_PAYLOAD", /payload\.n is a bigint/],
  ["a publish after its transaction", async (client) => {
    let late = (): Promise<void> => Promise.resolve();
    await client.transaction((tx) => { late = () => tx.publish("a", 1); });
    await late();
  }, "ValidationError", "ERR_TRANSACTION_OVER", /await every tx\.publish\(\) before/],
  ["publishNowait of a BigInt, told to onError", (client) => reported(client, () => client.publishNowait("a", 5n)), "ValidationError", "ERR_PAYLOAD", /payload is a bigint/],
  ["publishNowait of a type with a wildcard, told to onError", (client) => reported(client, () => client.publishNowait("a.*", 5)), "ValidationError", "ERR_TYPE", /wildcards are for subscribing/],
];

// ——— Subscribing ———

const filtered = (filter: unknown) => (client: Client) => client.subscribe("a", { filter: wrong(filter) }, ignore);
const subscribing: readonly Row[] = [
  ["the pattern user#", (client) => client.on("user#", ignore), "ValidationError", "ERR_PATTERN", /write "\*\*"/],
  ["the pattern >", (client) => client.on(">", ignore), "ValidationError", "ERR_PATTERN", /write "\*\*"/],
  ["the pattern +", (client) => client.on("order.+", ignore), "ValidationError", "ERR_PATTERN", /write "\*"/],
  ["the pattern a..b", (client) => client.subscribe("a..b", ignore), "ValidationError", "ERR_PATTERN", /a segment is empty/],
  ["the pattern user*", (client) => client.subscribe("user*", ignore), "ValidationError", "ERR_PATTERN", /write "user\.\*"/],
  ["a pattern with a slash", (client) => client.subscribe("user/created", ignore), "ValidationError", "ERR_PATTERN", /write "\."/],
  ["an empty pattern", (client) => client.on("", ignore), "ValidationError", "ERR_PATTERN", /a segment is empty/],
  ["no patterns", (client) => client.on([], ignore), "ValidationError", "ERR_PATTERN", /1 to 100 patterns|such as "order/],
  ["101 patterns", (client) => client.on(Array.from({ length: 101 }, (_, n) => `a${n}`), ignore), "ValidationError", "ERR_PATTERN", /1 to 100 patterns/],
  ["a pattern that is a number", (client) => client.on(wrong([5]), ignore), "ValidationError", "ERR_PATTERN", /"order\.\*"/],
  ["no pattern at all", (client) => wrong(client).subscribe(), "ValidationError", "ERR_PATTERN", /pattern|topics/],
  ["a regular expression in place of a pattern", (client) => client.on(wrong(/order/), ignore), "ValidationError", "ERR_PATTERN", /onPattern|"order\.\*"/],
  ["the router's own names with a wildcard", (client) => client.on("$router.*", ignore), "ValidationError", "ERR_PATTERN", /write the exact name/],
  ["one wrong pattern of several", (client) => client.on(["order.*", "pay ment"], ignore), "ValidationError", "ERR_PATTERN", /names have no spaces/],
  ["onPattern without a RegExp", (client) => client.onPattern(wrong("order.*"), ignore), "ValidationError", "ERR_PATTERN", /RegExp.*use on\(\)/],
  ["a backreference", (client) => client.onPattern(/(a)\1/, ignore), "ValidationError", "ERR_REGEX", /backreference/i],
  ["a lookahead", (client) => client.onPattern(/a(?=b)/, ignore), "ValidationError", "ERR_REGEX", /look/i],
  ["an unknown operator", filtered({ priority: { $above: 5 } }), "ValidationError", "ERR_FILTER", /\$above.*\$gt/],
  ["an unknown field", filtered({ amount: 5 }), "ValidationError", "ERR_FILTER", /amount.*payload/],
  ["$where", filtered({ $where: "this.x" }), "ValidationError", "ERR_FILTER", /\$where/],
  ["$expr under a field", filtered({ "payload.x": { $expr: {} } }), "ValidationError", "ERR_FILTER", /\$expr/],
  ["33 conditions", filtered({ $or: Array.from({ length: 33 }, (_, n) => ({ priority: n })) }), "ValidationError", "ERR_FILTER_TOO_LARGE", /32/],
  ["a regular expression that is none", filtered({ type: { $regex: "(" } }), "ValidationError", "ERR_REGEX", /regular expression/],
  ["a $regex with a lookbehind", filtered({ type: { $regex: "(?<=a)b" } }), "ValidationError", "ERR_REGEX", /regular expression/],
  ["$in that is no list", filtered({ type: { $in: "a" } }), "ValidationError", "ERR_FILTER", /\$in.*array/],
  ["$and of nothing", filtered({ $and: [] }), "ValidationError", "ERR_FILTER", /\$and.*array/],
  ["$size of a text", filtered({ "payload.x": { $size: "3" } }), "ValidationError", "ERR_FILTER", /\$size.*whole number/],
  ["a filter that is a text", filtered("priority:gt:5"), "ValidationError", "ERR_FILTER", /object/],
  ["a filter that is null", filtered(null), "ValidationError", "ERR_FILTER", /object/],
  ["a filter that is a function", filtered((event: { priority: number }) => event.priority > 5), "ValidationError", "ERR_FILTER", /object/],
  ["a filter that is a list", filtered([{ priority: 5 }]), "ValidationError", "ERR_FILTER", /object/],
  ["a filter with a BigInt", filtered({ "payload.n": 5n }), "ValidationError", "ERR_FILTER", /payload\.n/],
  ["a filter with NaN", filtered({ "payload.n": { $gt: Number.NaN } }), "ValidationError", "ERR_FILTER", /payload\.n/],
  ["a filter with a function for a value", filtered({ "payload.n": ignore }), "ValidationError", "ERR_FILTER", /payload\.n/],
  ["from a word", (client) => client.on("a", { from: wrong("yesterday") }, ignore), "ValidationError", "ERR_FROM", /"now", "start", a seq.* or a Date/],
  ["from before the start", (client) => client.on("a", { from: -1 }, ignore), "ValidationError", "ERR_FROM", /"now", "start", a seq.* or a Date/],
  ["from between two events", (client) => client.on("a", { from: 1.5 }, ignore), "ValidationError", "ERR_FROM", /"now", "start", a seq.* or a Date/],
  ["from a date that is none", (client) => client.on("a", { from: new Date("yesterday") }, ignore), "ValidationError", "ERR_FROM", /"now", "start", a seq.* or a Date/],
  ["no handlers at once", (client) => client.on("a", { concurrency: 0 }, ignore), "ValidationError", "ERR_OPTION", /concurrency must be a whole number, 1 or more/],
  ["a concurrency in words", (client) => client.on("a", { concurrency: wrong("2") }, ignore), "ValidationError", "ERR_OPTION", /concurrency must be a whole number, 1 or more/],
  ["no handler", (client) => wrong(client).on("a"), "ValidationError", "ERR_OPTION", /handler must be a function; got undefined/],
  ["a handler that is no function", (client) => client.on("a", {}, wrong("log")), "ValidationError", "ERR_OPTION", /handler must be a function; got string/],
  ["handlers that are a list", (client) => client.subscribe({ topics: "a", handler: wrong([ignore]) }), "ValidationError", "ERR_OPTION", /handler must be a function; got object/],
  ["an option that does not exist", (client) => client.subscribe(wrong({ topics: "a", onEvent: ignore })), "ValidationError", "ERR_OPTION", /onEvent is (no option|not available).*filter/],
  ["a durable name with a space", (client) => client.subscribe({ topics: "a", durable: "my place", handler: ignore }), "ValidationError", "ERR_SUBSCRIPTION", /durable must be a name of 1 to 128 characters/],
  ["a group that is a list", (client) => client.subscribe({ topics: "a", group: wrong(["us"]), handler: ignore }), "ValidationError", "ERR_SUBSCRIPTION", /group must be a name of 1 to 128 characters/],
  ["a group that is durable too", (client) => client.subscribe({ topics: "a", group: "us", durable: "me", handler: ignore }), "ValidationError", "ERR_SUBSCRIPTION", /group is durable by itself/],
  ["a group with more in flight than a window", (client) => client.subscribe({ topics: "a", group: "us", maxInFlight: 1_000, handler: ignore }), "ValidationError", "ERR_SUBSCRIPTION", /maxInFlight must be a whole number from 1 to 256/],
  ["retry as a number", (client) => client.subscribe("a", wrong({ retry: 3 }), ignore), "ValidationError", "ERR_OPTION", /retry must be an object, such as { maxRetries: 3 }/],
  ["deadLetter without a handler", (client) => client.subscribe("a", { deadLetter: true }), "ValidationError", "ERR_OPTION", /deadLetter is for a subscription with a handler/],
  ["optimistic without a handler", (client) => client.stream("a", wrong({ optimistic: true })), "ValidationError", "ERR_OPTION", /optimistic is for a subscription with a handler/],
  ["a controller in place of its signal", (client) => client.on("a", { signal: wrong(new AbortController()) }, ignore), "ValidationError", "ERR_OPTION", /signal must be .*AbortSignal/],
  ["batches of nothing", (client) => client.stream("a", { batchSize: 0 })[Symbol.asyncIterator]().next(), "ValidationError", "ERR_OPTION", /batchSize must be a whole number, 1 or more/],
  ["batches with a timeout in words", (client) => client.stream("a", { timeout: "a while" })[Symbol.asyncIterator]().next(), "ValidationError", "ERR_DURATION", /timeout must be .*"30s"/],
  ["iterating what has a handler", async (client) => (await client.subscribe("a", ignore))[Symbol.asyncIterator](), "SubscriptionError", "ERR_ITERATOR", /subscribe without (one|a handler)/],
  ["unsubscribing before the router has it", (client) => {
    const sub = client.on("a", ignore);
    const { ready } = sub;
    void sub.unsubscribe();
    return ready;
  }, "SubscriptionError", "ERR_UNSUBSCRIBED", /before the router had it/],
];

// ——— Requests, calls, listeners, and a client that is closed ———

const once = (answer: (request: { payload: unknown }) => unknown, options: object = {}) => async (client: Client) => {
  await client.respond("ask", options, answer).ready;
  await client.request("ask", { n: 1 });
};
const closed = (call: (client: Client) => unknown) => async (client: Client) => {
  await client.close();
  await failIfAccepted(call(client));
};
/** A subscription may fail by its `ready`, as by a throw. */
async function failIfAccepted(result: unknown): Promise<void> {
  const settled: unknown = await result;
  if (typeof settled === "object" && settled !== null && "ready" in settled) await settled.ready;
}
const MAKE_ANEW = /make a new one/;
const asking: readonly Row[] = [
  ["a request nobody answers", (client) => client.request("nobody.home", {}), "NoRespondersError", "ERR_NO_RESPONDERS", /nobody answers "nobody\.home" now; .*respond/],
  ["a request with a wildcard", (client) => client.request("user.*", {}), "ValidationError", "ERR_TYPE", /wildcards are for subscribing/],
  ["a request without a type", (client) => wrong(client).request(), "ValidationError", "ERR_TYPE", TYPE],
  ["a request with a BigInt", (client) => client.request("a", { x: 1n }), "ValidationError", "ERR_PAYLOAD", /payload\.x is a bigint/],
  ["a request with a timeout in words", (client) => client.request("a", {}, { timeout: "soon" }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s"/],
  ["a request with an option that does not exist", (client) => client.request("a", {}, wrong({ retries: 3 })), "ValidationError", "ERR_META", /retries is not a field of an event; use/],
  ["a request with a payload of 300 kB", (client) => client.request("a", "x".repeat(300_000)), "ValidationError", "ERR_PAYLOAD_TOO_LARGE", /262144 bytes.*(publish a reference|less)/],
  ["respond without a handler", (client) => wrong(client).respond("a"), "ValidationError", "ERR_OPTION", /handler must be a function/],
  ["respond to a pattern that is none", (client) => client.respond("a..b", ignore), "ValidationError", "ERR_PATTERN", /a segment is empty/],
  ["respond to no patterns", (client) => client.respond([], ignore), "ValidationError", "ERR_PATTERN", /1 to 100 patterns|such as "order/],
  ["respond to a number", (client) => client.respond(wrong(5), ignore), "ValidationError", "ERR_PATTERN", /"order\.\*"/],
  ["respond with an option that does not exist", (client) => client.respond("a", wrong({ concurrency: 2 }), ignore), "ValidationError", "ERR_OPTION", /concurrency is (no option|not available).*schema/],
  ["a response that is no JSON", once(() => 5n), "RemoteError", "ERR_PAYLOAD", /payload is a bigint/],
  ["a response of 300 kB", once(() => "x".repeat(300_000)), "RemoteError", "ERR_ANSWER", /262144 bytes.*publish a reference/],
  ["a request that the responder's schema refuses", once(ignore, { schema: { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "must be a text", path: ["n"] }] }) } } }), "RemoteError", "ERR_SCHEMA", /payload\.n: must be a text/],
  ["a call that the router has not", (client) => client.call("no.such.call"), "ValidationError", "ERR_METHOD", /no call "no\.such\.call"; it has /],
  ["a call with what is no JSON", (client) => client.call("stats", { n: 5n }), "ValidationError", "ERR_PARAMETER", /params\.n is a bigint.*JSON/],
  ["onError without a function", (client) => client.onError(wrong("log")), "ValidationError", "ERR_OPTION", /must be a function/],
  ["onStateChange without a function", (client) => client.onStateChange(wrong(undefined)), "ValidationError", "ERR_OPTION", /must be a function/],
  ["connect with a timeout in words", (client) => client.connect({ timeout: "soon" }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s"/],
  ["publish, closed", closed((client) => client.publish("a")), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["publishEvents, closed", closed((client) => client.publishEvents([{ type: "a" }])), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["publishNowait, closed", closed((client) => reported(client, () => client.publishNowait("a"))), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["transaction, closed", closed((client) => client.transaction(ignore)), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["on, closed", closed((client) => client.on("a", ignore)), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["stream, closed", closed((client) => client.stream("a")), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["request, closed", closed((client) => client.request("a")), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["respond, closed", closed((client) => client.respond("a", ignore)), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
  ["connect, closed", closed((client) => client.connect()), "ConnectionError", "ERR_CLOSED", MAKE_ANEW],
];

// ——— Options of a client; what only a connection can tell is told by it ———

type Making = readonly [title: string, call: (home: Home) => unknown, name: string, code: string, message: RegExp];

const option = (options: unknown) => (home: Home) => home.make(options);
const used = (options: unknown) => (home: Home) => home.make(options).publish("a");
const making: readonly Making[] = [
  ["an option that does not exist", option({ pollSize: 2 }), "ValidationError", "ERR_OPTION", /pollSize is (no option|not available).*poolSize/],
  ["an address in place of options", option("ws://localhost:8080"), "ValidationError", "ERR_OPTION", /object|\{ url/],
  ["null in place of options", option(null), "ValidationError", "ERR_OPTION", /object/],
  ["a timeout in words", option({ timeout: "10 parsecs" }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s".*got "10 parsecs"/],
  ["a negative timeout", option({ timeout: -1 }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s"/],
  ["a timeout that is NaN", option({ timeout: Number.NaN }), "ValidationError", "ERR_DURATION", /timeout must be .*"30s"/],
  ["nothing may wait", option({ maxPending: 0 }), "ValidationError", "ERR_OPTION", /maxPending must be a whole number, 1 or more/],
  ["a batch of one and a half", option({ batchSize: 1.5 }), "ValidationError", "ERR_OPTION", /batchSize must be a whole number, 1 or more/],
  ["a batchTimeout in words", option({ batchTimeout: "1 minute" }), "ValidationError", "ERR_DURATION", /batchTimeout must be .*"1m"/],
  ["a pool of nothing", used({ poolSize: 0 }), "ValidationError", "ERR_OPTION", /poolSize must be a whole number, 1 or more/],
  ["a poolTimeout in words", used({ poolSize: 2, poolTimeout: "soon" }), "ValidationError", "ERR_DURATION", /poolTimeout must be .*"30s"/],
  ["a poolTimeout in words, without a pool", used({ poolTimeout: "soon" }), "ValidationError", "ERR_DURATION", /poolTimeout must be .*"30s"/],
  ["a cache of less than nothing", used({ cacheSize: -1 }), "ValidationError", "ERR_OPTION", /cacheSize must be a whole number/],
  ["a cacheTtl in words", used({ cacheSize: 5, cacheTtl: "a day" }), "ValidationError", "ERR_DURATION", /cacheTtl must be .*"30s"/],
  ["a cacheTtl in words, without a cache", used({ cacheTtl: "a day" }), "ValidationError", "ERR_DURATION", /cacheTtl must be .*"30s"/],
  ["an auth that is a text", option({ auth: "secret" }), "ValidationError", "ERR_OPTION", /auth must be \{ type: "api_key", key \}/],
  ["an auth of an unknown type", option({ auth: { type: "password", password: "x" } }), "ValidationError", "ERR_OPTION", /auth must be \{ type: "api_key", key \}/],
  ["mtls without a key", option({ auth: { type: "mtls", cert: "" } }), "ValidationError", "ERR_OPTION", /auth must be \{ type: "api_key", key \}.*"mtls", cert, key/],
  ["an API key without the key", used({ auth: { type: "api_key" } }), "ValidationError", "ERR_OPTION", /auth.*key/],
  ["a token that is a number", used({ auth: { type: "jwt", token: 5 } }), "ValidationError", "ERR_OPTION", /auth.*token/],
  ["a token function that throws", used({ auth: { type: "jwt", token: () => { throw new Error("no session"); } } }), "AuthenticationError", "ERR_TOKEN", /auth\.token\(\) failed.*call reconnect\(\)/],
  ["a logger without error()", option({ logger: {} }), "ValidationError", "ERR_OPTION", /logger/],
  ["a schema that is none", used({ schema: { a: {} } }), "ValidationError", "ERR_OPTION", /schema/],
  ["a namespace with a slash", used({ namespace: "a/b" }), "ValidationError", "ERR_NAME", /namespace must be 1 to 128 characters of/],
  ["an empty namespace", used({ namespace: "" }), "ValidationError", "ERR_NAME", /namespace must be 1 to 128 characters of/],
  ["a name with a space", used({ name: "order service" }), "ValidationError", "ERR_NAME", /name must be 1 to 128 characters of/],
  ["a namespace that is a number", used({ namespace: 5 }), "ValidationError", "ERR_NAME", /namespace must be/],
  ["an unknown transport", option({ transport: "carrier-pigeon" }), "ValidationError", "ERR_OPTION", /transport must be "websocket", "shared-worker", "redis" or "memory"/],
  ["a connection of redis that does not exist", option({ transport: "redis", connection: { hosts: "localhost" } }), "ValidationError", "ERR_OPTION", /hosts is (no option|not available).*connection.*host/],
  ["a connection without redis", option({ connection: { host: "localhost" } }), "ValidationError", "ERR_OPTION", /connection is for transport: "redis"/],
  ["a worker that is no function", option({ transport: "shared-worker", worker: {} }), "ValidationError", "ERR_OPTION", /worker must be a function/],
  ["an outbox of the browser elsewhere", used({ offline: true }), "ValidationError", "ERR_OPTION", /there is no IndexedDB here; give a store, such as .*sqliteStore/],
  ["an outbox for less than one event", used({ offline: { store: "memory", maxEvents: 0 } }), "ValidationError", "ERR_OPTION", /maxEvents must be a whole number, 1 or more/],
  ["a pass phrase for a key", used({ encryption: { enabled: true, key: "correct horse" } }), "EncryptionError", "ERR_KEY", /32 bytes.*keys generate/],
  ["a url that is none", option({ url: "localhost" }), "ValidationError", "ERR_OPTION", /url must be such as "ws:\/\/localhost:8080"/],
  ["an empty url", option({ url: "" }), "ValidationError", "ERR_OPTION", /url must be such as "ws:\/\/localhost:8080"/],
  ["a url of another scheme", option({ url: "ftp://localhost" }), "ValidationError", "ERR_OPTION", /url must be such as "ws:\/\/localhost:8080".*got "ftp/],
  ["websocket without a url", option({ transport: "websocket" }), "ValidationError", "ERR_OPTION", /url must be such as "ws:\/\/localhost:8080"/],
  ["a password in the url", option({ url: "ws://user:pass@localhost" }), "ValidationError", "ERR_OPTION", /url is no place for credentials; use .*auth/],
  ["a token in the url", option({ url: "ws://localhost?token=abc" }), "ValidationError", "ERR_OPTION", /url is no place for credentials; use .*auth/],
  ["a reconnect that does not exist", option({ reconnect: { retries: 3 } }), "ValidationError", "ERR_OPTION", /retries is (no option|not available).*maxAttempts/],
  ["a backoff that does not exist", option({ reconnect: { backoff: "linear" } }), "ValidationError", "ERR_OPTION", /reconnect\.backoff must be "exponential" or "fixed"/],
  ["less than no attempts", option({ reconnect: { maxAttempts: -1 } }), "ValidationError", "ERR_OPTION", /reconnect\.maxAttempts must be a whole number, 0 or more/],
  ["a minDelay in words", option({ reconnect: { minDelay: "fast" } }), "ValidationError", "ERR_DURATION", /reconnect\.minDelay must be .*"30s"/],
  ["nobody there", (home) => home.make({ url: "ws://127.0.0.1:9", reconnect: { enabled: false } }).publish("a"), "ConnectionError", "ERR_CONNECTION_FAILED", /127\.0\.0\.1:9.*check the URL.*call reconnect\(\)/],
];

// ——— Frames, as another client might send them ———

const HELLO = '["hello",{"v":1}]';
const frames: readonly (readonly [title: string, hello: string, message: string, name: string, code: string, text: RegExp])[] = [
  ["no JSON for a hello", "hello?", "", "ValidationError", "ERR_FRAME", /not JSON/],
  ["something else for a hello", '["pub",1,0]', "", "ValidationError", "ERR_FRAME", /first message is one frame, \["hello"/],
  ["a hello of another version", '["hello",{"v":99}]', "", "ValidationError", "ERR_PROTOCOL_VERSION", /speaks protocol version 1.*use matching versions/],
  ["a hello of 9 kB", `["hello",{"v":1,"name":"${"x".repeat(9_000)}"}]`, "", "ValidationError", "ERR_FRAME_TOO_LARGE", /may send 8192 bytes/],
  ["a hello with a namespace of spaces", '["hello",{"v":1,"namespace":"a b"}]', "", "ValidationError", "ERR_NAME", /namespace must be 1 to 128 characters/],
  ["no JSON", HELLO, "{", "ValidationError", "ERR_FRAME", /not JSON/],
  ["an object for a frame", HELLO, '{"type":"a"}', "ValidationError", "ERR_FRAME", /not an array that begins with a name/],
  ["a frame nobody knows", HELLO, '["subscribe",1]', "ValidationError", "ERR_FRAME", /unknown frame "subscribe"/],
  ["fewer lines than announced", HELLO, '["pub",1,2]\n["x","a",1]', "ValidationError", "ERR_FRAME", /2 lines announced, 1 there/],
  ["a request number below nothing", HELLO, '["pub",-1,0]', "ValidationError", "ERR_FRAME", /req must be a whole number/],
  ["a line that is no event", HELLO, '["pub",1,1]\n{"type":"a"}', "ValidationError", "ERR_FRAME", /line must be \["id","type",payload\]/],
  ["an event of a wrong type", HELLO, '["pub",1,1]\n["x","a.*",1]', "ValidationError", "ERR_TYPE", /wildcards are for subscribing/],
  ["an event with a field of the router's", HELLO, '["pub",1,1]\n["x","a",1,{"publisher":{"subject":"root"}}]', "ValidationError", "ERR_META", /publisher is not a field.*use source/],
  ["a subscription that is no object", HELLO, '["sub",1,"a"]', "ValidationError", "ERR_FRAME", /subscription must be an object/],
  ["a subscription with $where", HELLO, '["sub",1,{"topics":["a"],"filter":{"$where":"1"}}]', "ValidationError", "ERR_FILTER", /\$where/],
  ["a subscription number twice", HELLO, '["sub",1,{"topics":["a"]}]\n["sub",1,{"topics":["b"]}]', "SubscriptionError", "ERR_SUBSCRIPTION_ID", /use another id/],
];

// ——— REST and the command line: the tables of their own tests hold the rest ———

const bodies: readonly (readonly [title: string, path: string, body: string, status: number, code: string, detail: RegExp])[] = [
  ["no JSON", "/api/v1/events", "{", 400, "ERR_JSON", /JSON/],
  ["no type", "/api/v1/events", "{}", 400, "ERR_BODY", /type/],
  ["camel case", "/api/v1/events", '{"type":"a","correlationId":"x"}', 400, "ERR_BODY", /correlationId/],
  ["a type with a wildcard", "/api/v1/events", '{"type":"a.*"}', 400, "ERR_TYPE", /wildcards are for subscribing/],
  ["a priority of ten", "/api/v1/events", '{"type":"a","priority":10}', 400, "ERR_PRIORITY", /0 to 9/],
  ["a wrong event among right ones", "/api/v1/events", '[{"type":"a"},{"type":"a..b"}]', 400, "ERR_TYPE", /a segment is empty/],
  ["a request nobody answers", "/api/v1/requests", '{"type":"nobody.home"}', 404, "ERR_NO_RESPONDERS", /nobody answers/],
  ["a timeout in words", "/api/v1/requests", '{"type":"a","timeout":"soon"}', 400, "ERR_DURATION", /timeout must be .*"30s"/],
];

const lines: readonly (readonly [line: readonly string[], code: string, message: RegExp])[] = [
  [["start", "--prot", "80"], "ERR_USAGE", /did you mean --port\?/],
  [["start", "--host", "0.0.0.0"], "ERR_USAGE", /give --api-key KEY .* or --allow-anonymous/],
  [["publish", "order.*", "{}"], "ERR_TYPE", /wildcards are for subscribing/],
  [["publish", "a", "{id:1}"], "ERR_JSON", /PAYLOAD is not JSON at character 2/],
  [["monitor", "user#"], "ERR_PATTERN", /write "\*\*"/],
  [["monitor", "--filter", "amount:gt:5"], "ERR_FILTER", /payload/],
  [["status", "--url", "localhost"], "ERR_USAGE", /write it as http:\/\/127\.0\.0\.1:8080/],
  [["request", "a", "--timeout", "soon"], "ERR_USAGE", /--timeout is a time with its unit/],
];

const shown = (error: unknown) => (error instanceof Error ? { name: error.name, code: (error as { code?: unknown }).code, message: error.message } : { accepted: error });

for (const [place, open] of [["in process", inProcess], ["over WebSocket", overWebSocket]] as const) describe(place, () => {
  test.concurrent.for([...publishing, ...subscribing, ...asking])("%s", async ([, call, name, code, message], { expect: check }) => {
    const home = await open();
    try {
      // What a client reports besides is for other tests.
      const client = home.connect({ logger: { error: ignore } });
      check(shown(await failureOf(() => call(client)))).toEqual({ name, code, message: check.stringMatching(message) });
    } finally {
      await home.close();
    }
  });

  test.concurrent.for(making)("client options: %s", async ([, call, name, code, message], { expect: check }) => {
    const home = await open();
    try {
      const quiet: Home = { ...home, make: (options) => (typeof options === "object" && options !== null && !("logger" in options) ? home.make({ logger: { error: ignore }, ...options }) : home.make(options)) };
      check(shown(await failureOf(() => call(quiet)))).toEqual({ name, code, message: check.stringMatching(message) });
    } finally {
      await home.close();
    }
  });

  test.concurrent.for(frames)("a frame: %s", async ([, hello, message, name, code, text], { expect: check }) => {
    const home = await open();
    const raw = await home.raw(hello);
    try {
      if (message !== "") raw.say(message);
      const [gotName, gotCode, gotText] = await raw.refused;
      check({ name: gotName, code: gotCode, message: gotText }).toEqual({ name, code, message: check.stringMatching(text) });
    } finally {
      raw.close();
      await home.close();
    }
  });
});

test.concurrent.for(bodies)("REST: %s", async ([, path, body, status, code, detail], { expect: check }) => {
  const response = await fetch(`${server.url}${path}`, { method: "POST", body, headers: { "content-type": "application/json" } });
  const problem: unknown = await response.json();
  check({ status: response.status, type: response.headers.get("content-type") }).toEqual({ status, type: "application/problem+json" });
  check(problem).toMatchObject({ status, code, detail: check.stringMatching(detail) });
});

test.concurrent.for(lines)("event-router %j", async ([line, code, message], { expect: check }) => {
  const { code: exit, out, err } = await cli(line, { env: { EVENT_ROUTER_URL: server.url } });
  check(err).toMatch(message);
  check(err).toContain(`(${code})`);
  check({ exit, out }).toEqual({ exit: 2, out: "" });
});

test("the table is as long as it was promised", () => {
  expect(publishing.length + subscribing.length + asking.length + making.length + frames.length + bodies.length + lines.length).toBeGreaterThan(200);
});

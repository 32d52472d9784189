import { expect, test } from "vitest";
import { RightsPool } from "../../src/auth/rights.ts";
import { AuthenticationError } from "../../src/core/errors.ts";
import type { Policy, Principal } from "../../src/core/policy.ts";
import { createApp } from "../../src/http/app.ts";
import { TestClock } from "../support/test-clock.ts";
import { allMicrotasks, seeded } from "../support/fake-surroundings.ts";
import { line, type RawClient } from "../support/raw-client.ts";
import { World } from "../support/world.ts";
import { oracle, oracleMatches, type Oracle } from "./permission-oracle.ts";

const CASES = Number(process.env.PERMISSION_CASES ?? 100_000);
const SEED = Number(process.env.PERMISSION_SEED ?? 20_261_125);

/** Lists of permissions by key, changed by the test in mid-session. */
class Lists implements Policy {
  readonly lists = new Map<string, readonly string[]>();
  readonly #pool = new RightsPool();
  #listener: (subject?: string) => void = () => {};

  authenticate(credential: unknown): Principal {
    return this.review({ subject: (credential as { key: string } | undefined)?.key ?? "", rights: this.#pool.of([]) });
  }

  review({ subject }: Principal): Principal {
    const permissions = this.lists.get(subject!);
    if (permissions === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", "not known");
    return { subject: subject!, rights: this.#pool.of(permissions), permissions };
  }

  watch(listener: (subject?: string) => void): () => void {
    this.#listener = listener;
    return () => {};
  }

  change(key: string, permissions: readonly string[]): void {
    this.lists.set(key, permissions);
    this.#listener(key);
  }
}

type Random = () => number;
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const some = <T>(random: Random, most: number, make: () => T): T[] => Array.from({ length: Math.floor(random() * (most + 1)) }, make);
const patternOf = (random: Random): string => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, ["a", "b", "*", "**"])).join(".");
const typeOf = (random: Random): string => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, ["a", "b", "z"])).join(".");

function permissionsOf(random: Random): string[] {
  return (["publish", "subscribe", "request", "respond"] as const).flatMap((action) => [
    ...Array.from({ length: 1 + Math.floor(random() * 3) }, () => `${action}:${patternOf(random)}`), ...some(random, 2, () => `deny:${action}:${patternOf(random)}`),
  ]);
}

const still = new TestClock();
const clock = { now: () => still.now(), after: (ms: number, callback: () => void) => still.after(ms, callback) };
const sorted = (types: Iterable<string>): string[] => [...types].sort();

/** One router, one client with rights by chance, everything it can read; what came is what the oracle says. Returns how many cases that was. */
async function trial(random: Random): Promise<number> {
  const policy = new Lists();
  const permissions = permissionsOf(random);
  policy.lists.set("root", ["admin"]).set("reader", [...permissions, "manage"]);
  // A window so small that all who read fall behind and are served from the log as well.
  const world = new World({ policy, limits: { windowEvents: 8 }, tail: random() < 0.5 ? { events: 2, size: 1_000 } : { events: 1_000, size: 1_000_000 } });
  const as = (key: string): Promise<RawClient> => world.client({ auth: { type: "api_key", key } });
  const [root, reader, groups, replays] = [await as("root"), await as("reader"), await as("reader"), await as("reader")];
  const model = oracle(permissions);
  const patterns = [...new Set(Array.from({ length: 4 }, () => patternOf(random)))];
  const types = [...new Set(Array.from({ length: 40 }, () => typeOf(random)))];
  let cases = 0;

  const check = (path: string, pattern: string, came: Iterable<string>, expected: readonly string[]): void => {
    cases += types.length;
    if (JSON.stringify(sorted(came)) !== JSON.stringify(sorted(expected))) expect({ path, pattern, permissions, came: sorted(came) }).toEqual({ path, pattern, permissions, came: sorted(expected) });
  };
  /** What a subscription to a pattern is to get of the types. */
  const due = ({ may, reaches }: Oracle, pattern: string, checked: boolean): string[] =>
    checked && !reaches("subscribe", pattern) ? [] : types.filter((type) => oracleMatches(pattern, type) && may("subscribe", type));
  /** Takes all there is: acknowledges, and finishes what groups give, until nothing more comes. */
  const drain = async (): Promise<void> => {
    const done = new Set<number>();
    for (let before = -1, now = 0; now !== before; before = now, now = reader.frames.length + groups.frames.length + replays.frames.length) {
      for (const client of [reader, replays, root]) client.ackAll();
      for (const [, sub, token] of groups.named("job")) if (!done.has(token)) {
        done.add(token);
        groups.say(["done", sub, token]);
      }
      groups.ack();
      await world.settle();
    }
  };
  const typesOf = (client: RawClient, sub: number, ephemeral = false): string[] => client.eventsOf(sub).filter(([seq]) => (seq === 0) === ephemeral).map((event) => event[4]);
  const jobTypes = (sub: number): string[] => groups.named("job").filter(([, id]) => id === sub).map(([, , , , event]) => event[4]);

  // Live, and a group: there before anything is published.
  for (const [i, pattern] of patterns.entries()) {
    reader.subscribe(i, pattern);
    groups.subscribe(i, { topics: [pattern], group: `g${i}`, maxInFlight: 8 });
    reader.say(["serve", 100 + i, [pattern]]);
  }
  root.subscribe(999, "**");
  await world.settle();
  for (const [i, pattern] of patterns.entries()) {
    cases += 3;
    const verdict = (client: RawClient, id: number): boolean => client.endsOf(id).length === 0;
    expect([verdict(reader, i), verdict(groups, i), verdict(reader, 100 + i), pattern, permissions]).toEqual([model.reaches("subscribe", pattern), model.reaches("subscribe", pattern), model.reaches("respond", pattern), pattern, permissions]);
  }
  root.publish(types.map((type, i) => line(`e${i}`, type, `secret of ${type}`, { stream: "s" })));
  await drain();
  const ephemeral = types.map((type, i) => root.publish([line(`x${i}`, type)], { as: "ephemeral" }));
  await drain();
  expect(ephemeral.every((req) => Array.isArray(root.resultsOf(req)))).toBe(true);
  for (const [i, pattern] of patterns.entries()) {
    check("live", pattern, typesOf(reader, i), due(model, pattern, true));
    check("group", pattern, jobTypes(i), due(model, pattern, true));
    for (const type of typesOf(reader, i, true)) if (!due(model, pattern, true).includes(type)) expect({ path: "ephemeral", pattern, type, permissions }).toBe("no leak");
    cases += types.length;
  }

  // From the log: replay, durable names, history, event streams, dead letters and the records behind them.
  for (const [i, pattern] of patterns.entries()) {
    replays.subscribe(i, { topics: [pattern], from: "start" });
    replays.subscribe(100 + i, { topics: [pattern], from: "start", durable: `d${i}` });
    replays.subscribe(200 + i, { topics: [pattern], from: { seq: 1 }, filter: { type: { $regex: "." } } });
  }
  await drain();
  const call = async (method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const req = reader.call(method, params);
    await drain();
    const [name, value] = reader.answerTo(req)!;
    expect(name).toBe("ok");
    return value as Record<string, unknown>;
  };
  const eventTypes = (value: Record<string, unknown>): string[] => (value.events as unknown[][]).map((event) => event[4] as string).filter((type) => !type.startsWith("$"));
  for (const [i, pattern] of patterns.entries()) {
    for (const [path, base] of [["replay", 0], ["durable", 100], ["replay with a filter", 200]] as const) check(path, pattern, typesOf(replays, base + i), due(model, pattern, true));
    check("history", pattern, eventTypes(await call("read", { topics: [pattern] })), due(model, pattern, false));
    check("history, any target", pattern, eventTypes(await call("read", { topics: [pattern], targets: "any" })), due(model, pattern, false));
  }
  const readable = types.filter((type) => model.may("subscribe", type));
  check("event stream", "s", eventTypes(await call("stream", { stream: "s" })), readable);
  check("event stream, backward", "s", eventTypes(await call("stream", { stream: "s", direction: "backward" })), readable);
  for (const [i] of types.entries()) root.call("dead", { sub: 999, seq: i + 1, error: { name: "Error", message: "no" } });
  await drain();
  check("dead letters", "*", ((await call("dead.list", {})).letters as { event: unknown[] }[]).map(({ event }) => event[4] as string), readable);
  const delayed = root.publish(types.map((type, i) => line(`d${i}`, type)), { as: "later", in: 86_400_000 });
  replays.subscribe(900, { topics: ["$dead.open"], from: "start" });
  replays.subscribe(901, { topics: ["$delayed.open"], from: "start" });
  await drain();
  expect(root.answerTo(delayed)?.[0]).toBe("pub");
  const inside = (events: readonly (readonly unknown[])[]): string[] => events.map((event) => JSON.parse((event[5] as { line: string }).line) as unknown[]).map((inner) => (typeof inner[0] === "number" ? inner[4] : inner[1]) as string);
  check("records of dead letters", "$", inside(replays.eventsOf(900)), readable);
  check("records of dead letters, in history", "$", inside((await call("read", { topics: ["$dead.open"], targets: "any" })).events as unknown[][]), readable);
  const own = reader.call("stream", { stream: "$dead" });
  await drain();
  expect(reader.codeOf(own)).toBe("ERR_STREAM");
  check("records of delayed events", "$", inside(replays.eventsOf(901)), readable);

  // Asking, answering, publishing: by each type.
  const asked = types.map((type) => root.request(type, `secret ${type}`, 1_000, "q"));
  const published = reader.publish(types.map((type, i) => line(`p${i}`, type)));
  root.say(["serve", 500, ["**"]]);
  await drain();
  const asks = new Set(reader.named("ask").map(([, , , event]) => event[4]));
  check("requests given to answer", "*", asks, types.filter((type) => model.may("respond", type) && patterns.some((pattern) => model.reaches("respond", pattern) && oracleMatches(pattern, type))));
  expect(asked.every((req, i) => root.answerTo(req) === undefined || !asks.has(types[i]!))).toBe(true);
  check("publishing", "*", types.filter((_, i) => typeof (reader.resultsOf(published) as unknown[])[i] === "number"), types.filter((type) => model.may("publish", type)));
  const requests = types.map((type) => groups.request(type, 1));
  await drain();
  // What is not given to this client is given to root, or to nobody: what counts is what is refused for want of the right.
  check("requesting", "*", types.filter((_, i) => groups.codeOf(requests[i]!) !== "ERR_PERMISSION"), types.filter((type) => model.may("request", type)));

  // Over HTTP: history, and a stream of events, by the same rights.
  const app = createApp({ router: world.router, clock, randomBytes: world.around.randomBytes, onError: (error) => { throw error; } });
  const pattern = patterns[0]!;
  const get = async (path: string): Promise<Response> => {
    const answer = app.request(path, { headers: { host: "r", "x-api-key": "reader" } });
    for (let i = 0; i < 4; i++) await world.settle();
    return answer;
  };
  const history = await get(`/api/v1/events?topics=${pattern}&limit=1000`);
  if (history.status !== 200) throw new Error(await history.text());
  check("HTTP history", pattern, ((await history.json()) as { events: { type: string; id: string }[] }).events.filter(({ id }) => id.startsWith("e")).map(({ type }) => type), due(model, pattern, false));
  const stream = await get(`/api/v1/events/stream?topics=${pattern}&from=start`);
  cases++;
  expect([stream.status, pattern, permissions]).toEqual([model.reaches("subscribe", pattern) ? 200 : 403, pattern, permissions]);
  if (stream.status === 200) check("SSE", pattern, await eventsOf(stream, world), due(model, pattern, true));

  // Other rights in mid-session: they hold for the very next event, on what is left open.
  const changed = permissionsOf(random);
  const after = oracle(changed);
  const before = { live: reader.frames.length, groups: groups.frames.length };
  policy.change("reader", [...changed, "manage"]);
  root.publish(types.map((type, i) => line(`n${i}`, type)));
  await drain();
  const later = (client: RawClient, from: number) => client.frames.slice(from);
  for (const [i, one] of patterns.entries()) {
    const open = model.reaches("subscribe", one) && after.reaches("subscribe", one);
    const live = later(reader, before.live).flatMap((frame) => (frame[0] === "ev" && frame[1].includes(i) ? frame[2] : frame[0] === "mix" ? frame[2].filter((_, j) => frame[1][j]!.includes(i)) : [])).filter((event) => event[3].startsWith("n"));
    const given = later(groups, before.groups).flatMap((frame) => (frame[0] === "job" && frame[1] === i && frame[4][3].startsWith("n") ? [frame[4]] : []));
    check("live, after a change", one, live.map((event) => event[4]), open ? due(after, one, true) : []);
    check("group, after a change", one, given.map((event) => event[4]), open ? due(after, one, true) : []);
  }
  expect(world.errors).toEqual([]);
  await world.router.close();
  return cases;
}

/** The types of what a stream gives until it falls silent. */
async function eventsOf(response: Response, world: World): Promise<string[]> {
  const chunks = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const next = chunks.read();
    let idle = false;
    for (let i = 0; i < 6; i++) {
      await world.settle();
      await allMicrotasks();
    }
    const chunk = await Promise.race([next, allMicrotasks().then(() => { idle = true; })]);
    if (idle || chunk === undefined || chunk.done) break;
    text += decoder.decode(chunk.value as Uint8Array, { stream: true });
  }
  await chunks.cancel().catch(() => {});
  return [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!) as { id: string; type: string }).filter(({ id }) => id.startsWith("e")).map(({ type }) => type);
}

test(`[I15] ${CASES} cases of rights, pattern, type and path: nothing is given to who may not have it, and everything to who may`, async () => {
  const random = seeded(SEED);
  let cases = 0;
  let trials = 0;
  for (; cases < CASES; trials++) cases += await trial(random);
  if (process.env.PERMISSION_SHOW !== undefined) console.log(trials, cases);
});

import { afterEach, describe, expect, test, vi } from "vitest";
import type { EncryptionOptions } from "../../../src/client/encryption/encryption-options.ts";
import type { RouterEvent } from "../../../src/core/event.ts";
import { ManagementAgent } from "../../../src/patterns/management-agent.ts";
import { collector } from "../../contract/router/kit.ts";
import { bytesOf, ENGINES, KEY, OTHER_KEY, place, pretend } from "./kit.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const encryption = { enabled: true, algorithm: "AES-256-GCM", key: KEY } as const;
const isSealed = (event: RouterEvent): boolean => typeof event.payload === "string" && event.payload.split(".").length === 5;

describe.each(ENGINES)("with %s", (engine) => {
  test("[P10] [I17] whatever is published, asked and answered travels encrypted, and arrives as it was", async () => {
    pretend(engine);
    await using here = place();
    const [alice, bob, eve] = [here.connect({ encryption }), here.connect({ encryption: { key: bytesOf(KEY) } }), here.connect()];
    const [got, seen] = [collector(), collector()];
    await bob.subscribe("**", got.handler);
    await eve.subscribe("**", seen.handler);
    await alice.publish("one", { n: 1 }, { headers: { a: "b" }, priority: 8 });
    await alice.publishBatch([["batch.a", 2], ["batch.b", [3]]]);
    await alice.publishEvents([{ type: "events", payload: "4" }]);
    await alice.transaction(async (tx) => {
      await tx.publish("tx.a", { n: 5 });
      await tx.publish("tx.b", { n: 6 });
    });
    alice.publishNowait("nowait", null);
    // What is not stored does not wait for what is.
    await got.count(7);
    await alice.publish("ephemeral", { n: 8 }, { ephemeral: true });
    await alice.publishEvents([{ type: "streamed", payload: { n: 9 }, stream: "order-1" }]);
    const plain = [{ n: 1 }, 2, [3], "4", { n: 5 }, { n: 6 }, null, { n: 8 }, { n: 9 }];
    await Promise.all([got.count(plain.length), seen.count(plain.length)]);
    expect(got.events.map(({ payload }) => payload)).toEqual(plain);
    expect(seen.events.every(isSealed)).toBe(true);
    const bare = (event: RouterEvent): object => ({ ...event, payload: undefined });
    expect(got.events.map(bare)).toEqual(seen.events.map(bare));

    const asked: RouterEvent[] = [];
    await eve.respond("peek", (request) => void asked.push(request)).ready;
    await expect(alice.request("peek", { secret: 1 })).rejects.toMatchObject({ name: "EncryptionError", code: "ERR_NOT_ENCRYPTED" });
    expect(asked.every(isSealed)).toBe(true);
    await bob.respond("add", ({ payload }) => ({ sum: (payload as number[]).reduce((a, b) => a + b) })).ready;
    await bob.respond("fail", () => { throw new TypeError("no such customer: Alice"); }).ready;
    expect((await alice.request("add", [1, 2])).payload).toEqual({ sum: 3 });
    await expect(alice.request("fail", null)).rejects.toMatchObject({ name: "RemoteError", message: "no such customer: Alice", details: { name: "TypeError" } });
  });

  test("[P3] a publisher's events keep their order, whatever their size and however they are published", async () => {
    pretend(engine);
    await using here = place();
    const [alice, bob] = [here.connect({ encryption, batchSize: 7 }), here.connect({ encryption })];
    const got = collector();
    await bob.subscribe("n", got.handler);
    const all: Promise<unknown>[] = [];
    const size = (n: number): string => "x".repeat(n % 10 === 0 ? 60_000 : n % 50);
    for (let n = 0; n < 200; n++) {
      if (n % 3 === 0) alice.publishNowait("n", [n, size(n)]);
      else if (n % 5 === 0) all.push(alice.publishBatch([["n", [n, size(n)]]]));
      else all.push(alice.publish("n", [n, size(n)]));
    }
    await Promise.all(all);
    alice.publishNowait("n", [200, ""]);
    await got.count(201);
    expect(got.events.map(({ payload }) => (payload as [number])[0])).toEqual(Array.from({ length: 201 }, (_, n) => n));
  });

  test("iterators, batches and streams get their events open and in order", async () => {
    pretend(engine);
    await using here = place();
    const alice = here.connect({ encryption });
    for (let n = 0; n < 30; n++) alice.publishNowait("n", n);
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    const one: unknown[] = [];
    for await (const { payload } of alice.stream("n", { from: "start" })) if (one.push(payload) === 30) break;
    expect(one).toEqual(numbers);
    const many: unknown[] = [];
    for await (const batch of alice.stream("n", { from: "start", batchSize: 8, timeout: "20ms" })) if (many.push(...batch.map(({ payload }) => payload)) === 30) break;
    expect(many).toEqual(numbers);
    const reader = alice.stream("n", { from: "start" }).toReadableStream().getReader();
    expect([(await reader.read()).value?.payload, (await reader.read()).value?.payload]).toEqual([0, 1]);
    await reader.cancel();
  });

  test("a key rotates: the old one still opens what it encrypted", async () => {
    pretend(engine);
    await using here = place();
    const old = here.connect({ encryption: { keys: { "2026-10": KEY } } });
    const both = here.connect({ encryption: { keys: { "2026-10": KEY, "2026-11": OTHER_KEY }, activeKey: "2026-11" } });
    await old.publish("n", "old");
    await both.publish("n", "new");
    const got = collector();
    await both.subscribe("n", { from: "start" }, got.handler);
    expect((await got.count(2)).map(({ payload }) => payload)).toEqual(["old", "new"]);
    const errors: unknown[] = [];
    old.onError((error) => errors.push(error));
    const rest = collector();
    await old.subscribe("n", { from: "start" }, rest.handler);
    await old.publish("n", "end");
    expect((await rest.count(2)).map(({ payload }) => payload)).toEqual(["old", "end"]);
    expect(errors).toMatchObject([{ code: "ERR_KEY_UNKNOWN", details: { kid: "2026-11" } }]);
  });
});

test("a CryptoKey that cannot be exported is enough", async () => {
  await using here = place();
  const key = await crypto.subtle.importKey("raw", bytesOf(KEY), "AES-KW", false, ["wrapKey", "unwrapKey"]);
  const [alice, bob] = [here.connect({ encryption: { key } }), here.connect({ encryption })];
  const got = collector();
  await alice.subscribe("n", got.handler);
  await alice.publish("n", 1);
  await bob.publish("n", 2);
  expect((await got.count(2)).map(({ payload }) => payload)).toEqual([1, 2]);
});

test("what is no key is refused with how to make one, and the key is not repeated", async () => {
  const aesGcm = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const short = await crypto.subtle.generateKey({ name: "AES-KW", length: 128 }, true, ["wrapKey", "unwrapKey"]);
  const wrong: readonly (readonly [EncryptionOptions, RegExp])[] = [
    [{ key: "correct horse battery staple" }, /keys generate.*pass phrase/s],
    [{ key: "correct horse battery staple correct horse b" }, /keys generate/],
    [{ key: `${KEY.slice(0, -2)}9=` }, /keys generate/],
    [{ key: "00".repeat(32) }, /keys generate/],
    [{ key: "" }, /keys generate/],
    [{ key: new Uint8Array(16) }, /has 16 bytes; it must have 32/],
    [{ key: 1 as never }, /keys generate/],
    [{ key: aesGcm }, /AES-KW/],
    [{ key: short }, /256 bits/],
    [{}, /no encryption.key.*keys generate/],
    [{ keys: {} }, /keys generate/],
    [{ keys: { a: KEY, b: OTHER_KEY } }, /activeKey/],
    [{ keys: { a: KEY }, activeKey: "b" }, /must name one of encryption.keys \(a\)/],
    [{ keys: { a: KEY }, activeKey: "constructor" }, /must name one/],
    [{ key: KEY, keys: { a: KEY } }, /leave it out/],
    [{ keys: { "a b": KEY } }, /name of 1 to 64/],
    [{ key: KEY, algorithm: "AES-128" as never }, /AES-256-GCM/],
    [{ key: KEY, enabled: 1 as never }, /true or false/],
    [{ key: KEY, types: ["a..b"] }, /encryption.types/],
    [{ key: KEY, required: "a" as never }, /array of patterns/],
    [{ key: KEY, passphrase: "x" } as never, /passphrase is no option/],
    [null as never, /object/],
  ];
  await using here = place();
  for (const [options, message] of wrong) {
    const client = here.connect({ encryption: options });
    const told: unknown[] = [];
    client.onError((error) => told.push(error));
    const error = await client.publish("n", 1).then(() => undefined, (thrown: unknown) => thrown as Error);
    expect(error?.name).toMatch(/^(EncryptionError|ValidationError)$/);
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toContain("horse");
    expect(told).toEqual([error]);
    expect(client.state).toBe("closed");
    await expect(client.subscribe("n", () => {})).rejects.toBe(error);
    await expect(client.request("n", 1)).rejects.toBe(error);
  }
});

describe("types and required", () => {
  test("only the types that were asked for are encrypted", async () => {
    await using here = place();
    const [alice, eve] = [here.connect({ encryption: { key: KEY, types: ["secret.**"], required: ["top.secret"] } }), here.connect()];
    const [got, seen] = [collector(), collector()];
    await alice.subscribe("**", got.handler);
    await eve.subscribe("**", seen.handler);
    for (const type of ["open", "secret", "secret.a.b", "top.secret"]) await alice.publish(type, 1);
    await Promise.all([got.count(4), seen.count(4)]);
    expect(seen.events.map(isSealed)).toEqual([false, true, true, true]);
    expect(got.events.map(({ payload }) => payload)).toEqual([1, 1, 1, 1]);
  });

  test("[I17] a required type is never published without a key, nor does it reach a handler in the clear", async () => {
    await using here = place();
    const [keyless, alice, eve] = [here.connect({ encryption: { enabled: false, required: ["secret.*"] } }), here.connect({ encryption: { key: KEY, required: ["secret.*"] } }), here.connect()];
    await expect(keyless.publish("secret.a", "canary")).rejects.toMatchObject({ name: "EncryptionError", code: "ERR_KEY_REQUIRED" });
    await expect(keyless.publishBatch([["open", 1], ["secret.a", "canary"]])).rejects.toMatchObject({ code: "ERR_KEY_REQUIRED" });
    await expect(keyless.request("secret.a", "canary")).rejects.toMatchObject({ code: "ERR_KEY_REQUIRED" });
    await keyless.publish("open", "fine");
    const errors: unknown[] = [];
    alice.onError((error, event) => errors.push([(error as { code: string }).code, event?.type]));
    const got = collector();
    await alice.subscribe("**", got.handler);
    await eve.publish("secret.a", "forged");
    await eve.publish("open", "from eve");
    await alice.publish("secret.a", "true");
    expect((await got.count(2)).map(({ payload }) => payload)).toEqual(["from eve", "true"]);
    expect(errors).toEqual([["ERR_NOT_ENCRYPTED", "secret.a"]]);

    await alice.respond("secret.ask", () => "answered").ready;
    await expect(eve.request("secret.ask", 1)).rejects.toMatchObject({ name: "RemoteError", code: "ERR_NOT_ENCRYPTED" });
    expect((await alice.request("secret.ask", 1)).payload).toBe("answered");
  });

  test("a client with keys that does not encrypt opens what others did", async () => {
    await using here = place();
    const [reader, alice] = [here.connect({ encryption: { enabled: false, keys: { default: KEY } } }), here.connect({ encryption })];
    const got = collector();
    await reader.subscribe("**", got.handler);
    await alice.publish("a", 1);
    await reader.publish("a", 2);
    expect((await got.count(2)).map(({ payload }) => payload)).toEqual([1, 2]);
  });
});

test("what cannot be opened is told and passed over, and the subscription goes on", async () => {
  await using here = place();
  const [alice, mallory] = [here.connect({ encryption }), here.connect()];
  const errors: string[] = [];
  alice.onError((error) => errors.push((error as { code: string }).code));
  const got = collector();
  await alice.subscribe("n", got.handler);
  const stolen = collector();
  await mallory.subscribe("n", stolen.handler);
  await alice.publish("n", "good");
  const [{ payload }] = await stolen.count(1) as [RouterEvent];
  const jwe = payload as string;
  await mallory.publish("n", jwe);
  await mallory.publish("n", jwe.slice(0, -3), { id: "cut" });
  await mallory.publish("n", jwe.replace(/.$/, (end) => (end === "A" ? "B" : "A")), { id: "tag" });
  await here.connect({ encryption: { keys: { other: OTHER_KEY } } }).publish("n", "unknown key");
  await here.connect({ encryption: { key: OTHER_KEY } }).publish("n", "wrong key of the same name");
  await alice.publish("n", "still here");
  expect((await got.count(2)).map((event) => event.payload)).toEqual(["good", "still here"]);
  expect(errors).toEqual(["ERR_ENCRYPTION_BINDING", "ERR_DECRYPT", "ERR_ENCRYPTION_BINDING", "ERR_KEY_UNKNOWN", "ERR_DECRYPT"]);
});

test("[P4] an id of the caller's makes a repeat harmless, also of batches, of events in streams, and of what waits for its time", async () => {
  await using here = place();
  const [alice, bob] = [here.connect({ encryption }), here.connect({ encryption })];
  const got = collector();
  await bob.subscribe("**", got.handler);
  const batch = [{ type: "a", payload: { n: 1 }, id: "a-1", headers: { h: "1" } }, { type: "b", payload: [2], id: "b-1", stream: "s-1" }];
  const first = await alice.publishEvents(batch);
  const again = await bob.publishEvents(batch);
  expect(again.map(({ id, seq, status, version }) => [id, seq, status, version])).toEqual([["a-1", first[0]!.seq, "duplicate", undefined], ["b-1", first[1]!.seq, "duplicate", 0]]);
  for (const changed of [[{ ...batch[0]!, payload: { n: 2 } }, batch[1]!], [{ ...batch[0]!, headers: { h: "2" } }, batch[1]!], [{ ...batch[0]!, type: "c" }, batch[1]!], [batch[1]!, batch[0]!]]) {
    await expect(bob.publishEvents(changed)).rejects.toMatchObject({ name: "ConflictError", code: "ERR_ID_CONFLICT" });
  }
  await alice.publish("later", { n: 3 }, { id: "later-1", delay: 20 });
  expect((await bob.publish("later", { n: 3 }, { id: "later-1", delay: 20 })).status).toBe("duplicate");
  await got.count(3);
  expect((await alice.publish("later", { n: 3 }, { id: "later-1", delay: 20 })).status).toBe("duplicate");
  await bob.publish("end");
  expect((await got.count(4)).map(({ type, payload }) => [type, payload])).toEqual([["a", { n: 1 }], ["b", [2]], ["later", { n: 3 }], ["end", null]]);
});

test("[I17] a client that has keys and none to encrypt with tells nothing of what it opened", async () => {
  await using here = place();
  const [reader, alice, eve] = [here.connect({ encryption: { enabled: false, keys: { default: KEY, b: OTHER_KEY } } }), here.connect({ encryption }), new ManagementAgent(here.connect())];
  const fail = ({ payload }: RouterEvent): never => { throw new Error(`cannot work on ${JSON.stringify(payload)}`); };
  await reader.subscribe("n", { deadLetter: true, retry: { maxRetries: 0 } }, fail);
  await reader.subscribe("n", { group: "g", retry: { maxRetries: 0 } }, fail);
  await reader.respond("fail", fail).ready;
  await reader.respond("answer", ({ payload }) => payload).ready;
  await alice.publish("n", "canary");
  const letters = async () => (await eve.getDeadLetterQueue()).map(({ lastError }) => lastError);
  await expect.poll(letters).toHaveLength(2);
  for (const reason of await letters()) expect(reason).toMatch(/^hidden/);
  for (const type of ["fail", "answer"]) {
    await expect(alice.request(type, "canary")).rejects.toMatchObject({ name: "RemoteError", code: "ERR_KEY_REQUIRED", message: expect.not.stringContaining("canary") as unknown });
  }
});

test("[I17] who asks in the clear learns no secret by it", async () => {
  await using here = place();
  const [alice, eve] = [here.connect({ encryption }), here.connect()];
  await alice.respond("customer.get", () => ({ name: "canary" })).ready;
  await alice.respond("customer.fail", () => { throw new Error("canary"); }).ready;
  for (const type of ["customer.get", "customer.fail"]) expect(isSealed(await eve.request(type, 1))).toBe(true);
});

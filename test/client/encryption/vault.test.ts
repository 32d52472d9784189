import { compactDecrypt, CompactEncrypt, decodeProtectedHeader } from "jose";
import { describe, expect, test, vi } from "vitest";
import { chooseEngine } from "../../../src/client/encryption/choose-engine.ts";
import { openVault } from "../../../src/client/encryption/open-vault.ts";
import type { RouterEvent } from "../../../src/core/event.ts";
import { randomBytes } from "../../../src/hosts/surroundings.ts";
import { bytesOf, engineOf, ENGINES, eventWith, KEY, OTHER_KEY, seal, vaultOf } from "./kit.ts";

const ID = "evt_0Vbwjyrpdv4HZusNjD1000001";
const PAYLOADS = [null, 0, "", "Grüße, 世界 🎉", { ssn: "123-45-6789", deep: [{ a: [1, 2, { b: "\u0000\ud800" }] }] }, "x".repeat(100_000), "eyJhbGciOiJIUzI1NiJ9.e30.x", []];

async function sealed(payload: unknown, options = { key: KEY } as Parameters<typeof vaultOf>[0], more: Parameters<typeof vaultOf>[1] = {}, type = "order.placed"): Promise<string> {
  const vault = await vaultOf(options, more);
  return await seal(vault, type, ID, JSON.stringify(payload)) as string;
}

describe.each(ENGINES)("with %s", (name) => {
  test("[P10] any JOSE library opens a payload with the key alone", async () => {
    const engine = await engineOf(name);
    expect(engine.name).toBe(name);
    for (const payload of PAYLOADS) {
      const jwe = await sealed(payload, { keys: { "2026-11": KEY } }, { engine, namespace: "shop" });
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, bytesOf(KEY));
      expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual(payload);
      expect(protectedHeader).toEqual({ typ: "event-router+jwe", alg: "A256KW", enc: "A256GCM", kid: "2026-11", ns: "shop", type: "order.placed", id: ID });
    }
  });

  test("opens what each other engine made", async () => {
    const opener = await vaultOf({ key: KEY }, { engine: await engineOf(name) });
    for (const other of ENGINES) {
      for (const payload of PAYLOADS) {
        const event = eventWith(await sealed(payload, { key: KEY }, { engine: await engineOf(other) }), { id: ID });
        await opener.openEvent(event);
        expect(event.payload).toEqual(payload);
      }
    }
  });

  test("[P10] refuses what was changed, cut, moved, or is another's", async () => {
    const vault = await vaultOf({ keys: { a: KEY, b: OTHER_KEY }, activeKey: "a" }, { engine: await engineOf(name) });
    const jwe = await seal(vault, "order.placed", ID, '{"secret":"canary"}') as string;
    const [header, wrapped, iv, ciphertext, tag] = jwe.split(".") as [string, string, string, string, string];
    const withHeader = (change: object): string => [Buffer.from(JSON.stringify({ ...decodeProtectedHeader(jwe), ...change })).toString("base64url"), wrapped, iv, ciphertext, tag].join(".");
    const flipped = (text: string, at = text.length >> 1): string => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    const cases: readonly (readonly [what: string, payload: string, code: string, event?: Partial<RouterEvent>])[] = [
      ["a changed tag", [header, wrapped, iv, ciphertext, flipped(tag)].join("."), "ERR_DECRYPT"],
      ["a tag of zeros", [header, wrapped, iv, ciphertext, "A".repeat(22)].join("."), "ERR_DECRYPT"],
      ["a short tag", [header, wrapped, iv, ciphertext, tag.slice(0, 16)].join("."), "ERR_DECRYPT"],
      ["no tag", [header, wrapped, iv, ciphertext, ""].join("."), "ERR_DECRYPT"],
      ["a changed ciphertext", [header, wrapped, iv, flipped(ciphertext), tag].join("."), "ERR_DECRYPT"],
      ["a shorter ciphertext", [header, wrapped, iv, ciphertext.slice(4), tag].join("."), "ERR_DECRYPT"],
      ["no ciphertext", [header, wrapped, iv, "", tag].join("."), "ERR_DECRYPT"],
      ["a changed IV", [header, wrapped, flipped(iv), ciphertext, tag].join("."), "ERR_DECRYPT"],
      ["an IV of 8 bytes", [header, wrapped, iv.slice(0, 11), ciphertext, tag].join("."), "ERR_DECRYPT"],
      ["an IV of 16 bytes", [header, wrapped, `${iv}AAAAAA`, ciphertext, tag].join("."), "ERR_DECRYPT"],
      ["a changed wrapped key", [header, flipped(wrapped), iv, ciphertext, tag].join("."), "ERR_DECRYPT"],
      ["a wrapped key of zeros", [header, "A".repeat(54), iv, ciphertext, tag].join("."), "ERR_DECRYPT"],
      ["no wrapped key", [header, "", iv, ciphertext, tag].join("."), "ERR_DECRYPT"],
      ["parts in another order", [header, wrapped, iv, tag, ciphertext].join("."), "ERR_DECRYPT"],
      ["a sixth part", `${jwe}.AAAA`, "ERR_DECRYPT"],
      ["padding", `${jwe}==`, "ERR_DECRYPT"],
      ["white space", `${jwe} `, "ERR_DECRYPT"],
      ["digits of plain base64", [header, wrapped, iv, ciphertext, `+${tag.slice(1)}`].join("."), "ERR_DECRYPT"],
      ["a header written otherwise", withHeader({}).replace(/^[^.]+/, Buffer.from(JSON.stringify(decodeProtectedHeader(jwe), null, 1)).toString("base64url")), "ERR_DECRYPT"],
      ["another algorithm for the key", withHeader({ alg: "dir" }), "ERR_DECRYPT"],
      ["a weaker algorithm for the key", withHeader({ alg: "A128KW" }), "ERR_DECRYPT"],
      ["a public algorithm for the key", withHeader({ alg: "RSA-OAEP" }), "ERR_DECRYPT"],
      ["another algorithm for the content", withHeader({ enc: "A128CBC-HS256" }), "ERR_DECRYPT"],
      ["compression", withHeader({ zip: "DEF" }), "ERR_DECRYPT"],
      ["critical extensions", withHeader({ crit: ["x"], x: 1 }), "ERR_DECRYPT"],
      ["a key of another name", withHeader({ kid: "b" }), "ERR_DECRYPT"],
      ["a key nobody has", withHeader({ kid: "c" }), "ERR_KEY_UNKNOWN"],
      ["a key with a name of every object", withHeader({ kid: "__proto__" }), "ERR_KEY_UNKNOWN"],
      ["no name of a key", withHeader({ kid: undefined }), "ERR_DECRYPT"],
      ["a key's name that is no text", withHeader({ kid: ["a"] }), "ERR_DECRYPT"],
      ["another event's header", withHeader({ id: "evt_0Vbwjyrpdv4HZusNjD1000002" }), "ERR_ENCRYPTION_BINDING"],
      ["another event", jwe, "ERR_ENCRYPTION_BINDING", { id: "evt_0Vbwjyrpdv4HZusNjD1000002" }],
      ["another event, header forged", withHeader({ id: "evt_0Vbwjyrpdv4HZusNjD1000002" }), "ERR_DECRYPT", { id: "evt_0Vbwjyrpdv4HZusNjD1000002" }],
      ["another type", jwe, "ERR_ENCRYPTION_BINDING", { type: "order.cancelled" }],
      ["another type, header forged", withHeader({ type: "order.cancelled" }), "ERR_DECRYPT", { type: "order.cancelled" }],
      ["another namespace", await sealed({}, { keys: { a: KEY } }, { namespace: "elsewhere" }), "ERR_ENCRYPTION_BINDING"],
      ["another namespace, header forged", (await sealed({}, { keys: { a: KEY } }, { namespace: "elsewhere" })).replace(/^[^.]+/, header), "ERR_DECRYPT"],
      ["a request in place of an event", JSON.parse(await vault.sealRequest("order.placed", ID, "1")) as string, "ERR_ENCRYPTION_BINDING"],
      ["an answer in place of an event", JSON.parse(await vault.sealAnswer(eventWith(null, { id: ID }), "answer", "1")) as string, "ERR_ENCRYPTION_BINDING"],
      ["no binding", withHeader({ id: undefined }), "ERR_DECRYPT"],
      ["what is no JSON", await seal(vault, "order.placed", ID, "not JSON: canary") as string, "ERR_DECRYPT"],
    ];
    for (const [what, payload, code, change] of cases) {
      const event = { ...eventWith(payload, { id: ID }), ...change };
      const error = await vault.openEvent(event).then(() => undefined, (thrown: unknown) => thrown as Error & { code: string });
      expect([what, error?.name, error?.code]).toEqual([what, "EncryptionError", code]);
      expect(event.payload, "it stays as it came").toBe(payload);
      expect(`${error!.message} ${String(error!.cause)}`).not.toContain("canary");
    }
    // Cut anywhere behind its first bytes it is known for what it was.
    for (let length = 32; length < jwe.length; length += 7) {
      await expect(vault.openEvent(eventWith(jwe.slice(0, length), { id: ID })), `cut after ${length}`).rejects.toMatchObject({ name: "EncryptionError", code: "ERR_DECRYPT" });
    }
    const good = eventWith(jwe, { id: ID });
    await vault.openEvent(good);
    expect(good.payload).toEqual({ secret: "canary" });
  });

  test("[P10] opens what another JOSE library made", async () => {
    const vault = await vaultOf({ key: KEY }, { engine: await engineOf(name) });
    const header = { alg: "A256KW", enc: "A256GCM", id: ID, ns: "default", type: "order.placed", kid: "default", typ: "event-router+jwe" };
    const event = eventWith(await new CompactEncrypt(new TextEncoder().encode('{"n":1}')).setProtectedHeader(header).encrypt(bytesOf(KEY)), { id: ID });
    await vault.openEvent(event);
    expect(event.payload).toEqual({ n: 1 });
  });

  test("[P10] many are encrypted and opened at once, short and long: none has another's bytes", async () => {
    const vault = await vaultOf({ key: KEY }, { engine: await engineOf(name) });
    const payloads = Array.from({ length: 60 }, (_, n) => ({ n, text: "äb"[n % 2]!.repeat(n % 20 === 0 ? 40_000 : n) }));
    const sealedOnes = await Promise.all(payloads.map((payload) => seal(vault, "order.placed", `id-${payload.n}`, JSON.stringify(payload))));
    const events = sealedOnes.map((jwe, n) => eventWith(jwe, { id: `id-${n}` }));
    await Promise.all(events.map((event) => vault.openEvent(event)));
    expect(events.map(({ payload }) => payload)).toEqual(payloads);
  });

  test("[I18] no nonce comes twice under a content key, and a content key is replaced when it is spent", async () => {
    const vault = await vaultOf({ key: KEY }, { engine: await engineOf(name), mostMessages: 100 });
    const all = await Promise.all(Array.from({ length: 1_050 }, (_, n) => seal(vault, "n", `id-${n}`, String(n))));
    const nonces = new Map<string, Set<string>>();
    all.forEach((jwe) => {
      const [, wrapped, iv] = (jwe as string).split(".") as [string, string, string];
      nonces.set(wrapped, (nonces.get(wrapped) ?? new Set()).add(iv));
    });
    expect([...nonces.values()].map(({ size }) => size).sort((a, b) => b - a)).toEqual([...Array.from({ length: 10 }, () => 100), 50]);
    for (const [n, jwe] of all.entries()) {
      const event = eventWith(jwe, { id: `id-${n}`, type: "n" });
      await vault.openEvent(event);
      expect(event.payload).toBe(n);
    }
  });
});

test("[I18] the running number alone keeps nonces apart: randomness that repeats does not make one come twice", async () => {
  const { SenderKey } = await import("../../../src/client/encryption/sender-key.ts");
  const { keyWrap } = await import("../../../src/client/encryption/key-wrap.ts");
  const sender = await SenderKey.make("k", await keyWrap(KEY, "key"), await engineOf("node:crypto"), (count) => new Uint8Array(count), 1_000);
  const ivs = Array.from({ length: 1_000 }, (_, n) => (sender.encrypt("1", { namespace: "n", type: "t", id: String(n), kind: undefined }) as string).split(".")[2]);
  expect(new Set(ivs).size).toBe(1_000);
  expect(sender.spent).toBe(true);
  expect(() => sender.encrypt("1", { namespace: "n", type: "t", id: "x", kind: undefined })).toThrow(RangeError);
});

test("what another application encrypted, and text that looks like it, is a payload like any other", async () => {
  const vault = await vaultOf({ key: KEY });
  const foreign = await new CompactEncrypt(new TextEncoder().encode("1")).setProtectedHeader({ alg: "A256KW", enc: "A256GCM" }).encrypt(bytesOf(KEY));
  for (const payload of [foreign, "eyJ", "eyJust kidding", "eyJhbGciOiJIUzI1NiJ9.e30.x", { jwe: foreign }]) {
    const event = eventWith(payload);
    await vault.openEvent(event);
    expect(event.payload).toBe(payload);
  }
});

test("[I17] why a handler failed is as secret as the event, and fits where a router keeps it", async () => {
  const vault = await vaultOf({ key: KEY, types: ["secret.*"] });
  const event = eventWith(null, { id: ID, type: "secret.a" });
  for (const reason of ["cannot work on canary", "", "世".repeat(5_000)]) {
    const hidden = await vault.sealReason(event, reason);
    expect(hidden.length).toBeLessThan(2_048);
    expect((await compactDecrypt(hidden, bytesOf(KEY))).protectedHeader).toMatchObject({ kind: "reason", id: ID, type: "secret.a" });
    expect(await vault.openReason(event, hidden)).toBe(reason.slice(0, 400));
    await expect(vault.openReason({ ...event, id: "another" }, hidden)).rejects.toMatchObject({ code: "ERR_ENCRYPTION_BINDING" });
    await expect(vault.openEvent({ ...event, payload: hidden })).rejects.toMatchObject({ code: "ERR_ENCRYPTION_BINDING" });
  }
  const open = eventWith(null, { type: "open" });
  expect(await vault.sealReason(open, "plain")).toBe("plain");
  expect(await vault.openReason(open, "plain")).toBe("plain");
});

test("[P10] a router cannot pass off another namespace's events by calling it by the name of the own", async () => {
  const connection = { welcome: { namespace: "elsewhere" } } as never;
  const home = { connection, requests: undefined as never, randomBytes, report: () => {} };
  const theirs = await sealed("theirs", { key: KEY }, { namespace: "elsewhere" });
  await expect((await openVault({ key: KEY }, { ...home, options: { namespace: "mine" } })).openEvent(eventWith(theirs, { id: ID }))).rejects.toMatchObject({ code: "ERR_ENCRYPTION_BINDING", details: { path: "namespace" } });
  // Who named none takes the one that the credential is for.
  const event = eventWith(theirs, { id: ID });
  await (await openVault({ key: KEY }, { ...home, options: {} })).openEvent(event);
  expect(event.payload).toBe("theirs");
});

test("a node:crypto that lacks the cipher is passed over", async () => {
  for (const module of [{}, { createSecretKey: () => ({}), createCipheriv: () => { throw new Error("not implemented"); } }]) {
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(module as never);
    expect((await chooseEngine()).name).toBe("WebCrypto");
    vi.restoreAllMocks();
  }
});

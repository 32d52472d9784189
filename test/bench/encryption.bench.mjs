// Encryption of payloads: what one costs to publish and to receive, as JWE with all that binds it to its event, against bare AES-256-GCM of the same bytes.
//   node:crypto       the limit: cipher and tag alone, key, bytes and nonce at hand, and no text made of them; what was opened is parsed
//   naive WebCrypto   the same JWE as anybody would write it: header, IV and text made for each payload, one awaited after another, or 64 in flight
//   jose              CompactEncrypt and compactDecrypt, which make and unwrap a content key for each payload
import { bench } from "./lib/bench.mjs";
import { binding, KEY_BYTES, naiveJwe, textOf } from "./lib/jwe.mjs";

const LIMIT = "node:crypto, bare (limit)", OURS = "event-router", NAIVE = "naive WebCrypto", NAIVE_64 = "naive WebCrypto, 64 in flight", JOSE = "jose";
const WARM = 150, MEASURED = 500;

async function perSecond(operation, flight, milliseconds) {
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < milliseconds) {
    // A turn of the program, as a client's: what waits is encrypted, what came is opened.
    if (flight === 0) {
      for (let i = 0; i < 16; i++) operation(count++);
      await Promise.resolve();
    } else if (flight === 1) for (let i = 0; i < 16; i++) await operation(count++);
    else await Promise.all(Array.from({ length: flight }, () => operation(count++)));
  }
  return (count * 1_000) / (performance.now() - begun);
}

async function bare(text) {
  const { createCipheriv, createDecipheriv, createSecretKey } = await import("node:crypto");
  const key = createSecretKey(KEY_BYTES);
  const bytes = Buffer.from(text);
  const iv = new Uint8Array(12);
  const view = new DataView(iv.buffer);
  const seal = (i) => {
    view.setUint32(8, i);
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    const ciphertext = cipher.update(bytes);
    cipher.final();
    return [ciphertext, cipher.getAuthTag()];
  };
  const [ciphertext, tag] = seal(1);
  const open = () => {
    view.setUint32(8, 1);
    const decipher = createDecipheriv("aes-256-gcm", key, iv);
    decipher.setAuthTag(tag);
    const plain = decipher.update(ciphertext);
    decipher.final();
    return JSON.parse(plain.toString());
  };
  return { seal, open };
}

async function jose(text) {
  const { CompactEncrypt, compactDecrypt } = await import("jose");
  const bytes = Buffer.from(text);
  const seal = () => new CompactEncrypt(bytes).setProtectedHeader({ alg: "A256KW", enc: "A256GCM", ...binding }).encrypt(KEY_BYTES);
  const sealed = await seal();
  return { seal, open: async () => JSON.parse(Buffer.from((await compactDecrypt(sealed, KEY_BYTES)).plaintext).toString()), flight: 1 };
}

/** As a client does it for what it publishes, and for what a subscription gets. */
async function ours(text) {
  const [{ openVault }, { Feed }] = await Promise.all([import("../../src/client/encryption/open-vault.ts"), import("../../src/client/feed.ts")]);
  const vault = await openVault({ key: KEY_BYTES }, { connection: {}, requests: {}, randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)), report: (error) => { throw error; } });
  const { id, type } = binding;
  const outgoing = () => ({ settled: false, events: [{ id, type, text: { head: `"${type}",`, payload: text, tail: "]" }, line: "", own: true }] });
  const seal = () => {
    const one = outgoing();
    if (!vault.seal(one, (error) => { throw error; })) throw new Error("it took its time");
    return one;
  };
  const payload = JSON.parse(seal().events[0].line)[2];
  const feed = new Feed(1, ["**"], { began() {}, ended() {}, gap() {} }, () => {});
  feed.asked = { topics: ["**"] };
  vault.guard(feed);
  const open = () => {
    const event = { id, type, payload };
    feed.gate(event, true);
    return event;
  };
  open();
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (typeof open().payload !== "object") throw new Error("it does not open");
  return { seal, open };
}

async function measure(make, { size }) {
  const { seal, open, flight = 0 } = await make(textOf(size));
  const figures = {};
  for (const [name, operation] of Object.entries({ sealed: seal, opened: open })) {
    await perSecond(operation, flight, WARM);
    figures[name] = await perSecond(operation, flight, MEASURED);
  }
  return figures;
}

await bench(import.meta.url, {
  contenders: {
    [LIMIT]: bare,
    [OURS]: ours,
    [NAIVE]: async (text) => ({ ...await naiveJwe(text), flight: 1 }),
    [NAIVE_64]: async (text) => ({ ...await naiveJwe(text), flight: 64 }),
    [JOSE]: jose,
  },
  setups: { "payload of 200 B": { size: 200 }, "payload of 4 KiB": { size: 4_096 } },
  measure,
  metrics: { sealed: { unit: "sealed/s" }, opened: { unit: "opened/s" } },
  against: [LIMIT, NAIVE, NAIVE_64],
  goals: ["sealed", "opened"].map((metric) => ({ setup: /./, contender: OURS, metric, against: LIMIT, least: 0.5 })),
});

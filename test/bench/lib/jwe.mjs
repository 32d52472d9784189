// What the benches of encryption share; it runs in browsers too.
export const KEY_BYTES = Uint8Array.from({ length: 32 }, (_, i) => i);
export const binding = { typ: "event-router+jwe", kid: "default", ns: "default", type: "order.placed", id: "evt_0Vbwjyrpdv4HZusNjD1000001" };

/** The JSON of a payload, so many bytes long. */
export function textOf(size) {
  const payload = { orderId: 456, total: 99.99, customer: "customer-17", note: "" };
  return JSON.stringify({ ...payload, note: "x".repeat(size - JSON.stringify(payload).length) });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const toText = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
const quickText = (bytes) => (typeof bytes.toBase64 === "function" ? bytes.toBase64({ alphabet: "base64url", omitPadding: true }) : typeof Buffer === "function" ? Buffer.from(bytes).toString("base64url") : toText(bytes));
const quickBytes = (text) => (typeof Uint8Array.fromBase64 === "function" ? Uint8Array.fromBase64(text, { alphabet: "base64url" }) : typeof Buffer === "function" ? new Uint8Array(Buffer.from(text, "base64url")) : toBytes(text));

/** The same JWE under one content key, as a page would write it with the platform's own means; base64 is not what is measured, so it is the fastest there is. */
async function jweWith(text, { encrypt, decrypt }) {
  const wrapped = "A".repeat(54);
  const seal = async () => {
    const header = quickText(encoder.encode(JSON.stringify({ ...binding, alg: "A256KW", enc: "A256GCM" })));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = new Uint8Array(await encrypt(iv, encoder.encode(header), encoder.encode(text)));
    return `${header}.${wrapped}.${quickText(iv)}.${quickText(sealed.subarray(0, -16))}.${quickText(sealed.subarray(-16))}`;
  };
  const jwe = await seal();
  const open = async () => {
    const [header, , iv, ciphertext, tag] = jwe.split(".");
    const { type, id, ns } = JSON.parse(decoder.decode(quickBytes(header)));
    if (type !== binding.type || id !== binding.id || ns !== binding.ns) throw new Error("another event's");
    const [first, last] = [quickBytes(ciphertext), quickBytes(tag)];
    const sealed = new Uint8Array(first.length + last.length);
    sealed.set(first);
    sealed.set(last, first.length);
    return JSON.parse(decoder.decode(await decrypt(quickBytes(iv), encoder.encode(header), sealed)));
  };
  await open();
  return { seal, open };
}

export async function naiveJwe(text) {
  const key = await crypto.subtle.importKey("raw", KEY_BYTES, "AES-GCM", false, ["encrypt", "decrypt"]);
  return jweWith(text, {
    encrypt: (iv, additionalData, bytes) => crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, bytes),
    decrypt: (iv, additionalData, bytes) => crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, bytes),
  });
}

export function nobleJwe(text, gcm) {
  return jweWith(text, { encrypt: (iv, aad, bytes) => gcm(KEY_BYTES, iv, aad).encrypt(bytes), decrypt: (iv, aad, bytes) => gcm(KEY_BYTES, iv, aad).decrypt(bytes) });
}

/** What Node, Deno and Bun have, and what newer engines have, each many times as fast as what all have. */
interface BufferConstructor { from(text: string, encoding: "base64url" | "utf8"): Buffer; from(data: ArrayBuffer, start: number, length: number): Buffer }
interface Buffer extends Uint8Array { toString(encoding?: "base64url" | "utf8"): string }
interface OwnBase64 { toBase64?(options: { alphabet: "base64url"; omitPadding: true }): string }
interface OwnFromBase64 { fromBase64?(text: string, options: { alphabet: "base64url" }): Uint8Array }

const { Buffer } = globalThis as { Buffer?: BufferConstructor };
const { fromBase64 } = Uint8Array as OwnFromBase64;
const encoder = new TextEncoder();
/** Arguments of one call: engines have a limit. */
const CHUNK = 8_192;

/** RFC 4648, 5, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  if (Buffer !== undefined) return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length).toString("base64url");
  const own = bytes as OwnBase64;
  if (own.toBase64 !== undefined) return own.toBase64({ alphabet: "base64url", omitPadding: true });
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text).replace(/[+/=]/g, (character) => (character === "+" ? "-" : character === "/" ? "_" : ""));
}

/** Of a text's UTF-8. */
export function textToBase64url(text: string): string {
  return Buffer === undefined ? toBase64url(encoder.encode(text)) : Buffer.from(text, "utf8").toString("base64url");
}

/** Of text that has only the digits of base64url. */
export function fromBase64url(text: string): Uint8Array {
  if (Buffer !== undefined) return Buffer.from(text, "base64url");
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, text, { alphabet: "base64url" });
  const bytes = atob(text.replace(/[-_]/g, (character) => (character === "-" ? "+" : "/")));
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

/** Some decoders pass over what is no digit: then there are fewer bytes than there should be. @throws RangeError */
export function checkLength(bytes: Uint8Array, text: string): void {
  if (bytes.length !== Math.floor((text.length * 3) / 4)) throw new RangeError("no base64url");
}

/** What Node, Deno and Bun have, and what newer engines have, each many times as fast as what all have. */
interface BufferConstructor { from(text: string, encoding: "utf8"): Buffer; from(data: ArrayBuffer, start: number, length: number): Buffer }
interface Buffer extends Uint8Array { toString(encoding?: "base64url"): string }
interface OwnBase64 { toBase64?(options: typeof OPTIONS): string; setFromBase64?(text: string, options: typeof OPTIONS): { readonly written: number } }

const { Buffer } = globalThis as { Buffer?: BufferConstructor };
const OPTIONS = { alphabet: "base64url", omitPadding: true } as const;
const encoder = new TextEncoder();
/** Arguments of one call: engines have a limit. */
const CHUNK = 8_192;

/** RFC 4648, 5, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  if (Buffer) return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length).toString("base64url");
  const own = bytes as OwnBase64;
  if (own.toBase64) return own.toBase64(OPTIONS);
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return digitsOf(text);
}

/** Of a text's UTF-8. */
export function textToBase64url(text: string): string {
  if (Buffer) return Buffer.from(text, "utf8").toString("base64url");
  // To make bytes of a short text takes a browser longer than all else.
  return /^[ -~]*$/.test(text) ? digitsOf(text) : toBase64url(encoder.encode(text));
}

/** @param text a character for each byte */
function digitsOf(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Of text that has only the digits of base64url. */
export function fromBase64url(text: string): Uint8Array {
  const bytes = new Uint8Array(lengthOf(text));
  putBase64url(text, bytes);
  return bytes;
}

/** Writes the bytes to the beginning of `room`. @throws Error if the text has more than digits; some decoders pass over what is none, and then there are fewer bytes. */
export function putBase64url(text: string, room: Uint8Array): void {
  const own = room as OwnBase64;
  let written = 0;
  if (own.setFromBase64) ({ written } = own.setFromBase64(text, OPTIONS));
  else for (const character of atob(text.replaceAll("-", "+").replaceAll("_", "/"))) room[written++] = character.charCodeAt(0);
  if (written !== lengthOf(text)) throw new RangeError("no base64url");
}

/** How many bytes so many digits say. */
export const lengthOf = ({ length }: string): number => (length * 3) >> 2;

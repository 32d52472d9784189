import { isJson } from "./cloud-event.ts";
import type { CloudEvent } from "./schema.ts";

/** A CloudEvent's attributes as HTTP headers, and its data as the body (binary content mode). */
export interface BinaryMessage { readonly headers: Readonly<Record<string, string>>; readonly body: string | Uint8Array<ArrayBuffer> | null }

export function isBinaryMode(header: (name: string) => string | undefined): boolean {
  return header("ce-specversion") !== undefined;
}

/** @param text The body, for what is text; `bytes` for what is neither JSON nor text. */
export async function readBinary(headers: Readonly<Record<string, string>>, text: () => Promise<string>, bytes: () => Promise<Uint8Array>, parse: (text: string) => unknown): Promise<Readonly<Record<string, unknown>>> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) if (name.startsWith("ce-")) event[name.slice(3)] = decodeHeader(value);
  const type = headers["content-type"];
  if (type === undefined) {
    const content = await bytes();
    return content.length === 0 ? event : { ...event, data_base64: toBase64(content) };
  }
  event.datacontenttype = type;
  if (isJson(type)) {
    const content = await text();
    return content === "" ? event : { ...event, data: parse(content) };
  }
  return isText(type) ? { ...event, data: await text() } : { ...event, data_base64: toBase64(await bytes()) };
}

export function writeBinary({ data, data_base64: bytes, datacontenttype, ...attributes }: CloudEvent): BinaryMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) headers[`ce-${name}`] = encodeHeader(String(value as string | number));
  if (bytes !== undefined) return { headers: { ...headers, "content-type": datacontenttype ?? "application/octet-stream" }, body: fromBase64(bytes) };
  if (data === undefined) return { headers, body: null };
  const type = datacontenttype ?? "application/json";
  return { headers: { ...headers, "content-type": type }, body: isJson(type) || typeof data !== "string" ? JSON.stringify(data) : data };
}

function isText(type: string): boolean {
  return /^text\/|[/+]xml\b/i.test(type);
}

/** What a header cannot hold is percent-encoded (HTTP binding, 3.1.3.2). */
function encodeHeader(value: string): string {
  return value.replace(/[^\u0021\u0023\u0024\u0026-\u007e]+/g, (text) => Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""));
}

function decodeHeader(value: string): string {
  const text = value.replace(/^"(.*)"$/s, "$1");
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % is no encoding, and stands for itself.
    return text;
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

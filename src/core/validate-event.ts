import { ValidationError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { LineMeta } from "./line.ts";
import { assertType } from "./pattern.ts";

type EventLimits = Pick<Limits, "payload" | "depth" | "headers" | "headerValue">;

function invalid(code: string, path: string, message: string): never {
  throw new ValidationError(code, `${path} ${message}`, { details: { path } });
}

/**
 * Checks an event before it is published; client and router ask the same.
 * @param size UTF-16 units of the event's text, at least that of its payload.
 * @throws ValidationError naming the field and what is right.
 */
export function checkEvent(id: unknown, type: unknown, payload: unknown, meta: LineMeta | undefined, size: number, limits: EventLimits): void {
  if (typeof id !== "string" || !/^[\w.:-]{1,128}$/.test(id)) invalid("ERR_EVENT_ID", "id", "must be 1 to 128 characters of A-Z a-z 0-9 _ . : -");
  assertType(type);
  checkPayload(payload, size, limits);
  if (meta !== undefined) checkMeta(meta, limits);
}

/** @param size UTF-16 units of the payload's text or more. */
export function checkPayload(payload: unknown, size: number, limits: EventLimits): void {
  // Depth first: what counts the bytes is recursive.
  if (size > limits.depth && isDeeper(payload, limits.depth)) throw new ValidationError("ERR_PAYLOAD_DEPTH", `a payload may be nested ${limits.depth} levels deep; flatten it`, { details: { path: "payload" } });
  // A UTF-16 unit is at most 3 bytes of UTF-8: only a text near the limit need be counted.
  if (size * 3 > limits.payload && jsonBytes(payload) > limits.payload) throw new ValidationError("ERR_PAYLOAD_TOO_LARGE", `a payload may have ${limits.payload} bytes of JSON; store the rest elsewhere and publish a reference`, { details: { path: "payload" } });
}

function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value) ?? "";
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // A surrogate pair is four bytes, two for each of its units.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** Whether a value is nested more than so many levels; looks no deeper. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (isDeeper(item, levels - 1)) return true;
    return false;
  }
  for (const key in value) if (isDeeper((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}

const texts = new Set(["source", "target", "correlationId"]);

export const STREAM_NAME = "must be the name of an event stream: 1 to 128 characters of A-Z a-z 0-9 _ . : @ -";

export function isStreamName(value: unknown): value is string {
  return typeof value === "string" && /^[\w.:@-]{1,128}$/.test(value);
}

function checkMeta(meta: LineMeta, limits: EventLimits): void {
  if (typeof meta !== "object" || meta === null || Array.isArray(meta)) invalid("ERR_META", "meta", "must be an object of source, target, priority, correlationId, headers, stream, ttl");
  for (const key in meta) {
    const value: unknown = meta[key as keyof LineMeta];
    if (texts.has(key)) {
      if (typeof value !== "string" || value.length === 0 || value.length > 256 || hasControl(value)) invalid("ERR_META", key, "must be 1 to 256 characters without control characters");
    } else if (key === "priority") {
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 9) invalid("ERR_PRIORITY", key, "must be a whole number from 0 to 9, 9 most urgent");
    } else if (key === "headers") checkHeaders(value, limits);
    else if (key === "ttl") {
      if (!Number.isSafeInteger(value) || (value as number) < 1) invalid("ERR_TTL", key, 'must be a duration of 1 ms or more, such as "30s"');
    } else if (key === "stream") {
      if (!isStreamName(value)) invalid("ERR_STREAM", key, STREAM_NAME);
    } else invalid("ERR_META", key, "is not a field of an event; use source, target, priority, correlationId, headers, stream or ttl");
  }
}

function checkHeaders(headers: unknown, limits: EventLimits): void {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) invalid("ERR_HEADERS", "headers", "must be an object of strings");
  const entries = Object.entries(headers as Record<string, unknown>);
  if (entries.length > limits.headers) invalid("ERR_HEADERS", "headers", `may be ${limits.headers} at most`);
  for (const [name, value] of entries) {
    if (!/^[\w.-]{1,128}$/.test(name) || name === "__proto__") invalid("ERR_HEADERS", `headers.${name.slice(0, 32)}`, "must have a name of 1 to 128 characters of A-Z a-z 0-9 _ . -");
    if (typeof value !== "string" || value.length > limits.headerValue || hasControl(value)) invalid("ERR_HEADERS", `headers.${name}`, `must be a string of at most ${limits.headerValue} characters without control characters`);
  }
}

function hasControl(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return /[\u0000-\u001f\u007f]/.test(text);
}

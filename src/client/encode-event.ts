import type { EventInit } from "../core/event.ts";
import type { LineMeta } from "../core/line.ts";

/** How deep a payload may be; a router with a lower limit tells so itself. */
export const DEPTH = 32;
/** What an event may say besides id, type and payload, and needs nobody to read it here. */
const FIELDS = ["source", "target", "priority", "correlationId", "headers", "stream"];

/** An event's text in pieces: the payload may be encrypted, which takes the id, before they are joined to a line. */
export interface EventText {
  /** `"type",` */
  readonly head: string;
  /** JSON. */
  readonly payload: string;
  /** What follows it: `]`, or `,{…}]`. */
  readonly tail: string;
  /** What the tail was made from, by itself; absent if that is not known. */
  readonly meta?: LineMeta | undefined;
}

/** The line of an event. @param payload in place of its own, JSON */
export function lineOf({ head, payload: own, tail }: EventText, id: string, payload = own): string {
  return `[${JSON.stringify(id)},${head}${payload}${tail}`;
}

/** The text of an event, made once. Undefined if there is more to it, or something wrong with it: `encodeEvent` knows. */
export function plainText(event: EventInit): EventText | undefined {
  const { id = "", type, payload } = event;
  if (typeof type !== "string" || typeof id !== "string") return undefined;
  let meta: Record<string, unknown> | undefined;
  for (const key in event) {
    if (FIELDS.includes(key)) (meta ??= {})[key] = (event as unknown as Record<string, unknown>)[key];
    else if (key !== "id" && key !== "type" && key !== "payload") return undefined;
  }
  if (!isJson(payload, DEPTH) || !isJson(meta, DEPTH)) return undefined;
  return { head: `${JSON.stringify(type)},`, payload: JSON.stringify(payload) ?? "null", tail: meta === undefined ? "]" : `,${JSON.stringify(meta)}]`, meta };
}

/** Whether JSON has such a thing; what is in it is another question. */
export function keeps(value: unknown): boolean {
  if (typeof value === "object") return value === null || Array.isArray(value) || typeof (value as { toJSON?: unknown }).toJSON === "function" || !(Symbol.iterator in value || ArrayBuffer.isView(value));
  return typeof value === "number" ? Number.isFinite(value) : typeof value === "string" || typeof value === "boolean";
}

/** Whether it arrives as it is. A property that is undefined is left out, as JSON.stringify does. */
function isJson(value: unknown, levels: number): boolean {
  if (value === undefined || value === null) return true;
  if (!keeps(value)) return false;
  if (typeof value !== "object" || typeof (value as { toJSON?: unknown }).toJSON === "function") return true;
  if (!levels) return false;
  // For … in makes texts of a list's indices; of an object it is faster than its values are.
  if (Array.isArray(value)) return value.every((one) => isJson(one, levels - 1));
  for (const key in value) if (!isJson((value as Record<string, unknown>)[key], levels - 1)) return false;
  return true;
}

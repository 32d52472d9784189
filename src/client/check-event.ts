import { milliseconds, type Duration } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { EventInit } from "../core/event.ts";
import { DEPTH, keeps, type EventText } from "./encode-event.ts";

/** What goes with the call, and what a received event has that only the router gives: it may be published again as it is. */
const NOT_SENT = new Set(["id", "type", "payload", "ephemeral", "delay", "deliverAt", "timeout", "signal", "seq", "epoch", "timestamp", "publisher", "version", "pending"]);

/**
 * The text of any event. Type and fields are for the router to check, whose word counts and who answers at once; but
 * what JSON would lose on the way there only its publisher can see.
 * @throws ValidationError `ERR_PAYLOAD` naming the path.
 */
export function encodeEvent(event: EventInit): EventText {
  const { type, payload } = event;
  let meta: Record<string, unknown> | undefined;
  for (const key in event) if (!NOT_SENT.has(key)) (meta ??= {})[key] = (event as unknown as Record<string, unknown>)[key];
  if (meta?.ttl !== undefined) meta.ttl = milliseconds(meta.ttl as Duration, "ttl");
  checkPayload(payload);
  const head = `${JSON.stringify(type, asJson) ?? "null"},`;
  const json = JSON.stringify(payload) ?? "null";
  if (meta === undefined) return { head, payload: json, tail: "]" };
  try {
    return { head, payload: json, tail: `,${JSON.stringify(meta, asJson)}]` };
  } catch (cause) {
    throw new ValidationError("ERR_META", "the fields of an event must be JSON", { cause });
  }
}

/** What JSON would leave out or distort is sent as null, so that the router refuses it by name. */
export function asJson(_key: string, value: unknown): unknown {
  return value === undefined || keeps(value) ? value : null;
}

/** @throws ValidationError `ERR_PAYLOAD`, or another, naming the path of what JSON does not have. */
export function checkPayload(payload: unknown, name = "payload", code = "ERR_PAYLOAD"): void {
  const fault = faultOf(payload, DEPTH);
  if (fault !== undefined) throw new ValidationError(code, `${name}${fault[0]} ${fault[1]}; only JSON can be sent`, { details: { path: name + fault[0] } });
}

/** Where and why a value is no JSON. A property that is undefined is left out, as JSON.stringify does. */
function faultOf(value: unknown, levels: number): [path: string, message: string] | undefined {
  const kind = typeof value;
  if (kind === "number" ? !Number.isFinite(value) : kind === "bigint" || kind === "function" || kind === "symbol") return ["", `is ${kind === "number" ? String(value) : `a ${kind}`}`];
  if (kind !== "object" || value === null || typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  if (levels === 0) return ["", `is nested more than ${DEPTH} levels deep, or contains itself`];
  if (!keeps(value)) return ["", "is a collection"];
  for (const key in value as object) {
    const fault = faultOf((value as Record<string, unknown>)[key], levels - 1);
    if (fault !== undefined) return [(Array.isArray(value) ? `[${key}]` : `.${key}`) + fault[0], fault[1]];
  }
  return undefined;
}

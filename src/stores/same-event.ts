import type { Draft } from "../core/store.ts";
import type { EventLine, LineMeta } from "../core/line.ts";

/**
 * Whether a draft repeats the event of a line: same type, payload and meta. `source` may differ: it is the client's name, which a publisher that
 * sends its outbox after a restart need not have kept. So may the trace (W3C) that the event was published in: who tries again does so in another. What the
 * router stamped (time, publisher, version) is not compared.
 */
export function isSameEvent(line: string, draft: Draft): boolean {
  // A repeat is nearly always the same text.
  if (line.endsWith(draft.body.slice(draft.own))) return true;
  const [, , , , type, payload, meta = {}] = JSON.parse(line) as EventLine;
  const [, , , , ownType, ownPayload, ownMeta = {}] = JSON.parse(`[0${draft.body}`) as EventLine;
  return type === ownType && isSameJson(payload, ownPayload) && isSameJson(compared(meta), compared(ownMeta));
}

function compared(meta: LineMeta): unknown {
  const { traceparent: _, tracestate: __, ...headers } = meta.headers ?? {};
  return { priority: 5, ...meta, source: 0, headers };
}

/** Equality of JSON values; the order of an object's keys does not count. */
function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length
    && keys.every((key) => Object.hasOwn(b, key) && isSameJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

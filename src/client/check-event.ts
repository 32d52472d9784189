import { ValidationError } from "../core/errors.ts";

/**
 * The shape of what a client may say, in little code: the router checks it again and in full (`core/validate-event.ts`), this is so that a slip is
 * told at once. Each rule: what the text of a value looks like, its code, and what is right.
 */
type Rule = readonly [shape: RegExp, code: string, right: string, kind?: "number"];

const text: Rule = [/^[^\0-\x1f\x7f]{1,256}$/, "ERR_META", "must be 1 to 256 characters without control characters"];

export const rules = {
  id: [/^[\w.:-]{1,128}$/, "ERR_EVENT_ID", "must be 1 to 128 characters of A-Z a-z 0-9 _ . : -"],
  type: [/^(?!.{257})[\w-]+(\.[\w-]+){0,15}$/, "ERR_TYPE", 'must be 1 to 16 names of A-Z a-z 0-9 _ - joined by ".", such as "order.placed"'],
  topics: [/^(?!.{257})(\$(?!.*\*))?([\w-]+|\*\*?)(\.([\w-]+|\*\*?)){0,15}$/, "ERR_PATTERN", 'must be names joined by ".", or "*" for one and "**" for any number of them, such as "order.*"'],
  source: text,
  target: text,
  correlationId: text,
  priority: [/^\d$/, "ERR_PRIORITY", "must be a whole number from 0 to 9, 9 most urgent", "number"],
  header: [/^[^\0-\x1f\x7f]{0,1024}$/, "ERR_HEADERS", "must be an object of strings of at most 1024 characters without control characters"],
} as const satisfies Record<string, Rule>;

/** @throws ValidationError saying what is right; `details.path` is `path`. */
export function check(value: unknown, name: keyof typeof rules, path: string = name): void {
  const [shape, code, right, kind = "string"] = rules[name] as Rule;
  if (typeof value !== kind || !shape.test(String(value))) throw new ValidationError(code, `${path} ${right}; got ${typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : value === null ? "null" : typeof value}`, { details: { path } });
}

export function checkHeaders(headers: unknown): void {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) check(headers, "header", "headers");
  for (const name in headers as object) check((headers as Record<string, unknown>)[name], "header", `headers.${name}`);
}

/** How deep a payload may be; a router with a lower limit tells so itself. */
const DEPTH = 32;

/** The JSON of a payload. @throws ValidationError `ERR_PAYLOAD` for what JSON would lose or change. */
export function encodePayload(payload: unknown): string {
  const fault = faultOf(payload, DEPTH);
  if (fault !== undefined) throw new ValidationError("ERR_PAYLOAD", `payload${fault[0]} ${fault[1]}`, { details: { path: `payload${fault[0]}` } });
  return JSON.stringify(payload) ?? "null";
}

/** Where and why a value is no JSON. A property that is undefined is left out, as JSON.stringify does. */
function faultOf(value: unknown, levels: number): [path: string, message: string] | undefined {
  const kind = typeof value;
  if (kind === "number" ? !Number.isFinite(value) : kind === "bigint" || kind === "function" || kind === "symbol") return ["", `is ${kind === "number" ? String(value) : `a ${kind}`}, which JSON does not have`];
  if (kind !== "object" || value === null || typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  if (levels === 0) return ["", `is nested more than ${DEPTH} levels deep, or contains itself`];
  const list = Array.isArray(value);
  if (!list && (Symbol.iterator in (value as object) || ArrayBuffer.isView(value))) return ["", "is a collection; send an array or a plain object"];
  for (const key in value as object) {
    const fault = faultOf((value as Record<string, unknown>)[key], levels - 1);
    if (fault !== undefined) return [(list ? `[${key}]` : `.${key}`) + fault[0], fault[1]];
  }
  return undefined;
}

import * as z from "zod";
import { ValidationError } from "../core/errors.ts";

/** The shapes that HTTP takes. What a type, a pattern or a payload may be, the router itself says: the same for every transport. */
export const eventBody = z.strictObject({
  type: z.string(),
  payload: z.unknown().optional(),
  id: z.string().optional(),
  source: z.string().optional(),
  target: z.string().optional(),
  priority: z.number().optional(),
  correlation_id: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** Delivered to who listens now, never stored. */
  ephemeral: z.boolean().optional(),
});
export type EventBody = z.infer<typeof eventBody>;

export const eventsBody = z.array(eventBody).min(1, "must have at least one event");

export const requestBody = z.strictObject({
  type: z.string(),
  payload: z.unknown().optional(),
  /** Milliseconds, or a text such as "5s". */
  timeout: z.union([z.number(), z.string()]).optional(),
  source: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

const namespace = z.string().optional();
const selection = { namespace, topics: z.string().optional(), filter: z.string().optional() };

export const historyQuery = z.strictObject({
  ...selection,
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.string().regex(/^([1-9]\d{0,2}|1000)$/, "must be a whole number from 1 to 1000").optional(),
  cursor: z.string().optional(),
  targets: z.enum(["own", "any"]).optional(),
});

export const streamQuery = z.strictObject({
  ...selection,
  from: z.string().optional(),
  last_event_id: z.string().optional(),
  /** Of `POST /tickets`, in place of a credential. */
  ticket: z.string().max(64).optional(),
});

export const plainQuery = z.strictObject({ namespace });

/**
 * A value in a schema's shape.
 * @throws ValidationError with the place of the first thing that is wrong.
 */
export function readAs<S extends z.ZodType>(schema: S, value: unknown, code: "ERR_BODY" | "ERR_QUERY"): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const place = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  const path = pathText(place);
  const message = issue.code === "unrecognized_keys" ? `is not known here; known are ${knownKeys(schema).join(", ")}` : issue.message;
  throw new ValidationError(code, `${path === "" ? (code === "ERR_BODY" ? "the body" : "the query") : path}: ${message}`, { details: { path } });
}

/** `[1].headers.trace` */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`), "");
}

function knownKeys(schema: z.ZodType): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : Object.keys(eventBody.shape);
}

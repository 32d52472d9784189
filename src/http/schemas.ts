import * as z from "zod";
import { ValidationError } from "../core/errors.ts";
import { cloudEvent } from "./cloud-events/schema.ts";

/** The shapes that HTTP takes. What a type, a pattern or a payload may be, the router itself says: the same for every transport. */
const said = {
  type: z.string().describe("Segments of A-Z a-z 0-9 _ - joined by dots, as order.placed"),
  payload: z.unknown().optional().describe("Any JSON value; null if left out"),
  source: z.string().optional().describe("Who says it"),
  target: z.string().optional().describe("Only clients with this name receive it"),
  priority: z.number().optional().describe("0 to 9, 9 most urgent; 5 if left out"),
  correlation_id: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
};

const duration = z.union([z.number(), z.string()]).optional();

export const eventBody = z.strictObject({
  ...said,
  id: z.string().optional().describe("An id of your own: publishing it again stores nothing twice"),
  stream: z.string().optional().describe("The event stream it is appended to as well"),
  ttl: duration.describe('How long it is delivered: milliseconds, or a text such as "10m"'),
  delay: duration.describe('Held back so long: milliseconds, or a text such as "10m"; for an event alone'),
  deliver_at: z.iso.datetime({ offset: true }).optional().describe("Held back until then (RFC 3339); for an event alone"),
  ephemeral: z.boolean().optional().describe("Delivered to who listens now, never stored"),
});
export type EventBody = z.infer<typeof eventBody>;

export const eventsBody = z.array(eventBody).min(1, "must have at least one event");
export const cloudEventsBody = z.array(cloudEvent).min(1, "must have at least one event");
export const publishBody = z.union([eventBody, eventsBody]);

const timeout = duration.describe('Milliseconds, or a text such as "5s"; 10 s if left out');

const { type, payload, source, headers } = said;
export const requestBody = z.strictObject({ type, payload, timeout, source, headers });

const namespace = z.string().optional().describe("The log; default if left out");
const selection = {
  namespace,
  topics: z.string().optional().describe("Patterns joined by commas: * is one segment, ** any number; ** if left out"),
  filter: z.string().optional().describe("field:op:value joined by commas, or a filter as a JSON object"),
};
const format = z.enum(["json", "cloudevents"]).optional().describe("How events are shown; else as Accept says");
const targets = z.enum(["own", "any"]).optional().describe("any: also events for single clients, for who may manage the log");

export const historyQuery = z.strictObject({
  ...selection,
  from: z.string().optional().describe("The first event: a seq, or a time (RFC 3339)"),
  to: z.string().optional().describe("The last event: a seq, or a time (RFC 3339)"),
  limit: z.string().regex(/^([1-9]\d{0,2}|1000)$/, "must be a whole number from 1 to 1000").optional().describe("Events of a page, 1 to 1000; 100 if left out"),
  cursor: z.string().optional().describe("next_cursor of the page before"),
  targets, format,
});

export const eventQuery = z.strictObject({ namespace, targets, format: z.enum(["json", "cloudevents", "cloudevents-binary"]).optional().describe("How the event is shown; else as Accept says") });

export const streamQuery = z.strictObject({
  ...selection, format,
  from: z.string().optional().describe("Where to begin: now, start, a seq, a time or epoch:seq; now if left out"),
  last_event_id: z.string().optional().describe("In place of the header Last-Event-ID, for who cannot send it"),
  ticket: z.string().max(64).optional().describe("Of POST /api/v1/tickets, in place of a credential"),
});

export const plainQuery = z.strictObject({ namespace });
export const requestQuery = z.strictObject({ namespace, timeout: z.string().regex(/^\d+(ms|s|m)?$/, "must be milliseconds, or a text such as 5s").optional().describe("As in the body, for a request that is a CloudEvent") });

export const streamReadQuery = z.strictObject({
  namespace,
  from_version: z.string().regex(/^\d{1,15}$/, "must be a version, a whole number from 0").optional().describe("The first event; else the stream's first, or backward its last"),
  limit: historyQuery.shape.limit,
  direction: z.enum(["forward", "backward"]).optional(),
});
export const streamAppendQuery = z.strictObject({
  namespace,
  expected_version: z.string().regex(/^(any|no-stream|\d{1,15})$/, "must be any, no-stream, or the version of the stream's last event").optional().describe("Where the stream must stand, else nothing is stored; any if left out"),
});

export const deadLetterQuery = z.strictObject({
  namespace,
  subscription: z.string().optional().describe("Only those that failed here: group:NAME, durable:NAME or client:NAME:TOPICS"),
  limit: historyQuery.shape.limit,
  cursor: z.string().max(128).optional().describe("next_cursor of the page before"),
});

const ids = z.array(z.string()).min(1).max(1_000).optional();
export const deadLetterChoice = z.strictObject({
  dead_letter_ids: ids, event_ids: ids.describe("Of the events that failed"),
  all: z.boolean().optional(),
  subscription: z.string().optional().describe("With all or event_ids: only those that failed here"),
}).refine(({ dead_letter_ids: letters, event_ids: events, all }) => [letters !== undefined, events !== undefined, all === true].filter(Boolean).length === 1, "must have one of dead_letter_ids, event_ids and all: true");
export type DeadLetterChoice = z.infer<typeof deadLetterChoice>;

export const purgeBody = z.strictObject({
  older_than: z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, "must be a time with its unit, as 30d").optional().describe("Events older than this, as 30d"),
  before: z.iso.datetime({ offset: true }).optional().describe("Events before this time (RFC 3339)"),
  up_to: z.int().min(0).optional().describe("Events up to and with this seq"),
  confirm: z.boolean().optional().describe("Without it nothing is removed, only counted"),
}).refine(({ older_than: age, before, up_to: seq }) => [age, before, seq].filter((one) => one !== undefined).length === 1, "must have one of older_than, before and up_to");

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

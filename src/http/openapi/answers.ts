import * as z from "zod";

/** The shapes of what HTTP answers. Further fields may come with later versions: who reads them takes what it knows. */
const epoch = z.string().describe("Which life of the log: changes only when a log was lost or rewritten");

export const event = z.looseObject({
  id: z.string(),
  type: z.string(),
  payload: z.unknown(),
  seq: z.int().min(0).describe("Place in the log, from 1, without holes; 0 if the event is ephemeral"),
  epoch,
  timestamp: z.iso.datetime().describe("Stamped by the router"),
  priority: z.int().min(0).max(9),
  source: z.string().optional(),
  target: z.string().optional(),
  correlation_id: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  ttl: z.number().optional().describe("Milliseconds"),
  stream: z.string().optional(),
  version: z.int().min(0).optional().describe("Place in the event stream, from 0"),
  publisher: z.looseObject({ subject: z.string() }).optional().describe("Who published it, as the router knows"),
});

export const receipt = z.looseObject({
  event_id: z.string(),
  status: z.enum(["published", "duplicate"]),
  timestamp: z.iso.datetime(),
  seq: z.int().min(0).nullable().describe("0 if ephemeral; null of an event that is held back, or was there already and is no longer known"),
  epoch,
  version: z.int().min(0).optional().describe("Place in the event stream"),
});

export const receipts = z.array(receipt);
export const receiptOrReceipts = z.union([receipt, receipts]);

export const eventPage = z.looseObject({ events: z.array(event), next_cursor: z.string().nullable().describe("null at the end") });
export const streamPage = z.looseObject({ events: z.array(event), length: z.int().min(0).describe("The stream's next version"), next_version: z.int().min(0).nullable().describe("null at the end") });

const number = z.number();
export const stats = z.looseObject({
  epoch, head: number, first: number, total_events: number, total_size: number,
  events_published: number, events_delivered: number, events_refused: number, events_per_second: number,
  events_redelivered: number, events_dead: number, dead_letters: number, delayed_events: number, late_acks: number,
  active_subscriptions: number, connections: number, queue_depth: number, open_requests: number, late_answers: number, error_rate: number,
  uptime: number.describe("Milliseconds"),
});

export const subscription = z.looseObject({
  id: z.string(), topics: z.array(z.string()), client_id: z.string().optional().describe("Absent where nobody reads now"), name: z.string().optional(), subject: z.string().optional(),
  durable: z.string().optional(), group: z.string().optional(),
  lag: number.describe("Events it has not had"), in_flight: number.optional(),
});
export const subscriptions = z.array(subscription);

export const deadLetter = event.extend({
  dead_letter_id: z.string(), subscription: z.string().describe("Where it failed"), attempts: z.int(), last_error: z.string(), error_name: z.string(),
  failed_at: z.iso.datetime(), retrying: z.boolean(),
});
export const deadLetterPage = z.looseObject({ dead_letters: z.array(deadLetter), total: z.int(), next_cursor: z.string().nullable() });
export const retried = z.looseObject({ retrying: z.array(z.string()), failed: z.array(z.looseObject({ dead_letter_id: z.string(), problem: z.looseObject({ code: z.string(), detail: z.string() }) })) });
export const discarded = z.looseObject({ discarded: z.array(z.string()) });
export const purged = z.looseObject({ events: z.int().describe("So many are removed, or would be"), up_to: z.int().describe("The last seq that is"), dry_run: z.boolean() });

export const ticket = z.looseObject({ ticket: z.string(), expires_in: number.describe("Seconds") });

export const health = z.looseObject({ status: z.enum(["healthy", "unhealthy"]), checks: z.record(z.string(), z.string()) });

export const problem = z.looseObject({
  type: z.string(), title: z.string(), status: z.int(), detail: z.string().describe("For people"),
  code: z.string().describe("For programs; stable"), path: z.string().optional().describe("The field that is wrong"), retry_after: number.optional().describe("Milliseconds"),
});

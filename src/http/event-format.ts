import type { Context } from "hono";
import { timestamps, type EventLine } from "../core/line.ts";
import { writeBinary } from "./cloud-events/binary-mode.ts";
import { toCloudEvent } from "./cloud-events/cloud-event.ts";
import { eventJson } from "./event-json.ts";

/** How events are shown: as they are here, or as CloudEvents in one of their content modes. */
export type EventFormat = "json" | "cloudevents" | "cloudevents-binary";

export const STRUCTURED = "application/cloudevents+json";
export const BATCH = "application/cloudevents-batch+json";

/** What `?format=` says, which an `EventSource` can do too, else what is accepted. */
export function formatOf({ req }: Context, named: EventFormat | undefined): EventFormat {
  return named ?? (/application\/cloudevents(-batch)?(\+json|\b)/i.test(req.header("Accept") ?? "") ? "cloudevents" : "json");
}

/** Turns lines of a log into what JSON shows of them. */
export function eventWriter(format: EventFormat, epoch: string, namespace: string): (line: EventLine) => Readonly<Record<string, unknown>> {
  const timestamp = timestamps();
  return format === "json" ? (line) => eventJson(line, epoch, timestamp) : (line) => toCloudEvent(line, epoch, timestamp, namespace);
}

/** One event as a response. */
export function eventResponse(c: Context, line: EventLine, { format, epoch, namespace }: { format: EventFormat; epoch: string; namespace: string }): Response {
  const timestamp = timestamps();
  c.header("Vary", "Accept", { append: true });
  if (format === "json") return c.json(eventJson(line, epoch, timestamp));
  const event = toCloudEvent(line, epoch, timestamp, namespace);
  if (format === "cloudevents") return c.body(JSON.stringify(event), 200, { "Content-Type": STRUCTURED });
  const { headers, body } = writeBinary(event);
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return typeof body === "string" ? c.body(body) : body === null ? c.body(null) : c.body(body);
}

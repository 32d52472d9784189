import type { Context } from "hono";
import { ValidationError } from "../core/errors.ts";
import { isBinaryMode, readBinary } from "./cloud-events/binary-mode.ts";
import { fromCloudEvent } from "./cloud-events/cloud-event.ts";
import { cloudEvent } from "./cloud-events/schema.ts";
import { BATCH, STRUCTURED, type EventFormat } from "./event-format.ts";
import { parseBody, readBody, readBytes, readText } from "./read-body.ts";
import { cloudEventsBody, eventBody, eventsBody, readAs, type EventBody } from "./schemas.ts";
import { carryTrace } from "./trace.ts";

/** What is to be published: one, or several that stand or fall together. */
export interface ReadEvents { readonly events: readonly EventBody[]; readonly several: boolean; readonly format: EventFormat }

/**
 * The events of a request's body: JSON of the router's own, or CloudEvents, structured, in a batch, or one in binary mode. Each carries on the trace of the request.
 * @throws ValidationError
 */
export async function readEvents(c: Context, limit: number): Promise<ReadEvents> {
  const read = await readAll(c, limit);
  return { ...read, events: read.events.map((event) => carryTrace(c, event)) };
}

async function readAll(c: Context, limit: number): Promise<ReadEvents> {
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type === BATCH) return { events: readAs(cloudEventsBody, await readBody(c, limit), "ERR_BODY").map(fromCloudEvent), several: true, format: "cloudevents" };
  if (type === STRUCTURED) return { events: [fromCloudEvent(readAs(cloudEvent, await readBody(c, limit), "ERR_BODY"))], several: false, format: "cloudevents" };
  if (isBinaryMode((name) => c.req.header(name))) return { events: [await readOne(c, limit)], several: false, format: "cloudevents-binary" };
  if (type.startsWith("application/cloudevents")) throw new ValidationError("ERR_MEDIA_TYPE", `CloudEvents come as ${STRUCTURED}, as ${BATCH}, or with ce- headers; got ${type.slice(0, 64)}`);
  const body = await readBody(c, limit);
  return Array.isArray(body)
    ? { events: readAs(eventsBody, body, "ERR_BODY"), several: true, format: "json" }
    : { events: [readAs(eventBody, body, "ERR_BODY")], several: false, format: "json" };
}

/** Custom headers make a browser ask for leave first, whatever the content type. */
async function readOne(c: Context, limit: number): Promise<EventBody> {
  const event = await readBinary(c.req.header(), () => readText(c, limit), () => readBytes(c, limit), parseBody);
  return fromCloudEvent(readAs(cloudEvent, event, "ERR_BODY"));
}

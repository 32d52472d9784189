import { ValidationError } from "../../core/errors.ts";
import { decodeLine, type EventLine } from "../../core/line.ts";
import type { EventBody } from "../schemas.ts";
import type { CloudEvent } from "./schema.ts";

/** Attributes that are fields of an event here; others are kept as headers, `ce-NAME`. */
const fields: Readonly<Record<string, keyof EventBody>> = { id: "id", source: "source", type: "type", correlationid: "correlation_id", target: "target", stream: "stream" };
/** What only the router says of an event. */
const stamps: ReadonlySet<string> = new Set(["routerseq", "routerepoch", "recordedtime", "publisher", "streamversion"]);
/** What goes a way of its own. */
const ownWay: ReadonlySet<string> = new Set(["specversion", "data", "data_base64"]);
/** The trace is carried under its own names (CloudEvents' Distributed Tracing extension). */
const traces: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

/**
 * A CloudEvent as an event to be published. Data that is JSON is the payload; text is a payload of text, bytes are one of base64, and both keep their content type.
 * @throws ValidationError naming the attribute.
 */
export function fromCloudEvent(event: CloudEvent): EventBody {
  const { data, data_base64: bytes } = event;
  const body: Record<string, unknown> = { payload: bytes ?? data };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event)) {
    if (ownWay.has(name)) continue;
    if (!/^[a-z0-9]{1,64}$/.test(name)) throw invalid(name, "an attribute's name is of a-z and 0-9");
    if (value === null || value === undefined || stamps.has(name)) continue;
    if (typeof value === "object") throw invalid(name, "an attribute is a text, a number or true or false");
    const text = String(value as string | number | boolean);
    const field = fields[name];
    if (field !== undefined) body[field] = text;
    else if (name === "priority") body.priority = Number(text);
    else headers[traces.has(name) ? name : `ce-${name}`] = text;
  }
  if (bytes !== undefined) headers["ce-base64"] = "true";
  else if (isJson(headers["ce-datacontenttype"])) delete headers["ce-datacontenttype"];
  if (Object.keys(headers).length > 0) body.headers = headers;
  return body as unknown as EventBody;
}

/** An event of the log as a CloudEvent. `source` is required there: an event that names none comes from its namespace. */
export function toCloudEvent(line: EventLine, epoch: string, timestamp: (time: number) => string, namespace: string): CloudEvent {
  const { id, type, payload, seq, source, target, priority, correlationId, headers = {}, stream, version, publisher, timestamp: recorded } = decodeLine(line, epoch, timestamp);
  const event: Record<string, unknown> = { specversion: "1.0", id, source: source ?? `/namespaces/${encodeURIComponent(namespace)}`, type, time: recorded, recordedtime: recorded };
  for (const [name, value] of Object.entries(headers)) {
    if (traces.has(name)) event[name] = value;
    else if (/^ce-[a-z0-9]+$/.test(name) && name !== "ce-base64") event[name.slice(3)] = value;
  }
  const said = {
    target, correlationid: correlationId, stream, streamversion: version, publisher: publisher?.subject,
    ...(priority !== 5 && { priority }), ...(seq !== 0 && { routerseq: String(seq), routerepoch: epoch }),
  };
  for (const [name, value] of Object.entries(said)) if (value !== undefined) event[name] = value;
  if (headers["ce-base64"] !== undefined) event.data_base64 = payload;
  else if (payload !== null) Object.assign(event, { datacontenttype: event.datacontenttype ?? "application/json", data: payload });
  return event as unknown as CloudEvent;
}

export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^[\w.-]+\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType);
}

function invalid(name: string, message: string): ValidationError {
  return new ValidationError("ERR_CLOUD_EVENT", `${name.slice(0, 64)}: ${message}`, { details: { path: name.slice(0, 64) } });
}

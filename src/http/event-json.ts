import { decodeLine, type EventLine } from "../core/line.ts";

/** An event as HTTP shows it: the event of a client, with snake_case names. Payload and headers are the publisher's own and stay as they are. */
export function eventJson(line: EventLine, epoch: string, timestamp: (time: number) => string): Readonly<Record<string, unknown>> {
  const { correlationId, ...event } = decodeLine(line, epoch, timestamp);
  return correlationId === undefined ? event : { ...event, correlation_id: correlationId };
}

/** An object of the router's own with snake_case names, `eventsPublished` as `events_published`. */
export function snakeCase(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), one]));
}

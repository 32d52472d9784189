import { styleText } from "node:util";
import type { RouterEvent } from "../index.ts";
import { json, readable, safe, snakeCase } from "./text.ts";

/** An event as one line of JSON, names as in REST. */
export function eventJson({ id, type, payload, seq, epoch, timestamp, source, target, priority, correlationId, headers, stream, version, ttl, publisher }: RouterEvent): string {
  return json(snakeCase({ id, type, payload, seq, epoch, timestamp, source, target, priority, correlationId, headers, stream, version, ttl, publisher }));
}

/** An event as one line for people: `[2024-01-01 12:00:00] user.created {"id": 123}`. */
export function eventLine({ timestamp, type, payload }: RouterEvent, { utc, colour }: { utc: boolean; colour: boolean }): string {
  const time = `[${wallClock(new Date(timestamp), utc)}]`;
  // The shell has looked at the terminal and the environment already.
  const paint = (style: "dim" | "cyan", text: string): string => (colour ? styleText(style, text, { validateStream: false }) : text);
  return `${paint("dim", time)} ${paint("cyan", safe(type))} ${readable(payload)}`;
}

function wallClock(time: Date, utc: boolean): string {
  const here = utc ? time : new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return here.toISOString().slice(0, 19).replace("T", " ");
}

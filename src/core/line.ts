import type { RouterEvent } from "./event.ts";

/**
 * An event as text. A publisher writes `["id","type",payload]` or `["id","type",payload,meta]` on one line; the router keeps that text as it is and
 * only puts its own stamps in front: `[seq,time,from,"id","type",payload,meta]`. So the bytes of an event are made once, by its publisher,
 * and are the same in the log, on every wire and in an export.
 */
export type EventLine = readonly [seq: number, time: number, from: From, id: string, type: string, payload: unknown, meta?: LineMeta];

/** The publisher as the router knows it: 0 if anonymous and nameless, its subject, or `[subject or 0, name or 0, version in its event stream]`. */
export type From = 0 | string | readonly [subject: string | 0, name: string | 0, version?: number];

/** What is not at its default; unknown keys are refused. */
export interface LineMeta {
  readonly source?: string;
  readonly target?: string;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stream?: string;
  /** ms */
  readonly ttl?: number;
}

/** RFC 3339 text of a time; neighbours in a log share their millisecond, so the last one is remembered. */
export function timestamps(): (time: number) => string {
  let last = -1;
  let text = "";
  return (time) => {
    if (time !== last) {
      last = time;
      text = new Date(time).toISOString();
    }
    return text;
  };
}

/** The event of a parsed line. */
export function decodeLine([seq, time, from, id, type, payload, meta]: EventLine, epoch: string, timestamp: (time: number) => string): RouterEvent {
  const [subject, name, version] = typeof from === "object" ? from : [from, 0] as const;
  const event: Record<string, unknown> = { id, type, payload, seq, epoch, timestamp: timestamp(time), priority: 5 };
  if (name !== 0) event.source = name;
  if (meta !== undefined) Object.assign(event, meta);
  if (version !== undefined) event.version = version;
  if (subject !== 0) event.publisher = { subject };
  return event as unknown as RouterEvent;
}

import { ValidationError } from "../errors.ts";
import { mayRead } from "../reader.ts";
import { isStreamName, STREAM_NAME } from "../validate-event.ts";
import { type Caller, MOST_EVENTS, MOST_SIZE, whole } from "./call.ts";

/**
 * Events of an event stream: `{ stream, from?, limit?, direction? }`; `from` is a version, by default the end to begin at. Answers
 * `{ epoch, events, length, next }`: `length` is the stream's next version, `next` the version to go on from, null at the end. What the caller may not
 * read, and what was trimmed, is left out.
 */
export async function readStream({ namespace: { log }, reader }: Caller, params: Readonly<Record<string, unknown>>): Promise<string> {
  const { stream, direction = "forward" } = params;
  if (!isStreamName(stream)) throw new ValidationError("ERR_STREAM", `stream ${STREAM_NAME}`, { details: { path: "stream" } });
  if (direction !== "forward" && direction !== "backward") throw new ValidationError("ERR_PARAMETER", 'direction must be "forward" or "backward"', { details: { path: "direction" } });
  const limit = Math.min(whole(params, "limit") ?? 100, MOST_EVENTS);
  const from = whole(params, "from") ?? (direction === "forward" ? 0 : Number.MAX_SAFE_INTEGER);
  const { events, length } = await log.readStream(stream, from, { events: Math.max(limit, 1), size: MOST_SIZE }, direction);
  const last = events.at(-1)?.version;
  const more = last !== undefined && (direction === "forward" ? last + 1 < length : last > 0);
  const next = more ? last + (direction === "forward" ? 1 : -1) : null;
  const lines = events.filter((event) => mayRead(reader, event)).map(({ line }) => line);
  return `{"epoch":${JSON.stringify(log.epoch)},"events":[${lines.join(",")}],"length":${length},"next":${next}}`;
}

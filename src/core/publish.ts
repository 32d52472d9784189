import { asError, PermissionError, toWire, ValidationError, type EventRouterError } from "./errors.ts";
import type { PublishResult } from "./frames.ts";
import type { Limits } from "./limits.ts";
import type { From, LineMeta } from "./line.ts";
import { LogEvent } from "./log-event.ts";
import type { Principal } from "./policy.ts";
import type { Draft, Expectation, Outcome } from "./store.ts";
import { checkEvent, isStreamName, STREAM_NAME } from "./validate-event.ts";

/** What a publisher's line says besides its payload, checked. */
export interface Publication { readonly id: string; readonly type: string; readonly meta: LineMeta | undefined; readonly line: string }

/**
 * A publisher's line, `["id","type",payload]` or `["id","type",payload,meta]`.
 * @throws ValidationError whatever the client sent.
 */
export function readLine(line: string, limits: Limits): Publication {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new ValidationError("ERR_FRAME", `an event's line is not JSON: ${(cause as Error).message}`, { cause });
  }
  // The text is passed on as it is behind the router's stamps, so it must begin with its bracket.
  if (!Array.isArray(parsed) || line[0] !== "[" || line.includes("\r") || parsed.length < 3 || parsed.length > 4) throw new ValidationError("ERR_FRAME", 'an event\'s line must be ["id","type",payload] or ["id","type",payload,meta], without space before it and without line breaks');
  const [id, type, payload, meta] = parsed as [string, string, unknown, LineMeta?];
  checkEvent(id, type, payload, meta, line.length, limits);
  return { id, type, meta, line };
}

/** The router's stamps on the events of one session. */
export function stampOf(principal: Principal, name: string | undefined): string {
  const subject = principal.subject ?? 0;
  const from: From = name === undefined ? subject : [subject, name];
  return JSON.stringify(from);
}

export function draftOf({ id, type, meta, line }: Publication, time: number, stamp: string): Draft {
  const name = meta?.stream;
  const head = name === undefined ? `,${time},${stamp}` : `,${time},${openStamp(stamp)}]`;
  const draft = { id, type, time, body: `${head},${line.slice(1)}`, own: head.length + 1 };
  return name === undefined ? draft : { ...draft, stream: { name, versionAt: head.length - 1 } };
}

/** A publisher's stamp as a list without its end, so that the version in an event stream can follow. */
export function openStamp(stamp: string): string {
  return stamp[0] === "[" ? stamp.slice(0, -1) : `[${stamp},0`;
}

export function ephemeralOf({ type, line }: Publication, time: number, stamp: string): LogEvent {
  return new LogEvent(0, time, type, `[0,${time},${stamp},${line.slice(1)}`);
}

/** @throws PermissionError if the principal may not publish this type. */
export function checkMayPublish({ rights }: Principal, type: string): void {
  if (!rights.allows("publish", type)) throw new PermissionError("ERR_PERMISSION", `not allowed to publish "${type}"; the credential needs publish:${type}`, { details: { permission: `publish:${type}` } });
}

/** Lines that stand or fall each on its own: what is wrong with one is its own result. */
export function readEach(lines: readonly string[], read: (line: string, index: number) => Publication): (Publication | EventRouterError)[] {
  return lines.map((line, index) => {
    try {
      return read(line, index);
    } catch (thrown) {
      return asError(thrown, (cause) => new ValidationError("ERR_FRAME", "an event's line cannot be read", { cause }));
    }
  });
}

/** Lines that stand or fall together. @throws ValidationError naming the first that is wrong. */
export function readAll(lines: readonly string[], read: (line: string, index: number) => Publication, limits: Limits): Publication[] {
  const size = lines.reduce((sum, line) => sum + line.length, 0);
  if (size > limits.batchSize) throw new ValidationError("ERR_BATCH_TOO_LARGE", `the events of a transaction may have ${limits.batchSize} bytes together, these have ${size}; publish them in several`);
  return lines.map(read);
}

/** @throws ValidationError for what is no `[stream, version]`. */
export function readExpectation(expect: unknown): Expectation | undefined {
  if (expect === undefined) return undefined;
  const [stream, version] = Array.isArray(expect) ? (expect as unknown[]) : [];
  if (!isStreamName(stream)) throw new ValidationError("ERR_STREAM", `stream ${STREAM_NAME}`, { details: { path: "stream" } });
  if (version !== "no-stream" && (!Number.isSafeInteger(version) || (version as number) < 0)) throw new ValidationError("ERR_EXPECTED_VERSION", 'expectedVersion must be "no-stream", "any", or the version of the stream\'s last event, a whole number from 0', { details: { path: "expectedVersion" } });
  return { stream, version: version as number | "no-stream" };
}

/** How an outcome is told. */
export function resultOf(outcome: Outcome): PublishResult {
  switch (outcome.state) {
    case "appended": return outcome.seq;
    case "duplicate": return [outcome.seq];
    case "refused": return toWire(outcome.error);
  }
}

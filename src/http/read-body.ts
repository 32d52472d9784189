import type { Context } from "hono";
import { ValidationError } from "../core/errors.ts";
import { isDeeper } from "../core/validate-event.ts";

/**
 * The JSON of a request's body. Of one that is too long no more is read than the limit.
 * A body that does not say it is JSON is refused: a web page could send it to a router without the browser asking for leave.
 * @param limit bytes
 * @throws ValidationError `ERR_MEDIA_TYPE`, `ERR_BODY_TOO_LARGE`, `ERR_JSON`.
 */
export async function readBody(c: Context, limit: number): Promise<unknown> {
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
    throw new ValidationError("ERR_MEDIA_TYPE", "the body must be JSON: send it with Content-Type: application/json, or as a CloudEvent");
  }
  return parseBody(await readText(c, limit));
}

/** Levels of nesting that can be written again without running out of stack; a payload may have far fewer, as its router says. */
const DEEPEST = 1_000;

/** @throws ValidationError `ERR_JSON`, `ERR_PAYLOAD_DEPTH`, `ERR_BODY` for fields or headers called `__proto__`, which would be dropped in silence. */
export function parseBody(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new ValidationError("ERR_JSON", `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (isDeeper(body, DEEPEST)) throw new ValidationError("ERR_PAYLOAD_DEPTH", "the body is nested too deep; flatten it", { details: { path: "" } });
  for (const one of Array.isArray(body) ? (body as unknown[]) : [body]) {
    for (const part of [one, (one as { headers?: unknown } | null)?.headers]) {
      if (typeof part === "object" && part !== null && Object.hasOwn(part, "__proto__")) throw new ValidationError("ERR_BODY", "__proto__ is no name for a field or header; leave it out", { details: { path: "__proto__" } });
    }
  }
  return body;
}

/** @throws ValidationError `ERR_BODY_TOO_LARGE` */
export async function readText(c: Context, limit: number): Promise<string> {
  const length = c.req.header("Content-Length");
  if (Number(length) > limit) throw tooLarge(limit);
  // A body of announced length cannot be longer.
  return length === undefined ? new TextDecoder().decode(await readBytes(c, limit)) : c.req.text();
}

/** @throws ValidationError `ERR_BODY_TOO_LARGE` */
export async function readBytes(c: Context, limit: number): Promise<Uint8Array> {
  if (Number(c.req.header("Content-Length")) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLarge(limit: number): ValidationError {
  return new ValidationError("ERR_BODY_TOO_LARGE", `a body may have ${limit} bytes; send several`);
}

import type { Context } from "hono";
import { ValidationError } from "../core/errors.ts";

/**
 * The JSON of a request's body. Of one that is too long no more is read than the limit.
 * A body that does not say it is JSON is refused: a web page could send it to a router without the browser asking for leave.
 * @param limit bytes
 * @throws ValidationError `ERR_MEDIA_TYPE`, `ERR_BODY_TOO_LARGE`, `ERR_JSON`.
 */
export async function readBody({ req }: Context, limit: number): Promise<unknown> {
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(req.header("Content-Type") ?? "")) {
    throw new ValidationError("ERR_MEDIA_TYPE", "the body must be JSON: send it with Content-Type: application/json");
  }
  const length = req.header("Content-Length");
  if (Number(length) > limit) throw tooLarge(limit);
  // A body of announced length cannot be longer.
  const text = length === undefined ? await readUpTo(req.raw.body, limit) : await req.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ValidationError("ERR_JSON", `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

async function readUpTo(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(limit: number): ValidationError {
  return new ValidationError("ERR_BODY_TOO_LARGE", `a body may have ${limit} bytes; send several`);
}

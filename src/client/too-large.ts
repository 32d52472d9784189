import { ValidationError } from "../core/errors.ts";
import type { Welcome } from "../core/frames.ts";

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** What of it is beyond the router's limits, which would end the session over it. @param text its lines */
export function tooLarge({ events }: { readonly events: readonly { readonly line: string }[] }, text: string, { frame, payload, batch }: Welcome["limits"]): ValidationError | undefined {
  const error = (code: string, most: string) => new ValidationError(code, `${most} at most can be published at once; publish less`);
  if (events.length > batch) return error("ERR_BATCH_TOO_LARGE", `${batch} events`);
  if (bytes(text) > frame - 64) return error("ERR_BATCH_TOO_LARGE", `${frame} bytes`);
  for (const { line } of events) if (line.length * 3 > payload && bytes(JSON.stringify((JSON.parse(line) as unknown[])[2])) > payload) return error("ERR_PAYLOAD_TOO_LARGE", `${payload} bytes of payload`);
  return undefined;
}

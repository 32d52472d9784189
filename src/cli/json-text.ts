import { ValidationError } from "../index.ts";
import { jsonBreaksAt } from "./json-breaks.ts";

/**
 * The value of JSON that somebody typed or put into a file.
 * @throws ValidationError `ERR_JSON` with the place where it stops being JSON.
 */
export function parseJson(text: string, { what, hint }: { what: string; hint: string }): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const at = jsonBreaksAt(text);
    const rest = text.slice(at);
    const place = rest.trim() === "" ? "ends too early" : `is not JSON at character ${at + 1}, before ${rest.length > 24 ? `${rest.slice(0, 24)}…` : rest}`;
    throw new ValidationError("ERR_JSON", `${what} ${place}; ${hint}`, { cause, details: { position: at } });
  }
}

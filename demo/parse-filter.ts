import { type EventFilter, parseShortFilter, ValidationError } from "../src/index.ts";
import { findJsonMistake } from "./json-mistake.ts";

/**
 * A filter as a person writes it: JSON (`{"payload.total": {"$gt": 100}}`) or the short form (`priority:gt:5,type:user.*`), whose `type:` names patterns.
 * @throws ValidationError that says where the mistake is. What operators mean is checked by the router.
 */
export function parseFilter(text: string): { readonly filter: EventFilter | undefined; readonly topics: readonly string[] | undefined } {
  const trimmed = text.trim();
  if (trimmed === "") return { filter: undefined, topics: undefined };
  if (!trimmed.startsWith("{")) return parseShortFilter(trimmed);
  const mistake = findJsonMistake(trimmed);
  if (mistake !== undefined) throw new ValidationError("ERR_FILTER", `column ${mistake.column}: ${mistake.message}\n${mistake.excerpt}`);
  return { filter: JSON.parse(trimmed) as EventFilter, topics: undefined };
}

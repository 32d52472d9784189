import { ValidationError } from "./errors.ts";
import type { Filter } from "./filter.ts";

/** Fields that are always text: their values stay as written, so that `correlationId:42` means the text `"42"`. */
const textual = /^(id|type|epoch|timestamp|source|target|correlationId|stream|publisher\.subject|headers\..+)$/;
const operators = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists", "regex"];
const example = 'write field:op:value joined by commas, as priority:gt:5,source:in:api|web,payload.name:eq:"Smith, J.",type:user.*';

/**
 * The short form of a filter, for a query string and the command line: `field:op:value`, several joined by `,` (and). `field:value` is `eq`, and
 * `type:order.*` names patterns (`|` between them), which come back as `topics`. Numbers, `true`, `false` and `null` are JSON's, anything else is
 * text; text in double quotes, written as in JSON, may hold `,` `:` `|` and digits. `in` and `nin` take values with `|` between them.
 *
 * Fields and operands are checked by `compileFilter`, patterns by the matcher.
 * @throws ValidationError `ERR_FILTER` if the form is wrong.
 * @example
 * parseShortFilter("type:user.*,priority:gt:5"); // { topics: ["user.*"], filter: { priority: { $gt: 5 } } }
 */
export function parseShortFilter(text: string): { filter: Filter | undefined; topics: string[] | undefined } {
  let topics: string[] | undefined;
  const clauses: (readonly [field: string, operator: string, operand: unknown])[] = [];
  for (const part of split(text, ",")) {
    const [field = "", second = "", ...others] = split(part, ":").map((piece, i) => i < 2 ? piece.trim() : piece);
    // Only the first two colons separate: a time, a URL or an expression has colons of its own.
    const operand = others.join(":").trim();
    if (field === "" || second === "" || (others.length > 0 && operand === "")) throw malformed(part, 'is incomplete; the empty text is ""');
    if (others.length > 0) {
      if (!operators.includes(second)) throw malformed(part, `has no operator ${JSON.stringify(second)}; there are ${operators.join(", ")}, and a value with a colon in it goes in double quotes`);
      clauses.push([field, `$${second}`, operandOf(second, operand, field, part)]);
    } else if (field === "type") {
      if (topics !== undefined) throw malformed(part, "is the second type, and an event has one; for either of two write type:user.*|order.*");
      topics = split(second, "|").map((pattern) => String(value(pattern.trim(), field, part)));
    } else {
      clauses.push([field, "$eq", value(second, field, part)]);
    }
  }
  return { topics, filter: combine(clauses) };
}

function operandOf(operator: string, text: string, field: string, part: string): unknown {
  if (operator === "in" || operator === "nin") return split(text, "|").map((item) => value(item.trim(), field, part));
  if (operator === "regex") return text.startsWith('"') ? value(text, "source", part) : text;
  if (operator !== "exists") return value(text, field, part);
  if (text !== "true" && text !== "false") throw malformed(part, "takes exists:true or exists:false");
  return text === "true";
}

function value(text: string, field: string, part: string): unknown {
  if (text === "") throw malformed(part, 'has an empty value; the empty text is ""');
  if (text.startsWith('"')) {
    try {
      return JSON.parse(text) as string;
    } catch (cause) {
      throw malformed(part, "has a quoted text that is not JSON", cause);
    }
  }
  if (text === "null") return null;
  if (textual.test(field)) return text;
  if (text === "true" || text === "false") return text === "true";
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}

/** One object with all conditions, which reads as one would write it; `$and` only where it could not hold the same operator of a field twice. */
function combine(clauses: readonly (readonly [field: string, operator: string, operand: unknown])[]): Filter | undefined {
  if (clauses.length === 0) return undefined;
  const byField = Map.groupBy(clauses, ([field]) => field);
  const repeated = [...byField.values()].some((same) => new Set(same.map(([, operator]) => operator)).size < same.length);
  if (repeated) return { $and: clauses.map(([field, operator, operand]) => ({ [field]: { [operator]: operand } })) };
  return Object.fromEntries([...byField].map(([field, same]) => [field, Object.fromEntries(same.map(([, operator, operand]) => [operator, operand]))]));
}

/** Splits at a separator outside double quotes. A quote opens only at the beginning of a piece: `5"` is text. */
function split(text: string, separator: string): string[] {
  const pieces = [""];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === separator && !quoted) {
      pieces.push("");
      continue;
    }
    if (character === '"') quoted = quoted ? false : /(^|[:|])\s*$/.test(pieces.at(-1)!);
    pieces[pieces.length - 1] += quoted && character === "\\" ? character + (text[++i] ?? "") : character;
  }
  return pieces;
}

function malformed(part: string, message: string, cause?: unknown): ValidationError {
  return new ValidationError("ERR_FILTER", `filter ${JSON.stringify(part)} ${message}: ${example}`, { cause, details: { path: part } });
}

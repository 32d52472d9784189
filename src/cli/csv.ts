import { ValidationError } from "../index.ts";
import type { HistoryEvent } from "./history.ts";
import { json } from "./text.ts";

/** What a row says of an event. Payload and headers are JSON: so every row is one line, and reads back as it was. */
export const columns = ["seq", "epoch", "id", "type", "timestamp", "source", "target", "priority", "correlation_id", "publisher", "stream", "version", "ttl", "headers", "payload"] as const;

const asJson: ReadonlySet<string> = new Set(["headers", "payload"]);
const asNumber: ReadonlySet<string> = new Set(["seq", "priority", "version", "ttl"]);

/** An event as a row (RFC 4180), without the line's end. */
export function csvRow(event: HistoryEvent): string {
  return columns.map((column) => {
    const value = column === "publisher" ? (event.publisher as { subject?: string } | undefined)?.subject : event[column];
    return value === undefined ? "" : field(typeof value === "string" && !asJson.has(column) ? value : json(value));
  }).join(",");
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Rows of a CSV text, as objects named by its first row. Empty fields are left out, JSON is read.
 * @throws ValidationError `ERR_CSV` with the row that is malformed.
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let names: readonly string[] | undefined;
  let row = 0;
  for await (const fields of rows(chunks)) {
    row++;
    if (names === undefined) names = fields;
    else if (fields.length !== names.length) throw malformed(row, `has ${fields.length} fields, and the first row ${names.length}`);
    else yield Object.fromEntries(names.flatMap((name, i) => (fields[i] === "" ? [] : [[name, valueOf(name, fields[i]!, row)]])));
  }
}

function valueOf(name: string, text: string, row: number): unknown {
  if (asNumber.has(name)) return Number(text);
  if (!asJson.has(name)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(row, `has a ${name} that is not JSON: ${(cause as Error).message}`);
  }
}

function malformed(row: number, message: string): ValidationError {
  return new ValidationError("ERR_CSV", `row ${row} ${message}; write it as \`event-router export --format csv\` does`, { details: { row } });
}

/** UTF-16 units of one row: what is longer has a quote that was never closed. */
const LONGEST = 16 * 1024 * 1024;

/** Fields by row, from text in pieces of any size. */
async function* rows(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "";
  let row = 0;
  for await (const chunk of chunks) {
    const { complete, used } = split(rest + chunk);
    row += complete.length;
    yield* complete;
    rest = (rest + chunk).slice(used);
    if (rest.length > LONGEST) throw malformed(row + 1, "has no end within 16 MiB");
  }
  if (rest === "") return;
  const { complete, used } = split(`${rest}\n`);
  yield* complete;
  if (used <= rest.length) throw malformed(row + complete.length + 1, "is no CSV: a quote stands within a field, or is not closed");
}

/** The rows that have ended, and how much of the text they took. */
function split(text: string): { complete: string[][]; used: number } {
  const complete: string[][] = [];
  // A field in quotes or without, and what ends it: without that nobody knows whether a quote at the end of the text closes or is doubled.
  const token = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n)/y;
  let fields: string[] = [];
  let used = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2]!);
    if (found[3] === ",") continue;
    complete.push(fields);
    fields = [];
    used = token.lastIndex;
  }
  return { complete, used };
}

import { columns, csvRow } from "./csv.ts";
import { usageError } from "./failure.ts";
import type { HistoryEvent } from "./history.ts";
import { json } from "./text.ts";

/** How events are written, one after the other. */
export interface ExportFormat {
  readonly head: string;
  row(event: HistoryEvent, first: boolean): string;
  readonly foot: string;
}

export const formats = {
  json: { head: "[", row: (event, first) => `${first ? "\n" : ",\n"}${json(event)}`, foot: "\n]\n" },
  ndjson: { head: "", row: (event) => `${json(event)}\n`, foot: "" },
  csv: { head: `${columns.join(",")}\n`, row: (event) => `${csvRow(event)}\n`, foot: "" },
} as const satisfies Readonly<Record<string, ExportFormat>>;

export type FormatName = keyof typeof formats;

/** The format that was named, else that of the file's ending, else ndjson. */
export function formatName(named: string | undefined, file: string | undefined, command: string): FormatName {
  const name = named ?? /\.(json|ndjson|jsonl|csv)$/i.exec(file ?? "")?.[1]?.toLowerCase() ?? "ndjson";
  if (name === "jsonl") return "ndjson";
  if (name === "json" || name === "ndjson" || name === "csv") return name;
  throw usageError(`--format is json, ndjson or csv; got ${JSON.stringify(name)}`, command);
}

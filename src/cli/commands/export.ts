import { defineCommand } from "../command.ts";
import { formatName, formats, type ExportFormat } from "../export-format.ts";
import { exitCode } from "../failure.ts";
import { readHistory, type Range } from "../history.ts";
import { counted, historyProgress, type Progress } from "../progress.ts";
import { routerAccess, routerFlags, type RouterAccess } from "../router-access.ts";
import { readPlaces, readSelection } from "../selection.ts";
import type { Shell } from "../shell.ts";
import { json } from "../text.ts";
import { wholeFile } from "../whole-file.ts";

export const exportCommand = defineCommand({
  name: "export",
  about: "write the events of the log to a file or to standard output",
  operands: [{ name: "PATTERN", about: "types to write: * is one segment, ** any number (default: **)", many: true }],
  flags: {
    format: { type: "string", value: "FORMAT", choices: Object.keys(formats), about: "json (one array), ndjson (an event a line) or csv (default: as the file is named, else ndjson)" },
    output: { type: "string", value: "FILE", short: "o", about: "where to write, - is standard output (default: -)" },
    filter: { type: "string", value: "FILTER", about: "write only these: field:op:value joined by commas, or JSON" },
    from: { type: "string", value: "PLACE", about: "the first event: a seq or a time (default: the log's first)" },
    to: { type: "string", value: "PLACE", about: "the last event: a seq or a time (default: the log's last)" },
    ...routerFlags,
    json: { type: "boolean", about: "when it is done, write what was done as JSON; needs --output FILE" },
  },
  examples: [
    ["export --output events.json", "everything, as one JSON array"],
    ["export 'order.**' --format csv --from 2024-01-01 --to 2024-02-01 -o orders.csv", "orders of a month, for a spreadsheet"],
    ["export --format ndjson | gzip > events.ndjson.gz", "in a pipe; memory stays the same however long the log is"],
  ],
  async run({ flags, operands }, shell) {
    const router = routerAccess("export", flags, shell);
    const file = flags.output === undefined || flags.output === "-" ? undefined : flags.output;
    const name = formatName(flags.format, file, "export");
    const range: Range = { ...readSelection(operands, flags.filter, "export"), ...readPlaces(flags, "export") };
    const progress = await historyProgress(router, range, shell);
    try {
      if (file === undefined) await write(router, range, formats[name], (text) => shell.write(text), progress, shell);
      else {
        await using output = await wholeFile(file, "export");
        await write(router, range, formats[name], (text) => output.write(text), progress, shell);
        await output.finish();
      }
    } finally {
      progress.end();
    }
    shell.note(`event-router: exported ${counted(progress.count)}${file === undefined ? "" : ` to ${file}`}`);
    if (flags.json && file !== undefined) await shell.print(json({ events: progress.count, format: name, output: file }));
    return exitCode.done;
  },
});

/** A page at a time, the next when the last is written. */
async function write(router: RouterAccess, range: Range, { head, row, foot }: ExportFormat, put: (text: string) => Promise<void>, progress: Progress, shell: Shell): Promise<void> {
  const { stop } = shell;
  let text = head;
  let first = true;
  for await (const page of readHistory(router, range, shell)) {
    for (const event of page) {
      text += row(event, first);
      first = false;
    }
    stop.throwIfAborted();
    if (text !== "") await put(text);
    text = "";
    progress.add(page.length, page.at(-1)?.seq ?? 0);
  }
  stop.throwIfAborted();
  if (foot !== "") await put(foot);
}

import { stat } from "node:fs/promises";
import { defineCommand } from "../command.ts";
import { EventInput } from "../event-input.ts";
import { formatName, formats } from "../export-format.ts";
import { exitCode } from "../failure.ts";
import { counted, Progress } from "../progress.ts";
import { publishAll } from "../publish-all.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import { json } from "../text.ts";

export const importCommand = defineCommand({
  name: "import",
  about: "publish the events of a file that `export` wrote, or of one like it",
  operands: [{ name: "FILE", about: "what to read, - is standard input", required: true }],
  flags: {
    format: { type: "string", value: "FORMAT", choices: Object.keys(formats), about: "json, ndjson or csv (default: as the file is named, else ndjson)" },
    ...routerFlags,
  },
  examples: [
    ["import events.json --url http://127.0.0.1:9000", "into another router; each keeps its id, and gets a new place and time"],
    ["import events.ndjson --namespace copy", "again after it was interrupted: what is there already is not stored twice"],
    ["import - --format csv < events.csv", "from a pipe"],
  ],
  async run({ flags, operands: [file] }, shell) {
    const router = routerAccess("import", flags, shell);
    const input = new EventInput(file!, formatName(flags.format, file === "-" ? undefined : file, "import"), shell);
    const size = file === "-" ? undefined : (await stat(file!)).size;
    await router.reach(shell.stop);
    // What is cut off is sent again under the same id: that loses and doubles nothing.
    await using client = router.connect({ reconnect: { enabled: true } });
    const progress = new Progress(shell, size === undefined ? undefined : (bytes) => bytes / size);
    const counts = { published: 0, duplicates: 0 };
    try {
      await publishAll(client, input.events(), counts, shell.stop, (count) => progress.add(count, input.bytes));
    } finally {
      progress.end();
      shell.note(`event-router: imported ${counted(counts.published)}${counts.duplicates > 0 ? `, ${counts.duplicates.toLocaleString("en-US")} more were there already` : ""}`);
    }
    if (flags.json) await shell.print(json(counts));
    return exitCode.done;
  },
});

import { ask } from "../ask.ts";
import { defineCommand } from "../command.ts";
import { exitCode, usageError } from "../failure.ts";
import { counted } from "../progress.ts";
import { readCount, readDuration } from "../quantity.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import { readPlace } from "../selection.ts";
import { json } from "../text.ts";

interface Purged { readonly events: number; readonly up_to: number; readonly dry_run: boolean }

export const purge = defineCommand({
  name: "purge",
  about: "remove the oldest events of the log; without --confirm it only says which",
  operands: [],
  flags: {
    "older-than": { type: "string", value: "DURATION", about: "events older than this, as 30d" },
    before: { type: "string", value: "TIME", about: "events before this time" },
    "up-to": { type: "string", value: "SEQ", about: "events up to and with this seq" },
    confirm: { type: "boolean", about: "remove them" },
    ...routerFlags,
  },
  examples: [
    [`purge --older-than "30d"`, "what would be removed"],
    [`purge --older-than "30d" --confirm`, "remove it; readers that had not had it are told"],
    ["purge --up-to 100000 --confirm", "the first hundred thousand"],
  ],
  async run({ flags }, shell) {
    const router = routerAccess("purge", flags, shell);
    const what = whatOf(flags);
    const { events, up_to: upTo, dry_run: dry } = await ask<Purged>(router, "/api/v1/purge", { signal: AbortSignal.any([shell.stop, AbortSignal.timeout(router.timeout)]), body: { ...what, confirm: flags.confirm ?? false } });
    if (flags.json) await shell.print(json({ events, up_to: upTo, dry_run: dry }));
    else if (events === 0) await shell.print("Nothing to remove");
    else await shell.print(dry ? `Would remove ${counted(events)}, up to seq ${upTo}; give --confirm to remove them` : `Removed ${counted(events)}, up to seq ${upTo}`);
    return exitCode.done;
  },
});

function whatOf({ "older-than": age, before, "up-to": seq }: { readonly "older-than"?: string; readonly before?: string; readonly "up-to"?: string }): Readonly<Record<string, unknown>> {
  if ([age, before, seq].filter((one) => one !== undefined).length !== 1) throw usageError("purge needs one of --older-than, --before and --up-to", "purge");
  if (age !== undefined) {
    readDuration(age, "--older-than", "purge");
    return { older_than: age };
  }
  if (seq !== undefined) return { up_to: readCount(seq, "--up-to", "purge", [0, Number.MAX_SAFE_INTEGER]) };
  const place = readPlace(before, "--before", "purge");
  if (!(place instanceof Date)) throw usageError("--before is a time as 2024-01-01T12:00:00; a seq is given with --up-to", "purge");
  return { before: place.toISOString() };
}

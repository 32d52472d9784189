import { ask } from "../ask.ts";
import { defineCommand, type Values } from "../command.ts";
import { exitCode, usageError } from "../failure.ts";
import { counted } from "../progress.ts";
import { routerAccess, routerFlags, type RouterAccess } from "../router-access.ts";
import type { Shell } from "../shell.ts";
import { table } from "../table.ts";
import { json, readable } from "../text.ts";

const flags = {
  subscription: { type: "string", value: "NAME", about: "only those that failed here: group:NAME, durable:NAME or client:NAME:TOPICS" },
  all: { type: "boolean", about: "retry or discard all of them" },
  confirm: { type: "boolean", about: "with discard: give them up for good" },
  ...routerFlags,
} as const;

interface Letter {
  readonly dead_letter_id: string;
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly subscription: string;
  readonly attempts: number;
  readonly last_error: string;
  readonly error_name: string;
  readonly failed_at: string;
  readonly retrying: boolean;
  readonly [field: string]: unknown;
}
interface Page { readonly dead_letters: readonly Letter[]; readonly total: number; readonly next_cursor: string | null }

export const dlq = defineCommand({
  name: "dlq",
  about: "list, show, retry or discard dead letters: events that failed for good",
  operands: [
    { name: "ACTION", about: "list, show, retry or discard", required: true, choices: ["list", "show", "retry", "discard"] },
    { name: "ID", about: "of dead letters, or of the events that failed", many: true },
  ],
  flags,
  examples: [
    ["dlq list", "what failed, where and why"],
    ["dlq show evt_0VbwiGYdt9U5DKCU67r000001", "one of them whole"],
    ["dlq retry --all --subscription group:mailers", "again, at the subscription that failed"],
    ["dlq discard dead_p1Vq7Yk2mN --confirm", "give it up"],
  ],
  async run({ flags: given, operands: [action, ...ids] }, shell) {
    const router = routerAccess("dlq", given, shell);
    switch (action) {
      case "list": return list(router, given, ids, shell);
      case "show": return show(router, given, ids, shell);
      case "retry": return retry(router, given, ids, shell);
      case "discard": return discard(router, given, ids, shell);
      default: throw usageError(`ACTION is list, show, retry or discard; got ${JSON.stringify(action)}`, "dlq");
    }
  },
});

type Given = Values<typeof flags>;

/** Pages of dead letters, oldest first. */
async function* pages(router: RouterAccess, { subscription }: Given, { stop }: Shell): AsyncGenerator<Page> {
  let cursor: string | undefined;
  do {
    const page: Page = await ask<Page>(router, "/api/v1/dead-letters", { signal: AbortSignal.any([stop, AbortSignal.timeout(router.timeout)]), query: { subscription, cursor, limit: "1000" } });
    yield page;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

async function list(router: RouterAccess, given: Given, ids: readonly string[], shell: Shell): Promise<number> {
  if (ids.length > 0) throw usageError("dlq list takes no ids; dlq show does", "dlq");
  let shown = 0;
  for await (const { dead_letters: letters } of pages(router, given, shell)) {
    if (letters.length === 0) continue;
    shown += letters.length;
    if (given.json) await shell.write(letters.map((letter) => `${json(letter)}\n`).join(""));
    else await shell.print(table(["FAILED AT", "ID", "TYPE", "SUBSCRIPTION", "TRIES", "ERROR"], letters.map((one) => [
      one.failed_at, one.dead_letter_id, one.type, one.subscription, String(one.attempts), `${one.error_name}: ${one.last_error}${one.retrying ? " (being retried)" : ""}`,
    ])));
  }
  if (!given.json) shell.note(shown === 0 ? "event-router: there are no dead letters" : `event-router: ${counted(shown, "dead letter")}`);
  return exitCode.done;
}

async function show(router: RouterAccess, given: Given, ids: readonly string[], shell: Shell): Promise<number> {
  if (ids.length === 0) throw usageError("dlq show needs an ID: of a dead letter, or of the event that failed", "dlq");
  const wanted = new Set(ids);
  const missing = new Set(ids);
  for await (const { dead_letters: letters } of pages(router, given, shell)) {
    for (const letter of letters) {
      const { dead_letter_id: own, id } = letter;
      if (!wanted.has(own) && !wanted.has(id)) continue;
      missing.delete(own);
      missing.delete(id);
      await shell.print(given.json ? json(letter) : Object.entries(letter).map(([name, value]) => `${name}: ${typeof value === "string" ? readable(value).slice(1, -1) : readable(value)}`).join("\n"));
    }
  }
  for (const id of missing) shell.note(`event-router: there is no dead letter ${readable(id)}`);
  return missing.size === 0 ? exitCode.done : exitCode.failed;
}

async function retry(router: RouterAccess, given: Given, ids: readonly string[], shell: Shell): Promise<number> {
  const done = { retrying: [] as string[], failed: [] as { readonly dead_letter_id: string; readonly problem: { readonly detail: string; readonly code: string } }[] };
  for (const body of choices(given, ids, "retry")) {
    const { retrying, failed } = await ask<typeof done>(router, "/api/v1/dead-letters/retry", { signal: AbortSignal.any([shell.stop, AbortSignal.timeout(router.timeout)]), body });
    done.retrying.push(...retrying);
    done.failed.push(...failed);
  }
  if (given.json) await shell.print(json(done));
  else await shell.print(`Retrying ${counted(done.retrying.length, "dead letter")}`);
  for (const { dead_letter_id: id, problem: { detail, code } } of done.failed) shell.note(`event-router: ${readable(id).slice(1, -1)}: ${detail} (${code})`);
  return done.failed.length > 0 || (done.retrying.length === 0 && ids.length > 0) ? exitCode.failed : exitCode.done;
}

async function discard(router: RouterAccess, given: Given, ids: readonly string[], shell: Shell): Promise<number> {
  const bodies = choices(given, ids, "discard");
  if (!given.confirm) throw usageError("what is discarded is gone: look at it with dlq show, then give --confirm", "dlq");
  const discarded: string[] = [];
  for (const body of bodies) discarded.push(...(await ask<{ readonly discarded: readonly string[] }>(router, "/api/v1/dead-letters/discard", { signal: AbortSignal.any([shell.stop, AbortSignal.timeout(router.timeout)]), body })).discarded);
  if (given.json) await shell.print(json({ discarded }));
  else await shell.print(`Discarded ${counted(discarded.length, "dead letter")}`);
  return discarded.length === 0 && ids.length > 0 ? exitCode.failed : exitCode.done;
}

/** What to ask for: all, or those with these ids of dead letters, and those of these events. */
function choices({ all, subscription }: Given, ids: readonly string[], action: string): readonly object[] {
  if (all === true && ids.length > 0) throw usageError("--all and ids exclude each other; give one", "dlq");
  if (all !== true && ids.length === 0) throw usageError(`dlq ${action} needs an ID, or --all`, "dlq");
  const place = subscription === undefined ? {} : { subscription };
  if (all === true) return [{ all: true, ...place }];
  const letters = ids.filter((id) => id.startsWith("dead_"));
  const events = ids.filter((id) => !id.startsWith("dead_"));
  return [...(letters.length > 0 ? [{ dead_letter_ids: letters }] : []), ...(events.length > 0 ? [{ event_ids: events, ...place }] : [])];
}

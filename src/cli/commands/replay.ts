import type { EventInit, RouterEvent } from "../../index.ts";
import { defineCommand, type Values } from "../command.ts";
import { eventOf } from "../event-input.ts";
import { eventLine } from "../event-text.ts";
import { exitCode, usageError } from "../failure.ts";
import { readHistory, type HistoryEvent, type Range } from "../history.ts";
import { Pace } from "../pace.ts";
import { counted, historyProgress } from "../progress.ts";
import { publishAll } from "../publish-all.ts";
import { routerAccess, routerFlags, type RouterAccess } from "../router-access.ts";
import { readPlaces, readSelection } from "../selection.ts";
import type { Shell } from "../shell.ts";
import { json } from "../text.ts";

const flags = {
  filter: { type: "string", value: "FILTER", about: "replay only these: field:op:value joined by commas, or JSON" },
  from: { type: "string", value: "PLACE", about: "the first event: a seq or a time (default: the log's first)" },
  to: { type: "string", value: "PLACE", about: "the last event: a seq or a time (default: the log's last)" },
  speed: { type: "string", value: "FACTOR", about: "1 as far apart as they came, 10 ten times as fast (default: without waiting)" },
  "to-url": { type: "string", value: "URL", about: "publish them to this router instead of showing them; they keep their ids" },
  "to-namespace": { type: "string", value: "NAME", about: "publish them to this log (with --to-url default: default)" },
  "to-token": { type: "string", value: "JWT", about: "a JWT for --to-url (default: EVENT_ROUTER_TO_TOKEN)" },
  "to-api-key": { type: "string", value: "KEY", about: "an API key for --to-url (default: EVENT_ROUTER_TO_API_KEY)" },
  "new-ids": { type: "boolean", about: "publish them as new events, also where they are already" },
  utc: { type: "boolean", about: "show times in UTC (default: local time)" },
  ...routerFlags,
  json: { type: "boolean", about: "write an event a line as JSON, or with --to-url what was done" },
} as const;

export const replay = defineCommand({
  name: "replay",
  about: "show the events of a time again, or publish them to another log",
  operands: [{ name: "PATTERN", about: "types to replay: * is one segment, ** any number (default: **)", many: true }],
  flags,
  examples: [
    [`replay --from "2024-01-01T00:00:00" --to "2024-01-01T12:00:00"`, "what happened that morning"],
    ["replay 'order.*' --from 1042 --speed 10", "ten times as fast as it happened"],
    ["replay --to-url http://staging.example.com --speed 1", "a rehearsal on another router"],
    ["replay --to-namespace test", "into another log of the same router"],
  ],
  async run({ flags: given, operands }, shell) {
    const router = routerAccess("replay", given, shell);
    const range: Range = { ...readSelection(operands, given.filter, "replay"), ...readPlaces(given, "replay") };
    const pace = new Pace(readSpeed(given.speed), shell.stop);
    const target = targetOf(given, router, shell);
    if (target !== undefined) return publishTo(target, { router, range, pace, given }, shell);
    for await (const event of paced(router, range, pace, shell)) {
      // REST's names are those of the output already.
      await shell.print(given.json ? json(event) : eventLine(event as unknown as RouterEvent, { utc: given.utc ?? false, colour: shell.colour }));
    }
    return exitCode.done;
  },
});

interface Replay { readonly router: RouterAccess; readonly range: Range; readonly pace: Pace; readonly given: Values<typeof flags> }

async function publishTo(target: RouterAccess, { router, range, pace, given }: Replay, shell: Shell): Promise<number> {
  await target.reach(shell.stop);
  await using client = target.connect({ reconnect: { enabled: true } });
  const progress = await historyProgress(router, range, shell);
  const counts = { published: 0, duplicates: 0 };
  let at = 0;
  const events = async function* (): AsyncGenerator<EventInit> {
    let number = 0;
    for await (const event of paced(router, range, pace, shell)) {
      const { id, ...said } = eventOf(event, ++number);
      at = event.seq;
      yield given["new-ids"] ? said : { id: id!, ...said };
    }
  };
  try {
    await publishAll(client, events(), counts, shell.stop, (count) => progress.add(count, at));
  } finally {
    progress.end();
    shell.note(`event-router: replayed ${counted(counts.published)} to ${target.url}${counts.duplicates > 0 ? `, ${counts.duplicates.toLocaleString("en-US")} more were there already` : ""}`);
  }
  if (given.json) await shell.print(json(counts));
  return exitCode.done;
}

/** Events one by one, each when it is due. */
async function* paced(router: RouterAccess, range: Range, pace: Pace, shell: Shell): AsyncGenerator<HistoryEvent> {
  for await (const page of readHistory(router, range, shell)) {
    for (const event of page) {
      await pace.due(Date.parse(event.timestamp));
      yield event;
    }
  }
}

function readSpeed(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const [, factor] = /^(\d+(?:\.\d+)?)x?$/.exec(text) ?? [];
  if (factor === undefined || Number(factor) === 0) throw usageError(`--speed is how many times as fast, as 1, 0.5 or 10; got ${JSON.stringify(text)}`, "replay");
  return Number(factor);
}

/** Where to publish; undefined: nowhere. What lets one into the first router is never told to another. */
function targetOf(given: Values<typeof flags>, source: RouterAccess, shell: Shell): RouterAccess | undefined {
  const { "to-url": url, "to-namespace": namespace, "to-token": token, "to-api-key": key } = given;
  if (url === undefined && namespace === undefined) {
    for (const flag of ["to-token", "to-api-key", "new-ids"] as const) if (given[flag] !== undefined) throw usageError(`--${flag} is for a replay into another log; name it with --to-url or --to-namespace`, "replay");
    return undefined;
  }
  const timeout = given.timeout === undefined ? {} : { timeout: given.timeout };
  const access = url === undefined
    ? routerAccess("replay", { ...given, ...(namespace !== undefined && { namespace }) }, shell)
    : routerAccess("replay", { url, ...timeout, ...(namespace !== undefined && { namespace }), ...(token !== undefined && { token }), ...(key !== undefined && { "api-key": key }) },
      { ...shell, env: { EVENT_ROUTER_TOKEN: shell.env.EVENT_ROUTER_TO_TOKEN, EVENT_ROUTER_API_KEY: shell.env.EVENT_ROUTER_TO_API_KEY } });
  const same = access.http("/").href === source.http("/").href;
  if (same && given["new-ids"] && given.to === undefined) throw usageError("published to the log that is read, they would be replayed again without end; say where to stop with --to", "replay");
  if (same && !given["new-ids"]) {
    throw usageError("this is the log that the events come from, and each is stored once; give --new-ids to publish them as new ones, or name another with --to-url or --to-namespace", "replay");
  }
  return access;
}

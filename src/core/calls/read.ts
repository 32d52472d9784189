import { ValidationError } from "../errors.ts";
import { compileFilter, type Filter } from "../filter.ts";
import type { LogEvent } from "../log-event.ts";
import type { Namespace } from "../namespace.ts";
import { assertPattern, matchesPattern } from "../pattern.ts";
import { mayRead, type Reader } from "../reader.ts";
import { compileRegex } from "../regex.ts";
import { RegexBudget } from "../regex-budget.ts";
import { mayReadEvent } from "../secrecy.ts";
import { type Caller, demand, MOST_EVENTS, MOST_SIZE, whole } from "./call.ts";

/** What a `read` looks at before it answers with what it has. */
const SCAN = { events: 20_000, page: { events: 512, size: 512 * 1024 } };

/**
 * Events from the log: `{ after?, from?, to?, topics?, filter?, limit?, targets? }`, seqs or times (ms); with `targets: "any"` also what is meant for one client.
 * Answers `{ epoch, events, next }`; `next` is the seq to go on after, null at the end. A page may have fewer events than asked for, or none, when much had
 * to be looked at.
 */
export async function readLog({ namespace, principal, reader }: Caller, params: Readonly<Record<string, unknown>>): Promise<string> {
  const { log } = namespace;
  const limit = Math.min(whole(params, "limit") ?? 100, MOST_EVENTS);
  const { targets } = params;
  if (targets !== undefined && targets !== "own" && targets !== "any") throw new ValidationError("ERR_PARAMETER", 'targets must be "own" or "any"', { details: { path: "targets" } });
  // Who keeps the log whole, or moves it, needs what is meant for one client as well.
  if (targets === "any") demand(principal, "manage");
  const wanted = selector(params, namespace, reader);
  const to = whole(params, "to") ?? Infinity;
  const fromTime = whole(params, "from");
  let after = Math.max(whole(params, "after") ?? 0, fromTime === undefined ? 0 : await log.seqBefore(fromTime), log.first - 1);
  const lines: string[] = [];
  let size = 0;
  let scanned = 0;
  let ended = false;
  while (!ended && lines.length < limit && size < MOST_SIZE && scanned < SCAN.events) {
    const page = await log.read(after, SCAN.page);
    ended = page.length === 0;
    for (const event of page) {
      if (event.time > to) {
        ended = true;
        break;
      }
      if (wanted(event)) {
        if (lines.length === limit || (size > 0 && size + event.size > MOST_SIZE)) break;
        lines.push(event.line);
        size += event.size;
      }
      after = event.seq;
      scanned++;
    }
    if (lines.length === limit || size >= MOST_SIZE) break;
    if (page.at(-1)?.seq !== after && !ended) break;
  }
  return `{"epoch":${JSON.stringify(log.epoch)},"events":[${lines.join(",")}],"next":${ended || after >= log.head ? "null" : String(after)}}`;
}

function selector(params: Readonly<Record<string, unknown>>, { limits }: Namespace, reader: Reader): (event: LogEvent) => boolean {
  const topics: unknown = params.topics ?? ["**"];
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > limits.topics) throw new ValidationError("ERR_PATTERN", `topics must be 1 to ${limits.topics} patterns`, { details: { path: "topics" } });
  for (const pattern of topics as unknown[]) assertPattern(pattern);
  // One budget for all that is looked at: a call is no longer to be waited for than an event.
  const accepts = params.filter === undefined ? () => true : compileFilter(params.filter as Filter, { maxNodes: limits.filterNodes, regex: new RegexBudget(compileRegex).compile });
  return (event) => (topics as string[]).some((pattern) => matchesPattern(pattern, event.type)) && (params.targets === "any" ? mayReadEvent(reader.rights, event) : mayRead(reader, event)) && accepts(event);
}

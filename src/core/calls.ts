import { PermissionError, ValidationError } from "./errors.ts";
import { compileFilter, type Filter } from "./filter.ts";
import type { LogEvent } from "./log-event.ts";
import type { Namespace } from "./namespace.ts";
import { assertPattern, matchesPattern } from "./pattern.ts";
import type { Duty, Principal } from "./policy.ts";
import type { Reader } from "./reader.ts";
import { compileRegex } from "./regex.ts";

/** Who calls. */
export interface Caller { readonly namespace: Namespace; readonly principal: Principal; readonly reader: Reader }

/** A question to the router, answered as JSON text. */
export type Call = (caller: Caller, params: Readonly<Record<string, unknown>>) => string | Promise<string>;

/** What a `read` looks at before it answers with what it has, and what it answers with at most. */
const SCAN = { events: 20_000, page: { events: 512, size: 512 * 1024 } };
const MOST_EVENTS = 1_000;
const MOST_SIZE = 768 * 1024;


/** What a router knows beyond a namespace. */
export interface RouterFacts {
  uptime(): number;
  health(): { readonly healthy: boolean; readonly checks: Readonly<Record<string, string>>; readonly issues: readonly string[] };
  sessions(namespace: Namespace): Iterable<{ readonly id: string; readonly reader: Reader; readonly principal: Principal }>;
}

export function calls(facts: RouterFacts): ReadonlyMap<string, Call> {
  return new Map<string, Call>([
    ["read", readLog],
    ["stats", ({ namespace, principal }) => {
      demand(principal, "manage");
      return JSON.stringify({ ...namespaceStats(namespace), uptime: facts.uptime() });
    }],
    ["health", ({ principal }) => {
      demand(principal, "manage");
      return JSON.stringify(facts.health());
    }],
    ["subscriptions", ({ namespace, principal }) => {
      demand(principal, "manage");
      return JSON.stringify([...facts.sessions(namespace)].flatMap(({ id, reader, principal: { subject } }) =>
        [...reader.cursors.values()].map((cursor) => ({
          id: `${id}:${cursor.id}`, topics: cursor.interest.topics, clientId: id, name: reader.name, subject,
          lag: cursor.place.state === "behind" ? namespace.dispatcher.head - cursor.place.after : 0, inFlight: cursor.window.events,
        }))));
    }],
  ]);
}

function demand({ rights }: Principal, duty: Duty): void {
  if (!rights.has(duty)) throw new PermissionError("ERR_PERMISSION", `not allowed; the credential needs "${duty}"`, { details: { permission: duty } });
}

/** The figures of one namespace; `published` and `delivered` count since the router's start. */
export function namespaceStats(namespace: Namespace): Readonly<Record<string, number | string>> {
  const { log, dispatcher, appender, requests } = namespace;
  let subscriptions = 0;
  let queueDepth = appender.waiting;
  for (const { cursors } of namespace.readers) {
    subscriptions += cursors.size;
    for (const { place } of cursors.values()) if (place.state === "behind") queueDepth += Math.max(0, dispatcher.head - place.after);
  }
  const tried = namespace.published + namespace.refused;
  return {
    epoch: log.epoch, head: log.head, first: log.first, totalEvents: log.extent.events, totalSize: log.extent.size,
    eventsPublished: namespace.published, eventsDelivered: dispatcher.delivered, eventsRefused: namespace.refused, eventsPerSecond: namespace.rate(),
    activeSubscriptions: subscriptions, connections: namespace.readers.size, queueDepth,
    openRequests: requests.open, lateAnswers: requests.late, errorRate: tried === 0 ? 0 : namespace.refused / tried,
  };
}

/**
 * Events from the log: `{ after?, from?, to?, topics?, filter?, limit? }`, seqs or times (ms). Answers `{ epoch, events, next }`; `next` is the seq to go on
 * after, null at the end. A page may have fewer events than asked for, or none, when much had to be looked at.
 */
async function readLog({ namespace, principal, reader }: Caller, params: Readonly<Record<string, unknown>>): Promise<string> {
  const { log } = namespace;
  const limit = Math.min(whole(params, "limit") ?? 100, MOST_EVENTS);
  const wanted = selector(params, namespace, principal, reader);
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

function selector(params: Readonly<Record<string, unknown>>, { limits }: Namespace, { rights }: Principal, { name }: Reader): (event: LogEvent) => boolean {
  const topics: unknown = params.topics ?? ["**"];
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > limits.topics) throw new ValidationError("ERR_PATTERN", `topics must be 1 to ${limits.topics} patterns`, { details: { path: "topics" } });
  for (const pattern of topics as unknown[]) assertPattern(pattern);
  const accepts = params.filter === undefined ? () => true : compileFilter(params.filter as Filter, { maxNodes: limits.filterNodes, regex: compileRegex });
  return (event) => (topics as string[]).some((pattern) => matchesPattern(pattern, event.type)) && rights.allows("subscribe", event.type) && (event.target === undefined || event.target === name) && accepts(event);
}

function whole(params: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new ValidationError("ERR_PARAMETER", `${name} must be a whole number, 0 or more`, { details: { path: name } });
  return value as number;
}

import type { PublishMode } from "../../core/frames.ts";
import type { LogEvent } from "../../core/log-event.ts";
import type { Batch } from "../../core/store.ts";
import type { Publication } from "../outbox.ts";

/** What was published together, as it waits. */
export interface Entry {
  /** First and last place in the outbox's log. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly LogEvent[];
  readonly mode: Mode;
}

/** How it is to be published: as a `pub` frame says it, and whether the ids were made here. */
export interface Mode extends PublishMode { readonly own?: 1 }

const PLAIN: Mode = { as: "each", run: 1, own: 1 };

/**
 * A publication as events of the outbox's log. The log is an ordinary one, whose publishers' lines are those that will travel; in the place of the router's stamp
 * stands how they are to be published, 0 for an event alone under an id of ours, and how many more belong to it.
 */
export function batchOf({ events, as, run, terms }: Publication, now: number): Batch {
  const { in: delay, ...others } = terms as { in?: number };
  // Counted from when it was published, not from when there is a connection.
  const mode: Mode = { as, ...(run && { run: 1 }), ...(events.every(({ own }) => own) && { own: 1 }), ...others, ...(delay !== undefined && { at: now + delay }) };
  const plain = JSON.stringify(mode) === JSON.stringify(PLAIN);
  return {
    publisher: "", run,
    drafts: events.map(({ id, type, line }, index) => {
      const stamps = `,${now},${plain ? 0 : JSON.stringify([0, JSON.stringify(mode), events.length - 1 - index])},`;
      return { id, type, time: now, body: stamps + line.slice(1), own: stamps.length };
    }),
  };
}

/** The whole publications on a page of the log; what is cut off at its end is left out. */
export function entriesOf(page: readonly LogEvent[]): Entry[] {
  const entries: Entry[] = [];
  for (let start = 0; start < page.length; ) {
    const [mode, more] = modeOf(page[start]!);
    const events = page.slice(start, start + more + 1);
    if (events.length === more + 1) entries.push({ from: events[0]!.seq, to: events.at(-1)!.seq, events, mode });
    start += more + 1;
  }
  return entries;
}

const STAMPED = /^\[\d+,\d+,0,/;

function modeOf(event: LogEvent): [mode: Mode, more: number] {
  if (STAMPED.test(event.line)) return [PLAIN, 0];
  const [, text, more = 0] = event.fields[2] as readonly [0, string, number?];
  return [JSON.parse(text) as Mode, more];
}

/** The line as its publisher wrote it. */
export function ownLine(event: LogEvent): string {
  const stamps = STAMPED.exec(event.line)?.[0] ?? `[${event.seq},${event.time},${JSON.stringify(event.fields[2])},`;
  return `[${event.line.slice(stamps.length)}`;
}

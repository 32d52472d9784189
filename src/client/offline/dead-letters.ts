import { fromWire, toWire, type EventRouterError, type WireError } from "../../core/errors.ts";
import { LogEvent } from "../../core/log-event.ts";
import type { Log } from "../../core/store.ts";
import type { Entry, Mode } from "./entry.ts";

/** A refused publication, as it is noted in a bookmark: with the lines as they waited. */
interface Record { readonly mode: Mode; readonly lines: readonly string[]; readonly error: WireError }

export interface DeadLetter { readonly entry: Entry; readonly error: EventRouterError }

const DEAD = "dead:";
const DROPPED = "drop:";

/** What the router has refused and the user has not let go, and what was dropped while it waited. Both are bookmarks of the outbox's log, so all tabs see them. */
export class DeadLetters {
  readonly #log: () => Log;
  /** Places in the log that are not to be sent. */
  #skipped = new Set<number>();

  constructor(log: () => Log) {
    this.#log = log;
  }

  skips({ from }: Entry): boolean { return this.#skipped.has(from); }

  /** Learns what other tabs, and earlier lives, have noted. */
  async load(): Promise<void> {
    const log = this.#log();
    const keys = [...(await log.listBookmarks(DEAD)), ...(await log.listBookmarks(DROPPED))].map(([key]) => key);
    this.#skipped = new Set(keys.map((key) => Number(key.slice(DEAD.length))));
    // What was dropped and has left the log since needs no mark any more.
    const stale = keys.filter((key) => key.startsWith(DROPPED) && Number(key.slice(DROPPED.length)) < log.first);
    await log.writeBookmarks(stale.map((key) => [key, undefined]));
  }

  async bury({ from, events, mode }: Entry, error: EventRouterError): Promise<void> {
    const record: Record = { mode, lines: events.map(({ line }) => line), error: toWire(error) };
    await this.#log().writeBookmarks([[DEAD + from, JSON.stringify(record)]]);
    this.#skipped.add(from);
  }

  async list(wanted: (entry: Entry) => boolean = () => true): Promise<DeadLetter[]> {
    const found = await this.#log().listBookmarks(DEAD);
    return found.map(([, text]): DeadLetter => {
      const { mode, lines, error } = JSON.parse(text) as Record;
      const events = lines.map((line) => LogEvent.fromLine(line));
      return { entry: { from: events[0]!.seq, to: events.at(-1)!.seq, events, mode }, error: fromWire(error) };
    }).filter(({ entry }) => wanted(entry)).sort((a, b) => a.entry.from - b.entry.from);
  }

  /** It has arrived after all, or is no longer wanted. */
  async forget(letters: readonly { readonly entry: Entry }[]): Promise<void> {
    await this.#log().writeBookmarks(letters.map(({ entry }) => [DEAD + entry.from, undefined]));
  }

  async drop(entries: readonly Entry[]): Promise<void> {
    await this.#log().writeBookmarks(entries.map(({ from }) => [DROPPED + from, ""]));
    for (const { from } of entries) this.#skipped.add(from);
  }
}

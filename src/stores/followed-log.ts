import { EventRouterError } from "../core/errors.ts";
import { LogEvent } from "../core/log-event.ts";
import type { Peers } from "../core/peers.ts";
import type { Log } from "../core/store.ts";
import { outcomeOf, type LogHome, type Passage, type Standing } from "./log-home.ts";
import { watchers } from "./watchers.ts";

export interface FollowedLogOptions {
  readonly home: LogHome;
  /** Where this copy stands: everything up to its head was told. */
  readonly standing: Standing;
  /** What joins this router with the others of the log. */
  readonly peers?: Peers | undefined;
  /** ms before what failed is tried again. */
  pause(ms: number): Promise<void>;
  onError?: ((error: unknown) => void) | undefined;
}

/** A log whose events are kept elsewhere. */
export interface FollowedLog extends Log {
  readonly lost: Promise<EventRouterError>;
  /** Where this copy stands. */
  standing(): Standing;
  /**
   * Events that its home tells of. What lies between is read from there by position, what was told is left out. Resolves when all of it has been
   * told on; with false if it is of another life of the log, and this one is lost.
   */
  tell(passage: Passage): Promise<boolean>;
}

/** What is read in one go to fill a hole. */
const PAGE = { events: 2_048, size: 1024 * 1024 };
/** ms until a failed question is asked again; doubles. */
const AGAIN = { first: 50, most: 5_000 };

/** Follows a log from elsewhere: its home tells it of appends, perhaps not of all, perhaps twice, and answers what it asks. */
export function followedLog({ home, standing: begun, peers, pause, onError = () => {} }: FollowedLogOptions): FollowedLog {
  const listeners = watchers(onError);
  const { epoch } = begun;
  const { promise: lost, resolve: lose } = Promise.withResolvers<EventRouterError>();
  let at = begun;
  let gone = false;
  /** How far the home is known to be, and who fills what lies between. */
  let known = begun.head;
  let filling: Promise<void> | undefined;

  /** Whoever reads here comes back to another copy, and is told of what is missing. */
  function leave(why: string): void {
    gone = true;
    lose(new EventRouterError("ERR_EPOCH", why, { retryable: true }));
  }

  function see({ epoch: theirs, head, first, extent }: Standing): void {
    if (theirs !== epoch) leave("the log that this router follows was made anew");
    else if (head >= known) {
      known = head;
      // Its own head moves with what it tells on.
      at = { ...at, first: Math.max(first, at.first), extent };
    }
  }

  /** Takes what follows on what is there. */
  function take({ after, lines }: Passage): void {
    if (gone || after > at.head || lines.length === 0) return;
    const events = lines.slice(Math.max(0, at.head - after)).map((line) => LogEvent.fromLine(line));
    if (events.length === 0) return;
    at = { ...at, head: events.at(-1)!.seq };
    listeners.tell(events);
  }

  async function fill(): Promise<void> {
    let wait = AGAIN.first;
    while (!gone && at.head < known) {
      try {
        const passage = await home.read(at.head, PAGE);
        see(passage);
        wait = AGAIN.first;
        if (!gone && passage.after > at.head) leave("the log was trimmed further than this router had followed it");
        take(passage);
      } catch (error) {
        onError(error);
        await pause(wait);
        wait = Math.min(2 * wait, AGAIN.most);
      }
    }
  }

  async function level(): Promise<void> {
    if (at.head < known && !gone) await (filling ??= fill().finally(() => { filling = undefined; }));
  }

  async function tell(passage: Passage): Promise<boolean> {
    see(passage);
    take(passage);
    while (at.head < known && !gone) await level();
    return !gone;
  }

  /** Whoever waits is told by the loss of the log, not by a failure that would look like word on what was asked. */
  const lostNow = async (): Promise<never> => {
    const error = await lost;
    await pause(0);
    throw error;
  };

  return {
    epoch,
    lost,
    ...(peers !== undefined && { peers }),
    tell,
    standing: () => at,
    get head() { return at.head; },
    get first() { return Math.min(at.first, at.head + 1); },
    get extent() { return at.extent; },

    async append(batches) {
      for (let wait = AGAIN.first; ; wait = Math.min(2 * wait, AGAIN.most)) {
        if (gone) return lostNow();
        let answer;
        try {
          answer = await home.append(batches, at.head);
        } catch (error) {
          // A word of the store: it kept nothing. Anything else is no word at all, and what is asked again is not stored twice.
          if (error instanceof EventRouterError) throw error;
          onError(error);
          await pause(wait);
          continue;
        }
        if (!(await tell(answer.passage))) return lostNow();
        return answer.outcomes.map((of) => of.map(outcomeOf));
      }
    },

    async read(after, limit) {
      if (after >= at.head) return [];
      const passage = await home.read(after, limit);
      see(passage);
      return gone ? [] : passage.lines.map((line) => LogEvent.fromLine(line)).filter(({ seq }) => seq <= at.head);
    },

    async readStream(stream, from, limit, direction) {
      const { lines, length } = await home.readStream(stream, from, limit, direction);
      return { events: lines.map((line) => LogEvent.fromLine(line)), length };
    },

    async seqBefore(time) { return Math.min(await home.seqBefore(time), at.head); },
    watch: listeners.add,
    async trim(seq) { see(await home.trim(Math.min(seq, at.head))); },
    readBookmark: (key) => home.readBookmark(key),
    listBookmarks: (prefix) => home.listBookmarks(prefix),
    writeBookmarks: (entries) => home.writeBookmarks(entries),
  };
}

import { ConflictError, ValidationError } from "../core/errors.ts";
import { parseEventId } from "../core/event-id.ts";
import { LogEvent } from "../core/log-event.ts";
import type { Batch, Draft, Outcome } from "../core/store.ts";
import { countAbove, hasSeen, withNumber, withSingle, type RunMark } from "./run-mark.ts";
import { isSameEvent } from "./same-event.ts";

/** What a log knows of the ids that came before. */
export interface KnownIds {
  mark(publisher: string, instance: string): RunMark | undefined;
  /** The seq of an id that came without a run. */
  seqOf(publisher: string, id: string): number | undefined;
  /** The line of an event; undefined if it is no longer there. */
  lineAt(seq: number): string | undefined;
  /** Events an event stream ever had: its next version. */
  streamLength(stream: string): number;
}

/** What an append will write, and what it answers. */
export interface Admission {
  readonly outcomes: readonly Outcome[][];
  readonly events: readonly LogEvent[];
  readonly marks: readonly { readonly publisher: string; readonly instance: string; readonly mark: RunMark }[];
  readonly ids: readonly { readonly publisher: string; readonly id: string; readonly seq: number }[];
  /** Events of event streams, in order; the last of a stream tells its length. */
  readonly streams: readonly { readonly stream: string; readonly version: number; readonly seq: number }[];
}

/** How far back an event is looked for that an instance's mark says is there. */
const SEARCH_EVENTS = 4_096;
const SEARCH_SIZE = 4 * 1024 * 1024;

/** One string for a publisher and an instance: the instance has a fixed length. */
export const markKey = (publisher: string, instance: string): string => instance + publisher;
/** One string for a publisher and an id of any text. */
export const idKey = (publisher: string, id: string): string => `${id.length} ${id}${publisher}`;

/**
 * Decides the fate of batches, each in the light of those before it, and writes nothing: a store writes what it returns, whole or not at all.
 *
 * - An event whose id came before is a duplicate, if it says the same; else its whole batch is refused (`ERR_ID_CONFLICT`).
 * - A batch of which only some ids came before appends the others. (A repeated transaction is all there or not at all, because it was atomic.)
 * - An id twice in one batch refuses the batch (`ERR_DUPLICATE_ID`): the two events can only be a mistake.
 * - A batch that expects a stream at a version is refused (`ERR_STREAM_VERSION`) if it stands elsewhere, unless all of it is there already.
 * - A refused batch has the same outcome for each of its drafts.
 */
export function admit(batches: readonly Batch[], head: number, known: KnownIds): Admission {
  const events: LogEvent[] = [];
  const marks = new Map<string, Admission["marks"][number]>();
  const ids = new Map<string, Admission["ids"][number]>();
  const streams: Admission["streams"][number][] = [];
  const lengths = new Map<string, number>();

  const markOf = (publisher: string, { key, instance }: Place) => marks.get(key)?.mark ?? known.mark(publisher, instance);
  const seqOf = (publisher: string, id: string) => (ids.size === 0 ? undefined : ids.get(idKey(publisher, id))?.seq) ?? known.seqOf(publisher, id);
  const lengthOf = (stream: string) => lengths.get(stream) ?? known.streamLength(stream);
  const lineAt = (seq: number) => (seq > head ? events[seq - head - 1]?.line : known.lineAt(seq));

  /** The seq under which a draft is there already (null: it was, somewhere); undefined if it is new. */
  function earlier({ publisher, run }: Batch, { id }: Draft, place: Place | undefined): number | null | undefined {
    if (place === undefined) return seqOf(publisher, id);
    const mark = markOf(publisher, place);
    if (mark !== undefined && hasSeen(mark, place.number)) {
      // If the instance was alone since then, the event is just as many places back; others' events only push it further.
      const nearest = mark.seq - countAbove(mark, place.number);
      return searchBack(nearest, id, publisher) ?? (nearest < mark.seq ? searchBack(mark.seq, id, publisher) : null);
    }
    return run && mark?.singles !== true ? undefined : seqOf(publisher, id);
  }

  function searchBack(from: number, id: string, publisher: string): number | null {
    const text = JSON.stringify(id);
    let size = 0;
    for (let seq = from; seq > from - SEARCH_EVENTS && size < SEARCH_SIZE; seq--) {
      const line = lineAt(seq);
      if (line === undefined) return null;
      size += line.length;
      if (!line.includes(text)) continue;
      const event = LogEvent.fromLine(line);
      if (event.id === id && (event.publisher?.subject ?? "") === publisher) return seq;
    }
    return null;
  }

  function judge(batch: Batch, draft: Draft, place: Place | undefined): number | null | undefined {
    const seq = earlier(batch, draft, place);
    const line = typeof seq === "number" ? lineAt(seq) : undefined;
    if (line !== undefined && !isSameEvent(line, draft)) {
      throw new ConflictError("ERR_ID_CONFLICT", `event ${draft.id} is in the log with another type, payload or meta; give the new event an id of its own`, { details: { id: draft.id, seq } });
    }
    return seq;
  }

  function append({ publisher, run }: Batch, draft: Draft, place: Place | undefined): Outcome {
    const seq = head + events.length + 1;
    const version = draft.stream && lengthOf(draft.stream.name);
    events.push(new LogEvent(seq, draft.time, draft.type, `[${seq}${version === undefined ? draft.body : withVersion(draft, version)}`));
    if (version !== undefined) {
      streams.push({ stream: draft.stream!.name, version, seq });
      lengths.set(draft.stream!.name, version + 1);
    }
    if (!run || place === undefined) ids.set(idKey(publisher, draft.id), { publisher, id: draft.id, seq });
    if (place !== undefined) {
      const mark = markOf(publisher, place);
      marks.set(place.key, { publisher, instance: place.instance, mark: run ? withNumber(mark, place.number, seq) : withSingle(mark) });
    }
    return version === undefined ? { state: "appended", seq } : { state: "appended", seq, version };
  }

  function repeated({ stream }: Draft, seq: number | null): Outcome {
    const line = stream === undefined || seq === null ? undefined : lineAt(seq);
    const version = line === undefined ? undefined : LogEvent.fromLine(line).version;
    return version === undefined ? { state: "duplicate", seq } : { state: "duplicate", seq, version };
  }

  function checkExpectation({ expect }: Batch): void {
    if (expect === undefined) return;
    const length = lengthOf(expect.stream);
    const actual = length === 0 ? "no-stream" : length - 1;
    if (expect.version !== actual) throw new ConflictError("ERR_STREAM_VERSION", `stream ${expect.stream} is at version ${actual}, not ${expect.version}; read what was appended, then decide anew`, { details: { stream: expect.stream, expectedVersion: expect.version, actualVersion: actual } });
  }

  const outcomes = batches.map((batch): Outcome[] => {
    try {
      const places = placesOf(batch);
      const seqs = batch.drafts.map((draft, index) => judge(batch, draft, places[index]));
      if (seqs.includes(undefined)) checkExpectation(batch);
      return batch.drafts.map((draft, index) => {
        const seq = seqs[index];
        return seq === undefined ? append(batch, draft, places[index]) : repeated(draft, seq);
      });
    } catch (error) {
      // Anything else is the storage's failure, and the whole call's.
      if (!(error instanceof ConflictError || error instanceof ValidationError)) throw error;
      return batch.drafts.map(() => ({ state: "refused", error }));
    }
  });
  return { outcomes, events, marks: [...marks.values()], ids: [...ids.values()], streams };
}

function withVersion({ body, stream }: Draft, version: number): string {
  return `${body.slice(0, stream!.versionAt)},${version}${body.slice(stream!.versionAt)}`;
}

/** Where an id stands in its instance's run; its key is `markKey`. */
interface Place { readonly key: string; readonly instance: string; readonly number: number }

/** The place of each draft's id, undefined where an id has none. @throws ValidationError for what no log could keep. */
function placesOf({ publisher, run, drafts }: Batch): (Place | undefined)[] {
  const seen = drafts.length > 1 ? new Set<string>() : undefined;
  return drafts.map(({ id, body }) => {
    const parsed = parseEventId(id);
    // Numbers run from 1: an id with 0 in that place was made by other means.
    const place = parsed === undefined || parsed.number === 0 ? undefined : { ...parsed, key: markKey(publisher, parsed.instance) };
    if (run && place === undefined) {
      throw new ValidationError("ERR_EVENT_ID", `event id ${JSON.stringify(id)} is not one of a run; make ids with eventIds(), or publish without \`run\``, { details: { id } });
    }
    if (body.includes("\n")) throw new ValidationError("ERR_EVENT_LINE", `event ${id} is written on more than one line; remove the line breaks between its JSON tokens`, { details: { id } });
    // In a run an instance and a number are one event, whatever the time in the id.
    const name = run ? id.slice(12) : id;
    if (seen?.has(name)) throw new ValidationError("ERR_DUPLICATE_ID", `event id ${id} is twice in one batch; give each event an id of its own`, { details: { id } });
    seen?.add(name);
    return place;
  });
}

import { LogEvent } from "../core/log-event.ts";
import { leadLost } from "../core/peers.ts";
import type { Batch, Outcome } from "../core/store.ts";
import { admit, idKey, markKey, type Admission, type KnownIds } from "./admission.ts";
import { cutBlocks, lifted } from "./redis-block.ts";
import { markRest, readMark } from "./redis-mark.ts";
import { toRedisText } from "./redis-text.ts";

/** Marks and lengths that are remembered from one append to the next. */
const MOST_KNOWN = 16_384;
/** In place of the line of an event that was trimmed. */
const GONE = "";
/** How much further back lines are fetched each time: what is searched for is mostly near, and may be 4,096 events back. */
const FURTHER = 8;
const FURTHEST = 512;

/** What the script that appends is given besides keys and guard; its answer goes to `settle` or `learn`. */
export interface Proposal {
  /** Event streams whose lists are written. */
  readonly streams: readonly string[];
  readonly args: readonly string[];
  /** The oldest token that a leader's batch among them has. */
  readonly lead: number | undefined;
}

type Found = readonly (string | null)[];

/**
 * Admission by what is known, which may be wrong: Redis is told what was taken for true, and refuses if it is not, with how it is. So a publisher's next
 * event needs no question before it. What nobody has told yet is taken for not there, which it mostly is not.
 */
export class RedisAdmission {
  /** By field: marks, single ids, lengths of streams. "" for not there. Ids are forgotten after each append. */
  readonly #known = { marks: new Map<string, string>(), ids: new Map<string, string>(), streams: new Map<string, string>() };
  readonly #lines = new Map<number, string>();
  #asked = { marks: new Map<string, string>(), ids: new Map<string, string>(), streams: new Map<string, string>() };
  #admission: Admission = { outcomes: [], events: [], marks: [], ids: [], streams: [] };
  #head = 0;
  /** The newest lead that was heard of: batches of an older one are refused. */
  #lead = 0;

  /** @param state.read fetches the lines from one seq to another, and others that come with them */
  async propose(batches: readonly Batch[], { head, first, read }: { head: number; first: number; read(from: number, to: number): Promise<ReadonlyMap<number, string>> }): Promise<Proposal> {
    this.#head = head;
    let reach = 1;
    let wanted = new Set<number>();
    const known: KnownIds = {
      mark: (publisher, instance) => {
        const text = this.#ask("marks", toRedisText(markKey(publisher, instance)));
        return text === "" ? undefined : readMark(text);
      },
      seqOf: (publisher, id) => {
        const text = this.#ask("ids", toRedisText(idKey(publisher, id)));
        return text === "" ? undefined : Number(text);
      },
      lineAt: (seq) => {
        if (seq < first || seq > head) return undefined;
        const line = this.#lines.get(seq);
        if (line === undefined) wanted.add(seq);
        return line === GONE ? undefined : line;
      },
      streamLength: (stream) => Number(this.#ask("streams", toRedisText(stream))),
    };
    for (;;) {
      this.#asked = { marks: new Map(), ids: new Map(), streams: new Map() };
      wanted = new Set();
      const { outcomes, ...rest } = admit(batches.map((batch) => (this.#isOver(batch) ? { ...batch, drafts: [] } : batch)), head, known);
      this.#admission = { ...rest, outcomes: outcomes.map((batch, index) => (this.#isOver(batches[index]!) ? batches[index]!.drafts.map(() => ({ state: "refused", error: leadLost() })) : batch)) };
      if (wanted.size === 0) return this.#proposal(batches);
      const ranges = rangesUpTo(wanted, reach, first);
      for (const lines of await Promise.all(ranges.map(([from, to]) => read(from, to)))) for (const [seq, line] of lines) this.#lines.set(seq, line);
      // Trimmed meanwhile by another router.
      for (const [from, to] of ranges) for (let seq = from; seq <= to; seq++) if (!this.#lines.has(seq)) this.#lines.set(seq, GONE);
      reach = Math.min(reach * FURTHER, FURTHEST);
    }
  }

  /** Redis had other values than were taken for true. */
  learn(marks: Found, ids: Found, streams: Found): void {
    for (const [what, values] of [["marks", marks], ["ids", ids], ["streams", streams]] as const) {
      [...this.#asked[what].keys()].forEach((field, index) => remember(this.#known[what], field, values[index] ?? ""));
    }
    this.#lines.clear();
  }

  /** Somebody else leads, under this token. */
  led(token: number): void {
    this.#lead = Math.max(this.#lead, token);
  }

  /** It was written behind `head`, where the log's time was `floor`. What it is then. */
  settle(head: number, floor: number): { readonly outcomes: readonly Outcome[][]; readonly events: readonly LogEvent[] } {
    const by = head - this.#head;
    const moved = (seq: number): number => (seq > this.#head ? seq + by : seq);
    const { outcomes, events, marks, streams } = this.#admission;
    for (const { publisher, instance, mark } of marks) remember(this.#known.marks, toRedisText(markKey(publisher, instance)), moved(mark.seq) + markRest(mark));
    for (const { stream, version } of streams) remember(this.#known.streams, toRedisText(stream), String(version + 1));
    this.#forget();
    return {
      outcomes: by === 0 ? outcomes : outcomes.map((batch) => batch.map((one) => (one.state === "refused" || one.seq === null ? one : { ...one, seq: moved(one.seq) }))),
      events: by === 0 && (events.length === 0 || events[0]!.time >= floor) ? events : events.map(({ seq, line }) => LogEvent.fromLine(`[${seq + by}${lifted(line.slice(line.indexOf(",")), floor)}`)),
    };
  }

  /** What was taken for true may be wrong by now: the connection was lost in between. */
  doubt(): void {
    this.#known.marks.clear();
    this.#known.streams.clear();
    this.#forget();
  }

  #isOver({ lead }: Batch): boolean { return lead !== undefined && lead < this.#lead; }

  #forget(): void {
    this.#known.ids.clear();
    this.#lines.clear();
  }

  #ask(what: "marks" | "ids" | "streams", field: string): string {
    const text = this.#known[what].get(field) ?? "";
    this.#asked[what].set(field, text);
    return text;
  }

  #proposal(batches: readonly Batch[]): Proposal {
    const { events, marks, ids, streams } = this.#admission;
    const behind = (seq: number): string => (seq > this.#head ? String(seq - this.#head) : "");
    const args: string[] = [];
    for (const what of ["marks", "ids", "streams"] as const) args.push(String(this.#asked[what].size), ...this.#asked[what].keys(), ...this.#asked[what].values());
    const blocks = cutBlocks(events);
    args.push(String(blocks.length));
    for (const { count, size, from, to, text } of blocks) args.push(String(count), String(size), String(from), String(to), text);
    args.push(String(marks.length));
    for (const { publisher, instance, mark } of marks) args.push(toRedisText(markKey(publisher, instance)), behind(mark.seq), (mark.seq > this.#head ? "" : mark.seq) + markRest(mark));
    args.push(String(ids.length));
    for (const { publisher, id, seq } of ids) args.push(toRedisText(idKey(publisher, id)), behind(seq));
    const lists = Map.groupBy(streams, ({ stream }) => stream);
    args.push(String(lists.size));
    for (const [stream, entries] of lists) args.push(toRedisText(stream), String(entries.at(-1)!.version + 1), String(entries.length), ...entries.map(({ seq }) => behind(seq)));
    const leads = batches.flatMap((batch) => (batch.lead === undefined || this.#isOver(batch) ? [] : [batch.lead]));
    return { streams: [...lists.keys()], args, lead: leads.length === 0 ? undefined : Math.min(...leads) };
  }
}

/** Each of these seqs with some before it, without those that are in two. */
function rangesUpTo(seqs: ReadonlySet<number>, reach: number, first: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (const to of [...seqs].sort((a, b) => a - b)) {
    const from = Math.max(first, to - reach + 1);
    const last = ranges.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

/** The newest are kept. */
function remember(known: Map<string, string>, field: string, value: string): void {
  known.delete(field);
  known.set(field, value);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
}


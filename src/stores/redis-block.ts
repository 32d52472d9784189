import { LogEvent } from "../core/log-event.ts";

/** An entry of a stream as Redis sends it. */
export type RedisEntry = readonly [id: string, fields: readonly string[]];

/** Where a block is cut: small enough that reading one event of it costs little, large enough that 256 publishes are one entry of the stream. */
const BLOCK_EVENTS = 512;
const BLOCK_SIZE = 256 * 1024;

/** Consecutive events that were appended together, as one entry of the log's stream. It holds them without their seqs, so that who writes need not know the head. */
export class RedisBlock {
  readonly first: number;
  readonly last: number;
  readonly epoch: string;
  /** Names this write among all that ever were: tells whether a log that was seen is the one that is there. */
  readonly mark: string;
  /** Size of the log before this block, since it began. */
  readonly offset: number;
  readonly #bodies: readonly string[];
  /** No event in it is older: another router's clock was ahead. */
  readonly #floor: number;

  constructor([id, fields]: RedisEntry) {
    const field = (name: string): string | undefined => {
      for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
      return undefined;
    };
    this.#bodies = field("l")!.split("\n");
    this.last = seqOf(id);
    this.first = this.last - this.#bodies.length + 1;
    this.epoch = field("e")!;
    this.mark = field("w")!;
    this.offset = Number(field("o"));
    this.#floor = Number(field("t") ?? 0);
  }

  line(seq: number): string { return `[${seq}${lifted(this.#bodies[seq - this.first]!, this.#floor)}`; }
  event(seq: number): LogEvent { return LogEvent.fromLine(this.line(seq)); }

  /** The events from a seq on. */
  events(from = this.first): LogEvent[] {
    const events: LogEvent[] = [];
    for (let seq = Math.max(from, this.first); seq <= this.last; seq++) events.push(this.event(seq));
    return events;
  }

  /** Size of the log before this event, since it began. */
  offsetOf(seq: number): number {
    let offset = this.offset;
    for (let at = this.first; at < seq; at++) offset += this.line(at).length;
    return offset;
  }
}

/** The seq in an entry's id. */
export function seqOf(id: string): number { return Number(id.slice(0, id.indexOf("-"))); }

/** A body with its time raised to the one that the log had come to. */
export function lifted(body: string, floor: number): string {
  if (floor === 0) return body;
  const end = body.indexOf(",", 1);
  return Number(body.slice(1, end)) < floor ? `,${floor}${body.slice(end)}` : body;
}

/** Events as blocks to be written. Size: of the bodies with a bracket each, without the digits of the seqs. */
export interface DraftBlock { readonly count: number; readonly size: number; readonly from: number; readonly to: number; readonly text: string }

export function cutBlocks(events: readonly LogEvent[]): DraftBlock[] {
  const blocks: DraftBlock[] = [];
  for (let start = 0; start < events.length; ) {
    const bodies: string[] = [];
    let size = 0;
    for (let event = events[start]; event !== undefined && bodies.length < BLOCK_EVENTS && (size === 0 || size + event.size <= BLOCK_SIZE); event = events[start + bodies.length]) {
      const body = event.line.slice(event.line.indexOf(","));
      bodies.push(body);
      size += body.length + 1;
    }
    blocks.push({ count: bodies.length, size, from: events[start]!.time, to: events[start + bodies.length - 1]!.time, text: bodies.join("\n") });
    start += bodies.length;
  }
  return blocks;
}

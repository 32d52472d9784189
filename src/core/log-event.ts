import type { EventLine, From, LineMeta } from "./line.ts";

/** `[seq,time,from,"id","type"` where neither id nor type is written with escapes, which JSON allows and nobody does. */
const HEAD = /^\[(\d+),(\d+),(?:0|"(?:[^"\\]|\\.)*"|\[(?:"(?:[^"\\]|\\.)*"|[^"\]])*\]),"[^"\\]*","([^"\\]*)"/;

/**
 * An event in a log. It holds its text, which is what leaves for sessions and goes into stores; the fields are parsed when a filter first asks for one.
 * Its getters have the names of `RouterEvent`, so that filters read both alike.
 */
export class LogEvent {
  readonly seq: number;
  /** Milliseconds since 1970, never falling along a log. */
  readonly time: number;
  readonly type: string;
  /** `[seq,time,from,"id","type",payload,meta]` */
  readonly line: string;
  #parsed: EventLine | undefined;
  #plain: boolean | undefined;

  constructor(seq: number, time: number, type: string, line: string) {
    this.seq = seq;
    this.time = time;
    this.type = type;
    this.line = line;
  }

  /** An event of a store's text. Only its head is read: a replay looks at types, and seldom into payloads. */
  static fromLine(line: string): LogEvent {
    const head = HEAD.exec(line);
    if (head !== null) return new LogEvent(Number(head[1]), Number(head[2]), head[3]!, line);
    const parsed = JSON.parse(line) as EventLine;
    const event = new LogEvent(parsed[0], parsed[1], parsed[4], line);
    event.#parsed = parsed;
    return event;
  }

  /** Size in UTF-16 units, the unit of all windows and pages: exact for ASCII, never more than the bytes on the wire. */
  get size(): number { return this.line.length; }
  get fields(): EventLine { return (this.#parsed ??= JSON.parse(this.line) as EventLine); }
  get #from(): From { return this.fields[2]; }
  get #meta(): LineMeta | undefined { return this.fields[6]; }

  get id(): string { return this.fields[3]; }
  get payload(): unknown { return this.fields[5]; }
  get timestamp(): string { return new Date(this.time).toISOString(); }
  get source(): string | undefined { return this.#meta?.source ?? (typeof this.#from === "object" && this.#from[1] !== 0 ? this.#from[1] : undefined); }
  /** Has neither target nor ttl, which are asked of each event for each who gets it: most are spared the parsing. Whoever writes a key otherwise must escape it. A search that begins with a quote would stop at each of them. */
  get #isPlain(): boolean { return (this.#plain ??= !(this.line.includes('target"') || this.line.includes('ttl"') || this.line.includes("\\"))); }
  get target(): string | undefined { return this.#isPlain ? undefined : this.#meta?.target; }
  get priority(): number { return this.#meta?.priority ?? 5; }
  get correlationId(): string | undefined { return this.#meta?.correlationId; }
  get headers(): Readonly<Record<string, string>> | undefined { return this.#meta?.headers; }
  get stream(): string | undefined { return this.#meta?.stream; }
  get version(): number | undefined { return typeof this.#from === "object" ? this.#from[2] : undefined; }
  /** Milliseconds after which it lapses. */
  get ttl(): number | undefined { return this.#isPlain ? undefined : this.#meta?.ttl; }
  /** Whether it has lapsed: it stays in the log, and is not delivered any more. */
  expired(now: number): boolean {
    const { ttl } = this;
    return ttl !== undefined && now >= this.time + ttl;
  }
  get publisher(): { subject: string } | undefined {
    const subject = typeof this.#from === "object" ? this.#from[0] : this.#from;
    return subject === 0 ? undefined : { subject };
  }
}
